/** Proves that memory, one Redis server and a Redis Cluster remember used proofs as they promise. */
import { setTimeout } from 'node:timers/promises';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis, type RedisClient, redisTarget, whenReady } from '@mcp-oauth/shared/redis';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { hasRedis, NEEDS_REDIS, startRedis, startRedisCluster, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { memoryReplayMemory } from '../../src/storage/memory/replay-memory.ts';
import { redisReplayMemory } from '../../src/storage/redis/replay-memory.ts';
import { replayMemoryContract } from '../contracts/replay-memory.contract.ts';

const log = createLogger('test', 'silent');

replayMemoryContract('memory', async () => {
  const clock = new FakeClock();
  const memory = memoryReplayMemory(clock);
  return { replica: () => memory, pass: async (milliseconds) => clock.advance(milliseconds / 1000) };
});

it('a full replay memory refuses new proofs instead of forgetting, and has room again when old ones expire', async () => {
  const clock = new FakeClock();
  const memory = memoryReplayMemory(clock, 2);
  await memory.firstUse('a', 1_000);
  await memory.firstUse('b', 1_000);
  await expect(memory.firstUse('c', 1_000)).rejects.toThrow('full');
  expect(await memory.firstUse('a', 1_000)).toBe(false);
  clock.advance(1);
  expect(await memory.firstUse('c', 1_000)).toBe(true);
});

describe.each([
  ['one Redis server', startRedis],
  ['a Redis Cluster', startRedisCluster],
])('%s', (name, start) => {
  let redis: TestRedis;
  const clients: RedisClient[] = [];
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
    await redis?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));

  replayMemoryContract(name, async () => {
    const pair = [await open(), await open()];
    for (const id of ['a', 'b', 'short', 'long']) await pair[0]?.unlink(`mcp:v1:dpop:${id}`);
    let next = 0;
    return {
      replica: () => redisReplayMemory(pair[next++ % 2] as RedisClient),
      // Redis has a clock of its own.
      pass: (milliseconds) => setTimeout(milliseconds + 50),
    };
  });

  it('the replay memory fails while Redis is away, so that no reuse passes as a first use', async () => {
    const client = await open();
    client.disconnect();
    await expect(redisReplayMemory(client).firstUse('a', 1_000)).rejects.toThrow();
  });
});
