/** Owns `grants`: the approvals of everybody, and how to end one, those of a client, or all that began before a moment. */
import { type Command, type CommandGroup, type Invocation, UsageError } from '@mcp-oauth/shared/cli/command';
import { timeOf } from '@mcp-oauth/shared/cli/list';
import { seconds } from '@mcp-oauth/shared/clock';
import { composeAccounts } from '../../compose/accounts.ts';
import { approvals } from '../listing/approvals.ts';
import { rowOfGrantAndPerson } from '../listing/grant-rows.ts';
import { paged, placeOf, showPage } from '../listing/pages.ts';
import { findPerson } from '../people/find-person.ts';
import { endingsOf, type OpenedStore, type WithStore } from '../store.ts';

export const grantsCommands = (withStore: WithStore): CommandGroup => ({
  name: 'grants',
  summary: 'Approvals (grants): what people have approved for clients.',
  commands: [list(withStore), end(withStore)],
});

const list = (withStore: WithStore): Command => ({
  name: 'list',
  summary: 'Show the approvals, newest first.',
  details:
    'LAST USED is the last time at which the client got tokens, at most five minutes old. An approval of an earlier version of this server is listed from its next use on.',
  options: {
    person: { type: 'string', value: 'person', doc: 'Only those of this person: subject or address.' },
    client: { type: 'string', value: 'client_id', doc: 'Only those of this client.' },
    ...paged,
  },
  run: (invocation) => {
    const { person, client } = invocation.options;
    if (person !== undefined && client !== undefined) throw new UsageError('use only one of --person and --client');
    return withStore(invocation.env, async (opened) => {
      const accounts = composeAccounts(opened.config, opened);
      const { items, next } = await pageOf(invocation, opened);
      const rows = await Promise.all(items.map((entry) => rowOfGrantAndPerson(entry, accounts)));
      showPage(invocation, { items: rows, next }, 'There are no approvals.');
      return 0;
    });
  },
});

async function pageOf(invocation: Invocation, opened: OpenedStore) {
  const { person, client } = invocation.options;
  const { directory } = opened;
  const place = placeOf(invocation);
  if (typeof person === 'string') return directory.byPerson(await findPerson(person, opened), place);
  return typeof client === 'string' ? directory.byClient(client, place) : directory.list(place);
}

const end = (withStore: WithStore): Command => ({
  name: 'end',
  summary: 'End approvals: by id, those of a client, or all that began before a moment.',
  details:
    'Refresh tokens are refused at once, access tokens as soon as MCP servers have read the status list. The same person may approve again. With --client the tokens of a machine client and of workloads end as well. With --before also the tokens of all machine clients and workloads, which get new ones, the personal tokens and tokens of services that were made before, and the browser sessions from before. An approval that was renewed later began before, and ends too.',
  rest: 'id',
  options: {
    client: { type: 'string', value: 'client_id', doc: 'All approvals of this client.' },
    before: {
      type: 'string',
      value: 'time',
      doc: 'All approvals of everybody that began before this time: now, or such as 2026-03-01T12:00:00Z.',
    },
    yes: { type: 'boolean', doc: 'End them: without it, --client and --before only say what would end.' },
  },
  run: (invocation) => {
    const { rest, options, env, stdout } = invocation;
    const ways = [rest.length > 0, options.client !== undefined, options.before !== undefined].filter(Boolean).length;
    if (ways !== 1) throw new UsageError('name the approvals: ids, or --client, or --before');
    if (rest.length > 0) return withStore(env, (opened) => endByIds(invocation, opened));
    return withStore(env, async (opened) => {
      const target = targetOf(invocation, seconds(opened.clock));
      const what =
        target.kind === 'client'
          ? `all approvals of ${JSON.stringify(target.id)}`
          : `everything that began before ${timeOf(target.before)}`;
      if (!options.yes) {
        stdout.write(`This would end ${what}. Nothing has ended yet: repeat the command with --yes.\n`);
        return 1;
      }
      const { grants } = await endingsOf(opened).end(target, { origin: 'cli' });
      stdout.write(`Ended ${what}: ${approvals(grants)}.\n`);
      return 0;
    });
  },
});

function targetOf({ options: { client, before } }: Invocation, now: number) {
  if (typeof client === 'string') return { kind: 'client', id: client } as const;
  return { kind: 'everything', before: momentOf(String(before), now) } as const;
}

/** A time with its zone: without one, the machine on which a command happens to run would decide. */
const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?$/;

function momentOf(text: string, now: number): number {
  // What was approved in this second has begun before the command.
  if (text === 'now') return now + 1;
  const at = TIME.test(text) ? Date.parse(text) / 1000 : Number.NaN;
  if (Number.isNaN(at)) {
    throw new UsageError(`--before: ${JSON.stringify(text)} is neither now nor a time such as 2026-03-01T12:00:00Z`);
  }
  if (at > now) throw new UsageError('--before: the time is in the future');
  return Math.floor(at);
}

async function endByIds({ rest, stdout, stderr }: Invocation, opened: OpenedStore): Promise<number> {
  const endings = endingsOf(opened);
  let ended = 0;
  let isComplete = true;
  for (const id of new Set(rest)) {
    const isListed = (await opened.directory.get(id)) !== undefined;
    if (isListed) ended += (await endings.end({ kind: 'grant', id }, { origin: 'cli' })).grants;
    else stderr.write(`There is no approval ${JSON.stringify(id)}.\n`);
    isComplete &&= isListed;
  }
  stdout.write(`Ended ${approvals(ended)}.\n`);
  return isComplete ? 0 : 1;
}
