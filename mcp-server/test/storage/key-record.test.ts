/** Proves that memory, one Redis server and a Redis Cluster keep the promises of the key record. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis, type RedisClient, redisTarget, whenReady } from '@mcp-oauth/shared/redis';
import { hasRedis, NEEDS_REDIS, startRedis, startRedisCluster, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { memoryKeyRecord } from '../../src/storage/memory/key-record.ts';
import { redisKeyRecord } from '../../src/storage/redis/key-record.ts';
import { keyRecordContract } from '../contracts/key-record.contract.ts';

const log = createLogger('test', 'silent');

keyRecordContract('memory', async () => {
  const record = memoryKeyRecord();
  return () => record;
});

describe.each([
  ['one Redis server', startRedis],
  ['a Redis Cluster', startRedisCluster],
])('%s', (name, start) => {
  let redis: TestRedis;
  let clients: RedisClient[] = [];
  const open = async () => {
    const client = openRedis({ target: redisTarget().parse(redis.url), name: 'test', log });
    clients.push(client);
    await whenReady(client);
    return client;
  };
  beforeAll(async () => {
    if (hasRedis) redis = await start();
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    clients = [];
    await redis?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));

  keyRecordContract(name, async () => {
    const pair = [await open(), await open()];
    await pair[0]?.unlink('mcp:v1:sealing-keys');
    let next = 0;
    return () => redisKeyRecord(pair[next++ % 2] as RedisClient);
  });

  it('an unused key record expires after three days', async () => {
    const client = await open();
    const record = redisKeyRecord(client);
    await record.replace(await record.read(), 'ring');
    expect(await client.ttl('mcp:v1:sealing-keys')).toBeGreaterThan(2 * 86_400);
  });
});
