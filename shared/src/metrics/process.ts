/** Owns the metrics that every service has: which build runs, and whether it reaches its Redis. */

import type { RedisHealth } from '../redis/health.ts';
import type { RedisClient } from '../redis/ready.ts';
import type { Declaration, Metric } from './declaration.ts';
import { constant, Gauge } from './metric.ts';

export const buildInfo: Declaration = {
  name: 'build_info',
  type: 'gauge',
  help: 'Always 1; the labels identify the running build.',
  labels: { version: 'version of the service', node: 'version of Node' },
};

export const redisUp: Declaration = {
  name: 'redis_up',
  type: 'gauge',
  help: '1 if Redis answered during this scrape, else 0. Absent without Redis.',
};

export const redisTakesWrites: Declaration = {
  name: 'redis_takes_writes',
  type: 'gauge',
  help: '1 if Redis accepted the last write, else 0: it is unreachable, a replica, full, or has too few replicas. Absent without Redis.',
};

export interface ReachedRedis {
  readonly redis: RedisClient | undefined;
  readonly health: RedisHealth | undefined;
}

export const commonMetrics = (version: string, { redis, health }: ReachedRedis): readonly Metric[] => [
  constant(buildInfo, { version, node: process.versions.node }),
  ...(redis ? [new Gauge(redisUp, () => answers(redis))] : []),
  ...(health ? [new Gauge(redisTakesWrites, async () => Number(health.takesWrites))] : []),
];

/** Commands have a time limit of their own. */
const answers = (redis: RedisClient): Promise<number> =>
  redis.ping().then(
    () => 1,
    () => 0,
  );
