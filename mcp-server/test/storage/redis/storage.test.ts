/** Proves that sessions on Redis keep the contract of session storage: on one server, and on a Cluster of three. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { hasRedis, NEEDS_REDIS, startRedis, startRedisCluster, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { describe, expect, it } from 'vitest';
import { StorageFault, StorageUnavailable } from '../../../src/sessions/ports.ts';
import { createRedisStorage } from '../../../src/storage/redis/storage.ts';
import {
  LIMITS,
  LOG_LIMITS,
  type StorageUnderTest,
  sessionStorageContract,
} from '../../contracts/session-storage.contract.ts';

const log = createLogger('test', 'fatal');

async function open(start: () => Promise<TestRedis>): Promise<StorageUnderTest> {
  const redis = await start();
  const target = redisUrl().parse(redis.url);
  // Redis uses its own clock for the lifetime of records.
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
    const connect = () => openRedis({ target: redisUrl().parse(redis.url), name: 'test', log });
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

  it('an outage is StorageUnavailable, whichever way the connection fails', async () => {
    const redis = await startRedis();
    const connect = () => openRedis({ target: redisUrl().parse(redis.url), name: 'test', log });
    const [client, listener] = [connect(), connect()];
    const clock = new FakeClock(Date.now());
    const storage = await createRedisStorage({ client, listener, limits: LIMITS, logLimits: LOG_LIMITS, clock, log });
    const { store } = storage;
    const all = async () => Array.fromAsync(store.list());
    redis.signal('SIGSTOP');
    await expect(store.get('a'), 'no answer').rejects.toThrow(StorageUnavailable);
    await redis.kill();
    await expect(store.get('a'), 'no connection').rejects.toThrow(StorageUnavailable);
    await expect(all(), 'no connection, for a list').rejects.toThrow(StorageUnavailable);
    for (const each of [client, listener]) each.disconnect();
    await expect(store.get('a'), 'closed').rejects.toThrow(StorageUnavailable);
    await storage.bus.close();
    await redis[Symbol.asyncDispose]();
  });

  it('a bug in an adapter and a wrong command are logged as errors, and are a StorageFault', async () => {
    const redis = await startRedis();
    const connect = () => openRedis({ target: redisUrl().parse(redis.url), name: 'test', log });
    const [client, listener] = [connect(), connect()];
    const lines: string[] = [];
    const { store, bus } = await createRedisStorage({
      client,
      listener,
      limits: LIMITS,
      logLimits: LOG_LIMITS,
      clock: new FakeClock(Date.now()),
      log: createLogger('test', 'error', { write: (line: string) => void lines.push(line) }),
    });
    await expect(store.create(undefined as never)).rejects.toThrow(StorageFault);
    await client.hset('mcp:v1:{broken}', { owner: '{', transport: 'streamable-http' });
    await expect(store.get('broken')).rejects.toThrow(StorageFault);
    const faults = lines.splice(0).map((line) => JSON.parse(line));
    expect(faults.map(({ msg, err }) => [msg, err.type])).toEqual([
      ['storage adapter failed', 'TypeError'],
      ['storage adapter failed', 'SyntaxError'],
    ]);
    await client.set('mcp:v1:{a-session-id}', 'no hash');
    await expect(store.get('a-session-id')).rejects.toThrow(StorageFault);
    expect(lines).toEqual([expect.stringMatching(/WRONGTYPE.*redis refused a command of this server as wrong/)]);
    // CWE-532: the arguments of a command are session ids, events and secrets.
    expect(JSON.parse(lines[0] ?? '').err.command).toBe('hgetall');
    expect(lines[0]).not.toContain('a-session-id');
    await bus.close();
    for (const each of [client, listener]) each.disconnect();
    await redis[Symbol.asyncDispose]();
  });
});
