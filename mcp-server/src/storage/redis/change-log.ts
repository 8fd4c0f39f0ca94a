/** Owns the numbers of changes on Redis, shared by all replicas: each change with its latest number. */
import type { ChangeLog } from '../../sessions/ports.ts';
import { PREFIX, type SessionRedis } from './scripts.ts';

/** The braces are for a Cluster; no session can have a name that leads to this key. */
const CHANGES = `${PREFIX}changes:{all}`;
const VERSION = `${CHANGES}:version`;

/** Maximum number of changes that are kept. A client that has missed more gets the most recent ones. */
const MOST = 10_000;

export const createRedisChangeLog = (redis: SessionRedis): ChangeLog => ({
  record: (change) => redis.mcpRecordChange(CHANGES, VERSION, change, MOST),
  since: async (seen) => {
    // Reads the number first: a change that comes in between is delivered twice instead of never.
    const version = Number((await redis.get(VERSION)) ?? 0);
    if (version <= seen) return { version, changes: [] };
    const found = await redis.zrangebyscore(CHANGES, `(${seen}`, String(version), 'WITHSCORES');
    const changes = found.flatMap((change, index) =>
      index % 2 === 0 ? [{ change, version: Number(found[index + 1]) }] : [],
    );
    return { version, changes };
  },
});
