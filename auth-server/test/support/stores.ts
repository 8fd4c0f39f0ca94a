/**
 * Owns the two kinds of record store for tests of behaviour on both: SQLite in memory, and a Redis server of its own.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createRedisStore } from '../../src/storage/redis.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';

export const STORES = ['SQLite', 'Redis'] as const;

/**
 * For the top of a `describe.each(STORES)`: its tests are skipped where there is no Redis.
 * @returns opens a store; the caller closes it
 */
export function storesOf(kind: (typeof STORES)[number]): (clock: Clock) => Promise<RecordStore> {
  if (kind === 'SQLite') return async (clock) => createSqliteStore(':memory:', clock);
  let redis: TestRedis | undefined;
  beforeAll(async () => {
    if (hasRedis) redis = await startRedis();
  });
  afterAll(() => redis?.[Symbol.asyncDispose]());
  beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));
  return async () => {
    const target = redisUrl().parse(redis?.url);
    return createRedisStore(openRedis({ target, name: 'test', log: createLogger('test', 'silent') }));
  };
}
