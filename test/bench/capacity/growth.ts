/** Owns how costs grow: with the number of sessions, open streams, tools, tokens in the cache, and keys in Redis. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { operatorOf } from '@mcp-oauth/shared/testing/redis';
import { ROOT } from '../../support/stack.ts';
import { callInSession, callStateless, ECHO, initialize, meet, sessionHeaders } from '../mcp-parties.ts';
import { type OpenSession, openSessions, openStreams } from '../sessions.ts';
import { post } from '../wire.ts';
import { type Replica, startFleet } from './fleet.ts';
import { timed } from './latency.ts';
import { calls, once, PROGRESS, repeat, shared } from './work.ts';

const CONNECTIONS = 50;
const SECONDS = 1.5;

export type Row = readonly (string | number)[];

/** Each connection goes through its part of all items, again and again. */
function inTurn<T>(items: readonly T[], request: (item: T) => () => string): (() => string)[] {
  return Array.from({ length: CONNECTIONS }, (_, connection) => {
    const own = items.filter((_item, n) => n % CONNECTIONS === connection).map(request);
    let turn = 0;
    return () => {
      turn += 1;
      return own[turn % own.length]?.() ?? '';
    };
  });
}

const theReplica = ({ replicas: [replica] }: { readonly replicas: readonly Replica[] }): Replica => {
  if (!replica) throw new Error('no replica');
  return replica;
};

/** @param levels ascending numbers of sessions */
export async function growWithSessions(levels: readonly number[]): Promise<Row[]> {
  await using parties = await meet();
  await using fleet = await startFleet({ issuer: parties.issuer, probed: true });
  const replica = theReplica(fleet);
  const sessions: OpenSession[] = [];
  await repeat(replica, calls(await openSessions(replica.port, parties.referring)), SECONDS)();
  const rows: Row[] = [];
  for (const level of levels) {
    const opened = await fleet.meter.measure(async () => {
      const more = await openSessions(replica.port, shared(parties.referring, level - sessions.length));
      sessions.push(...more);
      return more.length;
    });
    const requests = inTurn(sessions, ({ id, token }) => callInSession(token, id, ECHO));
    await repeat(replica, requests, SECONDS / 3)();
    const call = await fleet.meter.measure(repeat(replica, requests, SECONDS));
    const { rss } = await replica.program.memory();
    rows.push([
      `${level} sessions`,
      `call ${call.service.toFixed(1)} µs, ${call.commands.toFixed(2)} commands`,
      `open ${opened.service.toFixed(0)} µs, Redis ${opened.redis.toFixed(1)} µs`,
      `${(rss / 1024 ** 2).toFixed(0)} MiB`,
    ]);
  }
  return rows;
}

/** Longer than the interval between two comments on an open stream, so that one of them falls into the measurement. */
const WITH_A_KEEP_ALIVE = 16;

/** @param levels ascending numbers of sessions with an open stream */
export async function growWithStreams(levels: readonly number[]): Promise<Row[]> {
  await using parties = await meet();
  await using fleet = await startFleet({ issuer: parties.issuer });
  const replica = theReplica(fleet);
  const callers = calls((await openSessions(replica.port, parties.referring)).slice(0, 4));
  await repeat(replica, callers, SECONDS)();
  const streams: Awaited<ReturnType<typeof openStreams>>[number][] = [];
  const rows: Row[] = [];
  for (const level of levels) {
    const more = await openSessions(replica.port, shared(parties.referring, level - streams.length));
    streams.push(...(await openStreams(replica.port, more)));
    const { speakers, taken } = timed(callers);
    const load = await fleet.meter.measure(repeat(replica, speakers, WITH_A_KEEP_ALIVE));
    const { p50, p99, longest } = taken();
    rows.push([
      `${level} streams`,
      `${(load.units / load.seconds).toFixed(0)} calls/s`,
      `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, longest ${longest.toFixed(0)} ms`,
      `${load.service.toFixed(1)} µs a call with the streams`,
    ]);
  }
  for (const stream of streams) stream.leave();
  return rows;
}

const toolNamed = (name: string): string => `
import { defineTool } from '@mcp-oauth/mcp-server/define';
import { z } from 'zod';
export default defineTool({
  name: '${name}',
  description: 'Finds the entries that fit all of the given fields, and gives back the first of them.',
  input: z.object({ ${Array.from({ length: 8 }, (_, n) => `field${n}: z.string().max(100).optional().describe('Field ${n}')`).join(', ')} }),
  run: ({ field0 = '' }) => ({ text: field0 }),
});
`;

