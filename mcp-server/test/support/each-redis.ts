/** Owns the deployments of Redis on which an adapter is tested: one server, and a Cluster. Each is started once for its tests. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { type RedisClient, whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis, startRedisCluster, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';

/** @param tests get the name of the deployment, and a function that opens a client of it */
export function eachRedis(tests: (name: string, open: () => Promise<RedisClient>) => void): void {
  describe.each([
    ['one Redis server', startRedis],
    ['a Redis Cluster', startRedisCluster],
  ])('%s', (name, start) => {
    let redis: TestRedis;
    const clients: RedisClient[] = [];
    beforeAll(async () => {
      if (hasRedis) redis = await start();
    });
    afterAll(async () => {
      for (const client of clients) client.disconnect();
      await redis?.[Symbol.asyncDispose]();
    });
    beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));

    tests(name, async () => {
      const log = createLogger('test', 'silent');
      const client = openRedis({ target: redisUrl().parse(redis.url), name: 'test', log });
      clients.push(client);
      await whenReady(client);
      return client;
    });
  });
}
