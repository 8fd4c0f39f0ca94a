/** Proves that Redis keeps the contract of the record store: on one server and on a Cluster of three primaries. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis, startRedisCluster, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { createRedisStore } from '../../src/storage/redis.ts';
import { recordStoreContract } from '../contracts/record-store.contract.ts';
import { age, onEachNode } from '../support/redis-nodes.ts';

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
