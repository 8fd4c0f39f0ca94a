/** Proves that memory, one Redis server and a Redis Cluster keep the contract of the replay memory. */
import { setTimeout } from 'node:timers/promises';
import type { RedisClient } from '@mcp-oauth/shared/redis/ready';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { expect, it } from 'vitest';
import { memoryReplayMemory } from '../../src/storage/memory/replay-memory.ts';
import { redisReplayMemory } from '../../src/storage/redis/replay-memory.ts';
import { replayMemoryContract } from '../contracts/replay-memory.contract.ts';
import { eachRedis } from '../support/each-redis.ts';

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

eachRedis((name, open) => {
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
