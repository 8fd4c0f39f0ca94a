/** Proves that Redis keeps the contract of the directory of grants: on one server and on a Cluster of three primaries. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis, startRedisCluster, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRedisDirectory } from '../../../src/storage/directory/redis.ts';
import { grantDirectoryContract } from '../../contracts/grant-directory.contract.ts';

const log = createLogger('test', 'silent');

describe.each([
  ['one Redis server', startRedis],
  ['a Redis Cluster', startRedisCluster],
])('%s', (name, start) => {
  let redis: TestRedis;
  beforeAll(async () => {
    if (hasRedis) redis = await start();
  });
  afterAll(() => redis?.[Symbol.asyncDispose]());
  beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));

  grantDirectoryContract(name, {
    open: async (clock) => {
      const client = openRedis({ target: redisUrl().parse(redis.url), name: 'test', log });
      await whenReady(client);
      return { ...createRedisDirectory(client, clock), close: async () => client.disconnect() };
    },
    clean: async () => {
      for (const port of redis.ports) {
        const node = new Redis({ host: '127.0.0.1', port });
        await node.flushall();
        node.disconnect();
      }
    },
  });

  it('every key of the directory has an expiry', async () => {
    const client = openRedis({ target: redisUrl().parse(redis.url), name: 'test', log });
    await whenReady(client);
    const now = Math.floor(Date.now() / 1000);
    const directory = createRedisDirectory(client, { now: Date.now });
    await directory.put({
      id: 'a',
      accountId: 'ada',
      clientId: 'desk',
      resources: [],
      scopes: [],
      via: 'browser',
      createdAt: now,
      lastUsedAt: now,
      expiresAt: now + 100,
    });
    const keys: string[] = [];
    for (const port of redis.ports) {
      const node = new Redis({ host: '127.0.0.1', port });
      for (const key of await node.keys('*')) {
        keys.push(key);
        expect(await node.ttl(key), key).toBeGreaterThan(90);
        expect(await node.ttl(key), key).toBeLessThan(170);
      }
      node.disconnect();
    }
    expect(keys).toHaveLength(6);
    client.disconnect();
  });
});
