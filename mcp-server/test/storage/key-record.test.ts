/** Proves that memory, one Redis server and a Redis Cluster keep the contract of the key record. */
import type { RedisClient } from '@mcp-oauth/shared/redis/ready';
import { expect, it } from 'vitest';
import { memoryKeyRecord } from '../../src/storage/memory/key-record.ts';
import { redisKeyRecord } from '../../src/storage/redis/key-record.ts';
import { keyRecordContract } from '../contracts/key-record.contract.ts';
import { eachRedis } from '../support/each-redis.ts';

keyRecordContract('memory', async () => {
  const record = memoryKeyRecord();
  return () => record;
});

eachRedis((name, open) => {
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
