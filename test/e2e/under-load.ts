/**
 * Owns many connections that call without a pause while one approval among them is ended: what each got, when the ended ones succeeded
 * last, and when they were refused first.
 */
import { setTimeout } from 'node:timers/promises';
import { McpSession, OAuthClient, type Tokens } from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import type { Stack } from '../support/stack.ts';

/** An approval of a person, and its connections. */
interface Approval {
  readonly client: OAuthClient;
  readonly tokens: Tokens;
  readonly sessions: readonly McpSession[];
}

interface Call {
  /** Milliseconds since the approval was ended. */
  readonly began: number;
  readonly status: number;
}

export interface Report {
  /** Milliseconds since the approval was ended. */
  readonly lastSuccess: number;
  readonly firstRefusal: number;
  /** When its stream and its running call had ended. */
  readonly streamClosed: number;
  readonly callAborted: number;
  /** Status of the answers to the ended ones after the last success, each once. */
  readonly refusedWith: readonly number[];
  readonly others: { readonly calls: number; readonly failures: readonly string[]; readonly isStreamOpen: boolean };
  /** What a session of the ended approval answers to a new approval of the same person and client. */
  readonly sessionForNewApproval: number;
}

const NAMES = [/Alice/, /Bob/];
/** Refusals in a row after which a connection of the ended approval stops. */
const ENOUGH = 30;

async function approve(stack: Stack, index: number, connections: number): Promise<Approval> {
  const client = await OAuthClient.register(stack);
  const tokens = await client.tokens({}, new Person(NAMES[index % NAMES.length]));
  const open = () => McpSession.open(`${stack.mcpUrl}/mcp`, tokens.access_token);
  const sessions = await Promise.all(Array.from({ length: connections }, open));
  return { client, tokens, sessions };
}

/** The stream of a session, and whether it has ended. */
async function listen({ url, headers }: McpSession) {
  const response = await fetch(url, { headers: { ...headers, accept: 'text/event-stream' } });
  const state = { isOpen: response.status === 200 };
  const ended = (async () => {
    await response.text().catch(() => {});
    state.isOpen = false;
    return performance.now();
  })();
  return { state, ended };
}

/** @param end ends the first approval, as its client or its operator does */
export async function endUnderLoad(
  stack: Stack,
  { approvals: count, connections }: { readonly approvals: number; readonly connections: number },
  end: (client: OAuthClient, tokens: Tokens) => Promise<void>,
): Promise<Report> {
  const approvals: Approval[] = [];
  for (let n = 0; n < count; n += 1) approvals.push(await approve(stack, n, connections));
  const [ended, ...others] = approvals as [Approval, ...Approval[]];
  const [theirs, other] = [
    await listen(ended.sessions[0] as McpSession),
    await listen(others[0]?.sessions[0] as McpSession),
  ];
  // A call that takes a minute by itself.
  const aborted = (ended.sessions[1] as McpSession)
    .call('countdown', { from: 60 }, {}, 'long')
    .then(() => performance.now());

  let isOver = false;
  let zero = Number.POSITIVE_INFINITY;
  const calls: Call[] = [];
  const failures: string[] = [];
  let succeeded = 0;
  const echo = (session: McpSession) => session.call('echo', { message: 'hello' });
  const callAsOther = async (session: McpSession): Promise<void> => {
    while (!isOver) {
      const { status, text } = await echo(session);
      if (status === 200 && text.includes('hello')) succeeded += 1;
      else failures.push(`${status} ${text}`);
    }
  };
  const callAsEnded = async (session: McpSession): Promise<void> => {
    for (let refused = 0; refused < ENOUGH; ) {
      const began = performance.now() - zero;
      const { status } = await echo(session);
      refused = status === 200 ? 0 : refused + 1;
      calls.push({ began, status });
      if (refused > 0) await setTimeout(20);
    }
  };
  const ofOthers = others.flatMap(({ sessions }) => sessions).map(callAsOther);
  const ofEnded = ended.sessions.map(callAsEnded);
  await setTimeout(1_000);
  await end(ended.client, ended.tokens);
  zero = performance.now();
  await Promise.all(ofEnded);
  const [streamClosed, callAborted] = (await Promise.all([theirs.ended, aborted])).map((at) => at - zero);
  const isStreamOpen = other.state.isOpen;
  isOver = true;
  await Promise.all(ofOthers);
  const after = calls.filter(({ began }) => began > Number.NEGATIVE_INFINITY);
  const successes = after.filter(({ status }) => status === 200).map(({ began }) => began);
  const refusals = after.filter(({ status }) => status !== 200);
  const lastSuccess = Math.max(0, ...successes);
  const again = await ended.client.tokens({}, new Person(NAMES[0]));
  const { status: sessionForNewApproval } = await (ended.sessions[2] as McpSession).post(
    { jsonrpc: '2.0', id: 9, method: 'ping' },
    { authorization: `Bearer ${again.access_token}` },
  );
  return {
    lastSuccess,
    firstRefusal: Math.min(...refusals.map(({ began }) => began)),
    streamClosed: streamClosed ?? Number.NaN,
    callAborted: callAborted ?? Number.NaN,
    refusedWith: [...new Set(refusals.filter(({ began }) => began > lastSuccess).map(({ status }) => status))],
    others: { calls: succeeded, failures, isStreamOpen },
    sessionForNewApproval,
  };
}
