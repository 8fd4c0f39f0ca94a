/**
 * Proves that a rate limit holds for all replicas together, and that it still admits requests while Redis is
 * unavailable.
 */
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { type RedisClient, whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RateLimit, rateLimitsOn } from '../../src/storage/rate-limit.ts';

const OPTIONS = { name: 'test', points: 3, seconds: 3_600 };

/** The number of admitted requests among so many concurrent ones. */
async function within(limits: readonly RateLimit[], attempts: number, key = 'somebody'): Promise<number> {
  const takes = Array.from({ length: attempts }, (_, n) => limits[n % limits.length]?.take(key));
  return (await Promise.all(takes)).filter((wait) => wait === 0).length;
}

it('RFC 6585 §4 a rate limit says how long to wait, and counts each caller separately', async () => {
  const limit = rateLimitsOn(undefined)(OPTIONS);
  expect(await within([limit], 5)).toBe(3);
  expect(await limit.take('somebody')).toBeGreaterThan(3_590);
  expect(await limit.take('somebody else')).toBe(0);
});

describe('rate limits on Redis', () => {
  let redis: TestRedis;
  let clients: RedisClient[];
  let replicas: RateLimit[];
  beforeEach(async (context) => {
    context.skip(!hasRedis, NEEDS_REDIS);
    redis = await startRedis();
    const log = createLogger('test', 'silent');
    clients = [1, 2].map(() => openRedis({ target: redisUrl().parse(redis.url), name: 'test', log }));
    await Promise.all(clients.map((client) => whenReady(client)));
    replicas = clients.map((client) => rateLimitsOn(client)(OPTIONS));
  });
  afterEach(async () => {
    for (const client of clients ?? []) client.disconnect();
    await redis?.[Symbol.asyncDispose]();
  });

  it('two replicas together allow what one allows, also for concurrent requests', async () => {
    expect(await within(replicas, 20)).toBe(3);
  });

  it('every counter expires', async () => {
    await within(replicas, 1);
    expect(await clients[0]?.ttl('as:v1:limit:test:somebody')).toBeGreaterThan(3_590);
  });

  it('each replica counts by itself while Redis is away, so that the limit still holds and nobody is locked out', async () => {
    await redis.kill();
    for (const replica of replicas) expect(await within([replica], 10)).toBe(3);
    await redis.start();
    await Promise.all(clients.map((client) => whenReady(client)));
    expect(await within(replicas, 10)).toBe(3);
  });
});
