/** Owns the proof that sessions on Redis keep the promises of the port: on one server, and on a Cluster of three. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis, redisTarget, whenReady } from '@mcp-oauth/shared/redis';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { hasRedis, NEEDS_REDIS, startRedis, startRedisCluster, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { describe, expect, it } from 'vitest';
import { createRedisStorage } from '../../src/storage/redis/storage.ts';
import {
  LIMITS,
  LOG_LIMITS,
  type StorageUnderTest,
  sessionStorageContract,
} from '../contracts/session-storage.contract.ts';

const log = createLogger('test', 'fatal');

async function open(start: () => Promise<TestRedis>): Promise<StorageUnderTest> {
  const redis = await start();
  const target = redisTarget().parse(redis.url);
  // Redis counts the time of records by its own clock.
  const clock = new FakeClock(Date.now());
  const connect = () => openRedis({ target, name: 'test', log });
  const clients = [connect(), connect(), connect(), connect()] as const;
  const replica = (client: number, listener: number) =>
    createRedisStorage({
      client: clients[client] ?? connect(),
      listener: clients[listener] ?? connect(),
      limits: LIMITS,
      logLimits: LOG_LIMITS,
      clock,
      log,
    });
  const [here, there] = [await replica(0, 1), await replica(2, 3)];
  const close = async () => {
    await Promise.all([here.bus.close(), there.bus.close()]);
    for (const client of clients) client.disconnect();
    await redis[Symbol.asyncDispose]();
  };
  return { clock, here, there, [Symbol.asyncDispose]: close };
}

describe.skipIf(!hasRedis)(hasRedis ? 'Redis' : NEEDS_REDIS, () => {
  sessionStorageContract('session storage on one server', () => open(() => startRedis()));
  sessionStorageContract('session storage on a Cluster', () => open(startRedisCluster));

  it('a replica does not count as listening just because Redis still counts its connection', async () => {
    const redis = await startRedis();
    const connect = () => openRedis({ target: redisTarget().parse(redis.url), name: 'test', log });
    const clients = [connect(), connect(), connect()] as const;
    const [client, listener, frozen] = clients;
    const clock = new FakeClock(Date.now());
    const { bus } = await createRedisStorage({ client, listener, limits: LIMITS, logLimits: LOG_LIMITS, clock, log });
    await whenReady(frozen);
    await frozen.subscribe('mcp:v1:replica:frozen');
    expect(await client.pubsub('NUMSUB', 'mcp:v1:replica:frozen')).toEqual(['mcp:v1:replica:frozen', 1]);
    expect(await bus.isListening('frozen')).toBe(false);
    expect(await bus.isListening(bus.replica)).toBe(true);
    await bus.close();
    for (const each of clients) each.disconnect();
    await redis[Symbol.asyncDispose]();
  });
});
