/**
 * Proves that memory does not grow with time: the heap of a real mcp-server after a garbage collection, before and
 * after many calls in both eras, with plain answers and with streams, and before and after many sessions.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callInSession, callStateless, ECHO, listen, meet, type Parties, type ToolCall } from '../bench/mcp-parties.ts';
import { type Contestant, listenerOf, startProduct } from '../bench/mcp-servers.ts';
import { endSessions, hold, type OpenStream, openLegacyStreams, openSessions, openStreams } from '../bench/sessions.ts';
import { press } from '../bench/wire.ts';

/** Bytes; a leaked map entry costs more. */
const LEFT = 60;
const CALLS = 20_000;
/** Calls before the first measurement: code is compiled, and every bounded structure is full. */
const WARM_UP = CALLS / 2;
const STREAM_COUNT = 10_000;
/** Number of concurrently open streams. */
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

/** Memory of a process without its code: objects, and the buffers that they own. */
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
  await press({ servers: [listenerOf(server)], speakers });
}

describe('MCP tools/call', () => {
  it.each(Object.entries(MODES))(
    `tools/call %s leaves less than ${LEFT} bytes behind for each call`,
    async (_mode, open) => {
      const requests = await open();
      await call(requests, WARM_UP);
      const before = await held();
      await call(requests, CALLS);
      expect(((await held()) - before) / CALLS).toBeLessThan(LEFT);
    },
  );
});

/** Opens a batch of streams, and waits for the end of all. */
type Batch = (tokens: readonly string[]) => Promise<void>;

const STREAMS: Readonly<Record<string, Batch>> = {
  'a session of 2025-11-25 with a stream, left by its client or ended with the session': async (tokens) => {
    const sessions = await openSessions(server.port, tokens);
    const streams = await openStreams(server.port, sessions);
    for (const stream of streams.slice(0, BATCH / 2)) stream.leave();
    await endSessions(server.port, sessions);
    await Promise.all(streams.map(({ ended }) => ended));
  },
  'a session of 2024-11-05 without initialize': async (tokens) => {
    const streams = await openLegacyStreams(server.port, tokens);
    for (const stream of streams) stream.leave();
  },
  'a subscription of 2026-07-28': async (tokens) => {
    const streams = await hold(server.port, tokens.map(listen));
    for (const stream of streams) stream.leave();
  },
};

const batchOf = () => Array.from({ length: BATCH }, (_, n) => parties.tokens[n % parties.tokens.length] ?? '');

async function comeAndGo(batch: Batch, total: number): Promise<void> {
  for (let done = 0; done < total; done += BATCH) await batch(batchOf());
  // A request that is answered after that shows that the server has processed every disconnect.
  await endSessions(server.port, await openSessions(server.port, parties.tokens));
}

describe('MCP streams', () => {
  it.each(Object.entries(STREAMS))(
    `MCP streams %s: ${STREAM_COUNT} of them leave less than ${LEFT} bytes each`,
    async (_, batch) => {
      await comeAndGo(batch, 4 * BATCH);
      const before = await held();
      await comeAndGo(batch, STREAM_COUNT);
      expect(((await held()) - before) / STREAM_COUNT).toBeLessThan(LEFT);
    },
  );

  it('MCP streams that end while the server sends keep-alives to all are released at once', async () => {
    const whileOpen = async (work: (streams: readonly OpenStream[]) => unknown) => {
      const sessions = await openSessions(server.port, batchOf());
      const streams = await openStreams(server.port, sessions);
      await work(streams);
      for (const stream of streams) stream.leave();
      await endSessions(server.port, sessions);
    };
    await comeAndGo(() => whileOpen(() => {}), BATCH);
    const before = await held();
    // The first keep-alive: the last follows some seconds later, because the server spreads them.
    await whileOpen((streams) => Promise.race(streams.map(({ keptAlive }) => keptAlive)));
    // The names of streams that wait for their turn are kept; a whole stream takes 9 KB.
    expect(((await held()) - before) / BATCH).toBeLessThan(1_000);
  });
});
