/**
 * Owns a trail in a Redis stream, which all replicas of a service share. A batch is one transaction: after a lost connection it may be
 * there twice, but never in part.
 */
import type { RedisClient } from '../../redis/ready.ts';
import type { Sink } from '../sink.ts';

/** The field of a stream entry. */
export const FIELD = 'entry';

/** @param most entries that stay, roughly: Redis removes the oldest by whole nodes */
export const redisSink = (redis: RedisClient, stream: string, most: number): Sink => ({
  write: async (lines) => {
    const batch = redis.multi();
    for (const line of lines) batch.xadd(stream, 'MAXLEN', '~', most, '*', FIELD, line.trimEnd());
    const results = await batch.exec();
    if (!results) throw new Error('the transaction was not executed');
    for (const [error] of results) if (error) throw error;
  },
  // The connection belongs to the storage.
  close: async () => {},
});
