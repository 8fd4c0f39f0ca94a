/** Owns `sessions`: how an operator lists and ends the sessions of all replicas (MCP 2025-11-25, "Session Management"). */
import { type Command, type CommandGroup, type Invocation, UsageError } from '@mcp-oauth/shared/cli/command';
import { json, showList, timeOf } from '@mcp-oauth/shared/cli/list';
import type { McpSession } from '../sessions/session.ts';
import type { Sessions, WithSessions } from './storage.ts';

export const sessionsCommands = (withSessions: WithSessions): CommandGroup => ({
  name: 'sessions',
  summary: 'Sessions of clients of MCP 2024-11-05 to 2025-11-25, on all replicas.',
  commands: [list(withSessions), end(withSessions)],
});

const whose = {
  subject: {
    type: 'string',
    multiple: true,
    value: 'sub',
    doc: 'Only sessions of this person: `sub` of their tokens.',
  },
  client: { type: 'string', multiple: true, value: 'client_id', doc: 'Only sessions of this client.' },
  issuer: {
    type: 'string',
    multiple: true,
    value: 'iss',
    doc: 'Only sessions by tokens of this issuer: a subject at another one is another person.',
  },
} as const;

const list = (withSessions: WithSessions): Command => ({
  name: 'list',
  summary: 'Show the sessions, oldest first.',
  details:
    'IN USE UNTIL is shortly after now for a session with an open stream or a running call, else the time of its last use.',
  options: { ...whose, json },
  run: (invocation) =>
    withSessions(invocation.env, async ({ store }) => {
      const sessions = await find(store, invocation);
      showList(invocation, sessions.sort((a, b) => a.created - b.created).map(describe), 'There are no sessions.');
      return 0;
    }),
});

async function find(store: Sessions['store'], { options }: Invocation): Promise<McpSession[]> {
  const found: McpSession[] = [];
  for await (const session of store.list()) {
    const { subject, clientId, issuer } = session.owner;
    const isMeant = isAmong(options.subject, subject) && isAmong(options.client, clientId);
    if (isMeant && isAmong(options.issuer, issuer)) found.push(session);
  }
  return found;
}

/** An empty option selects nobody: it may be an unset variable of a script. */
const isAmong = (wanted: Invocation['options'][string], name: string | undefined): boolean =>
  !Array.isArray(wanted) || (name !== undefined && wanted.includes(name));

const describe = ({ id, owner, transport, agreed, created, usedUntil }: McpSession) => ({
  id,
  subject: owner.subject,
  client: owner.clientId ?? null,
  issuer: owner.issuer,
  transport,
  revision: agreed?.protocolVersion ?? null,
  created: timeOf(Math.floor(created / 1000)),
  inUseUntil: timeOf(Math.floor(usedUntil / 1000)),
});

const end = (withSessions: WithSessions): Command => ({
  name: 'end',
  summary: 'End sessions now, on all replicas: by id, or all that the options select.',
  details:
    'Their streams close, their calls are cancelled, and their next request gets 404. A client whose token is still valid may open a new session: revoke its access at the authorization server first.',
  rest: 'id',
  options: { ...whose, all: { type: 'boolean', doc: 'All sessions of everybody.' } },
  run: (invocation) => {
    const { env, rest, stdout, stderr } = invocation;
    judge(invocation);
    return withSessions(env, async (sessions) => {
      const ids = rest.length > 0 ? [...new Set(rest)] : (await find(sessions.store, invocation)).map(({ id }) => id);
      const unknown = await endAll(sessions, ids);
      const ended = ids.length - unknown.length;
      stdout.write(`Ended ${ended} ${ended === 1 ? 'session' : 'sessions'}.\n`);
      if (rest.length === 0) return 0;
      for (const id of unknown) stderr.write(`There is no session ${JSON.stringify(id)}.\n`);
      return unknown.length === 0 ? 0 : 1;
    });
  },
});

function judge({ rest, options: { all, subject, client, issuer } }: Invocation): void {
  const isSelected = [subject, client, issuer].some((one) => one !== undefined);
  const ways = [rest.length > 0, all === true, isSelected].filter(Boolean).length;
  if (ways === 0) throw new UsageError('name the sessions: ids, --subject, --client, --issuer, or --all');
  if (ways > 1) throw new UsageError('use only one of: ids, --all, or --subject, --client and --issuer');
}

/** Number of sessions that are ended at once, so that Redis and the replicas can serve others meanwhile. */
const BATCH = 100;

/** @returns the ids of those that had ended before */
async function endAll({ store, bus }: Sessions, ids: readonly string[]): Promise<readonly string[]> {
  const unknown: string[] = [];
  const endOne = async (id: string): Promise<void> => {
    if (!(await store.delete(id))) unknown.push(id);
    // In any case: the process that ended the session before may have stopped before it told the replicas.
    await bus.broadcast({ kind: 'ended', session: id });
  };
  for (let from = 0; from < ids.length; from += BATCH) await Promise.all(ids.slice(from, from + BATCH).map(endOne));
  return unknown;
}
