/**
 * Owns the limits on what anybody may do unasked (RFC 7591 §5, RFC 9700 §4.16): so many times in so many seconds for a key. On
 * Redis they hold across replicas; while Redis is away each process counts for itself, as a limit must never be an outage.
 */
import type { RedisClient } from '@mcp-oauth/shared/redis';
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

export interface RateLimit {
  /**
   * Counts `cost` more for `key`, or all that the limit allows where that is less: one alone is never impossible.
   * @returns seconds to wait; 0 when it is within the limit
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
