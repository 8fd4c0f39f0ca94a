/** Owns the numbers of changes on Redis, the same for all replicas: each change once, with the number it had last. */
import type { ChangeLog } from '../../sessions/ports.ts';
import { PREFIX, type SessionRedis } from './scripts.ts';

/** The braces are for a Cluster; no session can be called so that its key is this one. */
const CHANGES = `${PREFIX}changes:{all}`;
const VERSION = `${CHANGES}:version`;

/** More would be a server whose resources change without end; who was away reads the newest. */
const MOST = 10_000;

export const createRedisChangeLog = (redis: SessionRedis): ChangeLog => ({
  record: (change) => redis.mcpRecordChange(CHANGES, VERSION, change, MOST),
  since: async (seen) => {
    // First the number: a change that comes in between is told again, and not left out.
    const version = Number((await redis.get(VERSION)) ?? 0);
    if (version <= seen) return { version, changes: [] };
    const found = await redis.zrangebyscore(CHANGES, `(${seen}`, String(version), 'WITHSCORES');
    const changes = found.flatMap((change, index) =>
      index % 2 === 0 ? [{ change, version: Number(found[index + 1]) }] : [],
    );
    return { version, changes };
  },
});
