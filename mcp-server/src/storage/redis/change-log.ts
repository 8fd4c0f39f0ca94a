/** Owns the numbers of changes on Redis, the same for all replicas: each change once, with the number it had last. */
import type { ChangeLog } from '../../sessions/ports.ts';
import { PREFIX, type SessionRedis } from './scripts.ts';

const CHANGES = `${PREFIX}{changes}`;
const VERSION = `${CHANGES}:version`;

/** More would be a server whose resources change without end; who was away reads the newest. */
const MOST = 10_000;

export const createRedisChangeLog = (redis: SessionRedis): ChangeLog => ({
  record: (change) => redis.mcpChange(CHANGES, VERSION, change, MOST),
  since: async (seen) => {
    const [version, changes] = await Promise.all([
      redis.get(VERSION),
      redis.zrangebyscore(CHANGES, `(${seen}`, '+inf'),
    ]);
    return { version: Number(version ?? 0), changes };
  },
});
