/** Owns what tests do to every node of a Redis: to pass time, and to remove all records. */
import type { TestRedis } from '@mcp-oauth/shared/testing/redis';
import { Redis } from 'ioredis';

export async function onEachNode(redis: TestRedis, run: (node: Redis) => Promise<unknown>): Promise<void> {
  for (const port of redis.ports) {
    const node = new Redis({ host: '127.0.0.1', port });
    await run(node);
    node.disconnect();
  }
}

/** Simulates passing time: shortens every lifetime. */
export async function age(node: Redis, seconds: number): Promise<void> {
  for (const key of await node.keys('*')) {
    const left = await node.pttl(key);
    await node.pexpire(key, left - seconds * 1000);
  }
}
