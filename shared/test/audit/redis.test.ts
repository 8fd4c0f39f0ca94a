/** Proves on a real Redis that processes share a stream, and that the verification tells the truth after a kill, a loss and a removal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chainKey } from '@mcp-oauth/shared/audit/chain';
import { linesOfStream } from '@mcp-oauth/shared/audit/reading/source';
import { verify } from '@mcp-oauth/shared/audit/reading/verify';
import { redisSink } from '@mcp-oauth/shared/audit/sinks/redis-sink';
import { createTrail } from '@mcp-oauth/shared/audit/trail';
import { systemClock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import {
  hasRedis,
  NEEDS_REDIS,
  startRedis,
  startRedisCluster,
  type TestRedis,
  tell,
} from '@mcp-oauth/shared/testing/redis';
import { describe, expect, it, vi } from 'vitest';

const WRITER = fileURLToPath(new URL('./writer.ts', import.meta.url));
const bytes = randomBytes(32);
const key = chainKey(bytes);
const STREAM = 'mcp:audit';
const PATIENT = { timeout: 60_000 };

interface Writer extends Disposable {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  output: string;
}

function write(redis: TestRedis, name: string): Writer {
  const child = spawn(process.execPath, [WRITER, redis.url, name, bytes.toString('base64')]);
  const ended = new Promise((resolve) => child.once('close', resolve));
  const writer: Writer = { child, ended, output: '', [Symbol.dispose]: () => child.kill('SIGKILL') };
  child.stdout?.on('data', (chunk) => {
    writer.output += chunk;
  });
  return writer;
}

async function opened(redis: TestRedis) {
  const client = openRedis({
    target: redisUrl().parse(redis.url),
    name: 'reader',
    log: createLogger('test', 'silent'),
  });
  await whenReady(client);
  return client;
}

async function judged(redis: TestRedis, logs = '') {
  const client = await opened(redis);
  async function* lines() {
    for (const [index, text] of logs.split('\n').entries()) yield { text, source: 'log', place: `line ${index}` };
    yield* linesOfStream(client, STREAM);
  }
  const verdict = await verify(lines(), [key]);
  client.disconnect();
  return verdict;
}

describe.skipIf(!hasRedis)(`the audit in a Redis stream (${NEEDS_REDIS})`, () => {
  it('two processes share a stream, one is killed, and each chain is whole', async () => {
    await using redis = await startRedis();
    using killed = write(redis, 'killed');
    using ended = write(redis, 'ended');
    // A head that is far behind the first entries: a slow machine writes few between two of them.
    const isFar = ({ output }: Writer) => /"n":\d{3,}[^\n]*audit head/.test(output);
    await vi.waitFor(() => expect([killed, ended].map(isFar)).toEqual([true, true]), PATIENT);
    killed.child.kill('SIGKILL');
    await killed.ended;
    ended.child.kill('SIGTERM');
    await ended.ended;
    const verdict = await judged(redis, killed.output + ended.output);
    expect(verdict.problems).toEqual([]);
    const chains = new Map(verdict.chains.map((chain) => [chain.writer, chain]));
    expect(chains.get('killed')).toMatchObject({ first: 1, ended: false });
    expect(chains.get('killed')?.last).toBeGreaterThanOrEqual(chains.get('killed')?.headInLog ?? Infinity);
    expect(chains.get('ended')).toMatchObject({ first: 1, ended: true });
    expect(chains.get('ended')?.headInLog).toBe(chains.get('ended')?.last);
    // Somebody with access to Redis removes one entry in the middle, and those of the killed process from its last head on.
    const client = await opened(redis);
    const all = await client.xrange(STREAM, '-', '+');
    const ids = all.filter(([, fields]) => fields[1]?.includes('"writer":"killed"')).map(([id]) => id);
    await client.xdel(STREAM, ids[7] ?? '', ...ids.slice((chains.get('killed')?.headInLog ?? 0) - 1));
    client.disconnect();
    const { problems } = await judged(redis, killed.output);
    expect(problems.map(({ kind, writer }) => [kind, writer])).toEqual([
      ['removed', 'killed'],
      ['cut', 'killed'],
    ]);
    expect(problems[0]?.message).toMatch(/^entry 8 before /);
  });

  it('a Redis that is full or away loses nothing that fits into the queue, and a chain survives the outage', async () => {
    await using redis = await startRedis();
    const client = await opened(redis);
    const log = createLogger('test', 'silent');
    const trail = createTrail({
      sink: redisSink(client, STREAM, 100_000), key, writer: 'one', about: {}, clock: systemClock, log,
      pace: { batch: 1, retry: 20 },
    }); // biome-ignore format: one list
    const call = () => trail.audit({ event: 'tool.called', outcome: 'ok' });
    call();
    await vi.waitFor(() => expect(trail.counts.ok).toBe(2), PATIENT);
    await tell(redis, 'CONFIG', 'SET', 'maxmemory', '1');
    for (let n = 0; n < 500; n += 1) call();
    await redis.kill();
    await redis.start();
    await vi.waitFor(() => expect(trail.counts.ok).toBe(502), PATIENT);
    await trail.close();
    client.disconnect();
    expect(trail.counts.lost).toBe(0);
    expect(await judged(redis)).toMatchObject({ problems: [], entries: 503, chains: [{ ended: true }] });
  });

  it('the stream is bounded, and what is left of it still verifies', async () => {
    await using redis = await startRedis();
    const client = await opened(redis);
    const trail = createTrail({
      sink: redisSink(client, STREAM, 1_000), key, writer: 'one', about: {}, clock: systemClock,
      log: createLogger('test', 'silent'), pace: { batch: 1 },
    }); // biome-ignore format: one list
    for (let n = 0; n < 5_000; n += 1) trail.audit({ event: 'tool.called', outcome: 'ok' });
    await trail.close();
    expect(await client.xlen(STREAM)).toBeLessThan(1_200);
    client.disconnect();
    const { problems, chains } = await judged(redis);
    expect(problems).toEqual([]);
    expect(chains[0]?.first).toBeGreaterThan(3_500);
  });

  it('the user of a service in deploy/redis may write and read its own stream, and no other', async () => {
    await using redis = await startRedis();
    const users = readFileSync(new URL('../../../deploy/redis/users.sh', import.meta.url), 'utf8');
    const parts = [...users.matchAll(/^rights=['"](?:\$rights )?(.*)['"]$/gm)].map(([, part = '']) => part);
    expect(parts).toHaveLength(2);
    // Redis 7.0 does not know this command yet.
    const rights = parts
      .join(' ')
      .split(' ')
      .filter((right) => right !== '+client|setinfo');
    await tell(redis, 'ACL', 'SETUSER', 'mcp-server', 'on', '>secret', '~mcp:*', '&mcp:*', ...rights);
    const url = redis.url.replace('//', '//mcp-server:secret@');
    const client = await opened({ ...redis, url });
    await redisSink(client, STREAM, 1_000).write(['{}\n']);
    const read = await Array.fromAsync(linesOfStream(client, STREAM));
    expect(read.map(({ text }) => text)).toEqual(['{}']);
    await expect(redisSink(client, 'as:audit', 1_000).write(['{}\n'])).rejects.toThrow(/NOPERM|EXECABORT/);
    client.disconnect();
  });

  it('a Redis Cluster takes the entries too', async () => {
    await using redis = await startRedisCluster();
    const client = await opened(redis);
    const trail = createTrail({
      sink: redisSink(client, STREAM, 1_000), key, writer: 'one', about: {}, clock: systemClock,
      log: createLogger('test', 'silent'), pace: { batch: 1 },
    }); // biome-ignore format: one list
    for (let n = 0; n < 300; n += 1) trail.audit({ event: 'tool.called', outcome: 'ok' });
    await trail.close();
    client.disconnect();
    expect(await judged(redis)).toMatchObject({ problems: [], entries: 302 });
  });
});
