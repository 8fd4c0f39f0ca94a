/** Proves that Redis keeps the contract of the record store: on one server and on a Cluster of three primaries. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis, redisUrl } from '@mcp-oauth/shared/redis';
import { hasRedis, NEEDS_REDIS, startRedis, startRedisCluster, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { createRedisStore } from '../../src/storage/redis.ts';
import { recordStoreContract } from '../contracts/record-store.contract.ts';

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

  recordStoreContract(name, {
    open: () => createRedisStore(openRedis({ target: redisUrl().parse(redis.url), name: 'test', log })),
    pass: (seconds) => onEachNode(redis, (node) => age(node, seconds)),
    clean: () => onEachNode(redis, (node) => node.flushall()),
  });
});

async function onEachNode(redis: TestRedis, run: (node: Redis) => Promise<unknown>): Promise<void> {
  for (const port of redis.ports) {
    const node = new Redis({ host: '127.0.0.1', port });
    await run(node);
    node.disconnect();
  }
}

/** Simulates passing time: shortens every lifetime. */
async function age(node: Redis, seconds: number): Promise<void> {
  for (const key of await node.keys('*')) {
    const left = await node.pttl(key);
    await node.pexpire(key, left - seconds * 1000);
  }
}
