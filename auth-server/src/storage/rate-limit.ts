/**
 * Owns the rate limits for unauthenticated requests (RFC 7591 §5, RFC 9700 §4.16): a number of points per period for a key. With
 * Redis they apply to all replicas together. While Redis is unavailable each process counts by itself, so that a limit never causes
 * an outage.
 */
import type { RedisClient } from '@mcp-oauth/shared/redis/ready';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

export interface RateLimit {
  /**
   * Counts `cost` for `key`, but at most the whole limit, so that a single request is always possible.
   * @returns seconds to wait; 0 if it is within the limit
   */
  take(key: string, cost?: number): Promise<number>;
}

interface RateLimitOptions {
  /** Names the counters in the store. */
  readonly name: string;
  readonly points: number;
  readonly seconds: number;
}

export type CreateRateLimit = (options: RateLimitOptions) => RateLimit;

const PREFIX = 'as:v1:limit';

/** @param client absent: one process, which counts in memory */
export function rateLimitsOn(client: RedisClient | undefined): CreateRateLimit {
  return ({ name, points, seconds }) => {
    const memory = new RateLimiterMemory({ points, duration: seconds });
    const limiter = client
      ? new RateLimiterRedis({
          storeClient: client,
          keyPrefix: `${PREFIX}:${name}`,
          points,
          duration: seconds,
          insuranceLimiter: memory,
        })
      : memory;
    return { take: (key, cost = 1) => take(limiter, key, Math.min(cost, points)) };
  };
}

async function take(limiter: RateLimiterAbstract, key: string, cost: number): Promise<number> {
  try {
    await limiter.consume(key, cost);
    return 0;
  } catch (refused) {
    if (refused instanceof RateLimiterRes) return Math.ceil(refused.msBeforeNext / 1000);
    throw refused;
  }
}
