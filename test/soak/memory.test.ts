/**
 * Owns the proof that nothing grows with time: the heap of a real mcp-server, after garbage has been collected, before and after
 * many calls in both eras, with plain answers and with streams, and before and after many sessions came and went.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callInSession, callStateless, ECHO, meet, type Parties, type ToolCall } from '../bench/mcp-parties.ts';
import { type Contestant, startProduct } from '../bench/mcp-servers.ts';
import { endSessions, openSessions, openStreams } from '../bench/sessions.ts';
import { press } from '../bench/wire.ts';

/** Bytes; an entry in a map that is never taken out costs more. */
const PER_CALL = 60;
const CALLS = 20_000;
const SESSIONS = 10_000;
/** Open at a time. */
const BATCH = 500;

let parties: Parties;
let server: Contestant;
beforeAll(async () => {
  parties = await meet();
  server = await startProduct(parties.issuer, { probed: true });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await parties[Symbol.asyncDispose]();
});

/** What a process holds that is not code: objects, and the buffers that they own. */
async function held(): Promise<number> {
  const { heapUsed, external, arrayBuffers } = await server.program.memory();
  return heapUsed + external + arrayBuffers;
}

/** Reports its progress first, so that the answer becomes a stream. */
const COUNTDOWN: ToolCall = { name: 'countdown', arguments: { from: 1, interval_ms: 0 }, progressToken: 1 };

type Requests = () => Promise<readonly (() => string)[]>;

const inSession =
  (call: ToolCall): Requests =>
  async () =>
    (await openSessions(server.port, parties.tokens)).map(({ id, token }) => callInSession(token, id, call));

const stateless =
  (call: ToolCall): Requests =>
  async () =>
    parties.tokens.map((token) => callStateless(token, call));

const MODES: Readonly<Record<string, Requests>> = {
  '2025-11-25 answered with JSON': inSession(ECHO),
  '2025-11-25 answered with a stream': inSession(COUNTDOWN),
  '2026-07-28 answered with JSON': stateless(ECHO),
  '2026-07-28 answered with a stream': stateless(COUNTDOWN),
};

async function call(requests: readonly (() => string)[], total: number): Promise<void> {
  const speakers = requests.map((request) => {
    let left = total / requests.length;
    return () => (left-- > 0 ? request() : undefined);
  });
  await press({ port: server.port, pid: server.program.pid, speakers });
}

describe('MCP tools/call', () => {
  it.each(Object.entries(MODES))(`of %s leaves less than ${PER_CALL} bytes behind`, async (_mode, open) => {
    const requests = await open();
    await call(requests, CALLS / 4);
    const before = await held();
    await call(requests, CALLS);
    expect(((await held()) - before) / CALLS).toBeLessThan(PER_CALL);
  });
});

/** Opens and ends so many sessions with their streams; half of the streams are left by the client, half end with the session. */
async function comeAndGo(total: number): Promise<void> {
  for (let done = 0; done < total; done += BATCH) {
    const owners = Array.from({ length: BATCH }, (_, n) => parties.tokens[n % parties.tokens.length] ?? '');
    const sessions = await openSessions(server.port, owners);
    const streams = await openStreams(server.port, sessions);
    for (const stream of streams.slice(0, BATCH / 2)) stream.leave();
    await endSessions(server.port, sessions);
    await Promise.all(streams.map(({ ended }) => ended));
  }
}

describe('MCP sessions', () => {
  it(`leave less than ${PER_CALL} bytes behind, each with a stream, after ${SESSIONS} were opened and ended`, async () => {
    await comeAndGo(4 * BATCH);
    const before = await held();
    await comeAndGo(SESSIONS);
    expect(((await held()) - before) / SESSIONS).toBeLessThan(PER_CALL);
  });
});
