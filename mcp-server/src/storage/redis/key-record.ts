/** Owns the ring of sealing keys that replicas share on Redis: one text under one key, changed by compare-and-set. */

import { readLua } from '@mcp-oauth/shared/redis/lua';
import type { RedisClient } from '@mcp-oauth/shared/redis/ready';
import type { KeyRecord } from '../../keys/sealing-keys.ts';

const KEY = 'mcp:v1:sealing-keys';

/** Seconds. The ring is written every day that it is used; after so long, its keys no longer unseal anything. */
const LIFETIME = 3 * 86_400;

const REPLACE = new URL('./scripts/replace-keys.lua', import.meta.url);

export function redisKeyRecord(client: RedisClient): KeyRecord {
  client.defineCommand('mcpReplaceKeys', { numberOfKeys: 1, lua: readLua(REPLACE) });
  const redis = client as RedisClient & {
    mcpReplaceKeys(key: string, before: string, after: string, lifetime: number): Promise<number>;
  };
  return {
    read: async () => (await redis.get(KEY)) ?? undefined,
    // An empty text means that there is no ring: a ring is never empty.
    replace: async (before = '', after) => (await redis.mcpReplaceKeys(KEY, before, after, LIFETIME)) === 1,
  };
}
