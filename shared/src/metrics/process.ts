/** Owns the metrics that say the same of every service: which build runs, and whether it reaches its Redis. */
import type { RedisClient } from '../redis.ts';
import type { Declaration, Metric } from './declaration.ts';
import { constant, Gauge } from './metric.ts';

export const buildInfo: Declaration = {
  name: 'build_info',
  type: 'gauge',
  help: 'Always 1; the labels say what runs.',
  labels: { version: 'version of the service', node: 'version of Node' },
};

export const redisUp: Declaration = {
  name: 'redis_up',
  type: 'gauge',
  help: '1 when Redis answered this scrape, else 0; absent without Redis.',
};

export const commonMetrics = (version: string, redis: RedisClient | undefined): readonly Metric[] => [
  constant(buildInfo, { version, node: process.versions.node }),
  ...(redis ? [new Gauge(redisUp, () => answers(redis))] : []),
];

/** Commands have a time limit of their own. */
const answers = (redis: RedisClient): Promise<number> =>
  redis.ping().then(
    () => 1,
    () => 0,
  );
