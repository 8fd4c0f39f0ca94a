/** Owns the settings with which every service connects to its Redis: a URL that may stand in a compose file, and a password that may not. */

import { isInternal } from '../network/internal-host.ts';
import { type RedisTarget, redisUrl } from '../redis/target.ts';
import { optional, type Problem, setting, type Values } from '../settings/config.ts';
import { durationOrOff, text } from '../settings/types.ts';

export const redisSettings = {
  redisTarget: optional({
    env: 'REDIS_URL',
    doc: 'URL of Redis, for any number of processes. Redis then stores what auth-server keeps in DATA_DIR and mcp-server in memory. Forms: redis://host:port, redis-sentinel://host:port,…/master or redis-cluster://host:port,… (rediss… with TLS), with user@ if Redis has users. In production a Redis outside the network needs TLS.',
    type: redisUrl(),
    secret: true,
    example: 'redis://auth-server@redis:6379',
  }),
  redisPassword: optional({
    env: 'REDIS_PASSWORD',
    doc: 'Password for REDIS_URL, of the user in it or of the default user. With Sentinel it is the password of the data nodes.',
    type: text(),
    secret: true,
  }),
  redisCaFile: optional({
    env: 'REDIS_CA_FILE',
    doc: 'File with the certificate authority of a Redis with TLS. Not set: the certificate authorities of the system.',
    type: text(),
    example: '/run/secrets/redis-ca.pem',
  }),
  redisStartTimeout: setting({
    env: 'REDIS_START_TIMEOUT',
    doc: 'How long a start waits for a Redis that does not answer or accepts no writes, before it ends with the reason; a day at most. `off`: without limit, for deployments that start everything at once and watch readiness, such as compose and the Kubernetes manifests.',
    // A timer of Node.js ends at once if it is longer than 24 days.
    type: durationOrOff(1, 86_400),
    default: '20s',
  }),
};

type RedisSettings = Partial<Values<typeof redisSettings>> & { readonly environment?: string | undefined };

export function judgeRedis({ redisTarget, redisPassword, environment }: RedisSettings): readonly Problem[] {
  const problems: Problem[] = [];
  if (redisTarget?.password !== undefined && redisPassword !== undefined) {
    problems.push({ env: 'REDIS_PASSWORD', message: 'is set although REDIS_URL has a password' });
  }
  const outside = environment === 'production' && !redisTarget?.tls ? redisTarget?.nodes.find(isOutside) : undefined;
  if (outside) {
    const message = `must use TLS (rediss…) unless it is inside the network (got the host ${JSON.stringify(outside.host)})`;
    problems.push({ env: 'REDIS_URL', message });
  }
  return problems;
}

/** Without TLS anybody on the path could read the password and all stored data. */
const isOutside = ({ host }: { readonly host: string }): boolean =>
  !isInternal(`http://${host.includes(':') ? `[${host}]` : host}`);

/** Address, user and password of Redis. */
export const redisTargetOf = ({ redisTarget, redisPassword }: RedisSettings): RedisTarget | undefined =>
  redisTarget && redisPassword !== undefined ? { ...redisTarget, password: redisPassword } : redisTarget;

/** Milliseconds that a start waits for Redis; `undefined`: without limit. */
export const redisPatienceOf = ({ redisStartTimeout = 0 }: RedisSettings): number | undefined =>
  redisStartTimeout > 0 ? redisStartTimeout * 1000 : undefined;