/** @param counts numbers of tools */
export async function growWithTools(counts: readonly number[]): Promise<Row[]> {
  await using parties = await meet();
  const rows: Row[] = [];
  for (const count of counts) {
    const folder = mkdtempSync(join(ROOT, 'test/bench/.tools-'));
    try {
      for (let n = 0; n < count; n += 1) writeFileSync(join(folder, `tool${n}.tool.ts`), toolNamed(`tool_${n}`));
      const env = { TOOLS_DIR: folder, BUILT_IN_TOOLS: 'false', NODE_ENV: 'development' };
      const began = performance.now();
      await using fleet = await startFleet({ issuer: parties.issuer, probed: true, env });
      const started = performance.now() - began;
      const replica = theReplica(fleet);
      const sessions = await openSessions(replica.port, parties.referring);
      const last = calls(sessions, { name: `tool_${count - 1}`, arguments: { field0: 'a' } });
      const list = sessions.map(({ id, token }) => () => {
        const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });
        return post({ path: '/mcp', headers: sessionHeaders(token, id), body });
      });
      await repeat(replica, last, SECONDS)();
      const call = await fleet.meter.measure(repeat(replica, last, SECONDS));
      await repeat(replica, list, SECONDS / 2)();
      const listed = await fleet.meter.measure(repeat(replica, list, SECONDS));
      const { rss } = await replica.program.memory();
      rows.push([
        `${count} tools`,
        `call ${call.service.toFixed(1)} µs`,
        `tools/list ${listed.service.toFixed(0)} µs`,
        `start ${(started / 1000).toFixed(1)} s, ${(rss / 1024 ** 2).toFixed(0)} MiB`,
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return rows;
}

/** @param levels numbers of tokens that are used in turn */
export async function growWithTokens(levels: readonly number[]): Promise<Row[]> {
  await using parties = await meet(Math.max(...levels));
  await using fleet = await startFleet({ issuer: parties.issuer });
  const replica = theReplica(fleet);
  const rows: Row[] = [];
  for (const level of levels) {
    const tokens = parties.referring.slice(0, level);
    await once(
      replica,
      tokens.map((token) => callStateless(token, ECHO)),
    )();
    const requests = inTurn(tokens, (token) => callStateless(token, ECHO));
    await repeat(replica, requests, SECONDS / 2)();
    const call = await fleet.meter.measure(repeat(replica, requests, SECONDS));
    rows.push([`${level} tokens`, `call ${call.service.toFixed(1)} µs`]);
  }
  return rows;
}

/** Records like those of sessions, and for every second one an entry in the index of all sessions. */
const FILL = `
for n = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  redis.call('HSET', 'mcp:v1:{filler-' .. n .. '}', 'owner', ARGV[4], 'transport', 'streamable-http', 'used', ARGV[3])
  if n % 2 == 0 then redis.call('ZADD', 'mcp:v1:sessions', ARGV[3], 'filler-' .. n) end
end`;

/** @param levels ascending numbers of keys */
export async function growWithKeys(levels: readonly number[]): Promise<Row[]> {
  await using parties = await meet();
  await using fleet = await startFleet({ issuer: parties.issuer });
  const replica = theReplica(fleet);
  const redis = operatorOf(fleet.redis.url);
  const sessions = await openSessions(replica.port, parties.referring);
  const loads = {
    open: parties.referring.map((token) => () => initialize(token)),
    'streamed call': calls(sessions, PROGRESS),
  };
  for (const requests of Object.values(loads)) await repeat(replica, requests, SECONDS)();
  let filled = 0;
  const rows: Row[] = [];
  for (const level of levels) {
    for (; filled < level; filled += 1_000) {
      await redis.eval(FILL, 0, filled, filled + 999, Date.now(), 'x'.repeat(400));
    }
    const figures: string[] = [];
    for (const [name, requests] of Object.entries(loads)) {
      const cost = await fleet.meter.measure(repeat(replica, requests, SECONDS));
      figures.push(`${name}: ${cost.service.toFixed(0)} µs, Redis ${cost.redis.toFixed(1)} µs`);
    }
    rows.push([`${level} keys`, ...figures]);
  }
  redis.disconnect();
  return rows;
}
