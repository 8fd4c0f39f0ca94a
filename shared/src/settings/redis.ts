/** Owns the settings with which every service finds its Redis: a URL that is fit for a compose file, and a password that is not. */

import { isInternal } from '../network/internal-host.ts';
import { type RedisTarget, redisTarget } from '../redis.ts';
import { optional, type Problem, setting, type Values } from './config.ts';
import { durationOrOff, text } from './types.ts';

export const redisSettings = {
  redisUrl: optional({
    env: 'REDIS_URL',
    doc: 'Redis, for any number of processes: what auth-server has in DATA_DIR and mcp-server in memory is there instead. redis://host:port, redis-sentinel://host:port,…/master or redis-cluster://host:port,… (rediss… with TLS), with user@ where Redis asks who comes. In production without TLS only inside the network.',
    type: redisTarget(),
    secret: true,
    example: 'redis://auth-server@redis:6379',
  }),
  redisPassword: optional({
    env: 'REDIS_PASSWORD',
    doc: 'Password for REDIS_URL, of the user that is named there or of the default one. With Sentinel it is that of the data nodes.',
    type: text(),
    secret: true,
  }),
  redisCaFile: optional({
    env: 'REDIS_CA_FILE',
    doc: 'File with the certificate authority of a Redis with TLS. Not set: the system’s.',
    type: text(),
    example: '/run/secrets/redis-ca.pem',
  }),
  redisStartTimeout: setting({
    env: 'REDIS_START_TIMEOUT',
    doc: 'How long a start waits for a Redis that does not answer or takes no writes, before it ends with the reason. `off`: as long as it takes, which suits whoever starts everything at once and watches readiness, as compose and the Kubernetes manifests do.',
    type: durationOrOff(),
    default: '20s',
  }),
};

type RedisSettings = Partial<Values<typeof redisSettings>> & { readonly environment?: string | undefined };

export function judgeRedis({ redisUrl, redisPassword, environment }: RedisSettings): readonly Problem[] {
  const problems: Problem[] = [];
  if (redisUrl?.password !== undefined && redisPassword !== undefined) {
    problems.push({ env: 'REDIS_PASSWORD', message: 'is set although REDIS_URL has a password' });
  }
  const outside = environment === 'production' && !redisUrl?.tls ? redisUrl?.nodes.find(isOutside) : undefined;
  if (outside) {
    const message = `must use TLS (rediss…) unless it is inside the network (got the host ${JSON.stringify(outside.host)})`;
    problems.push({ env: 'REDIS_URL', message });
  }
  return problems;
}

/** The password and all that is stored would be anybody's to read on the way. */
const isOutside = ({ host }: { readonly host: string }): boolean =>
  !isInternal(`http://${host.includes(':') ? `[${host}]` : host}`);

/** Where to connect, and as whom. */
export const redisTargetOf = ({ redisUrl, redisPassword }: RedisSettings): RedisTarget | undefined =>
  redisUrl && redisPassword !== undefined ? { ...redisUrl, password: redisPassword } : redisUrl;

/** Milliseconds that a start waits for Redis; `undefined`: as long as it takes. */
export const redisPatienceOf = ({ redisStartTimeout = 0 }: RedisSettings): number | undefined =>
  redisStartTimeout > 0 ? redisStartTimeout * 1000 : undefined;
