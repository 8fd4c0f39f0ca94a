/**
 * Owns the scripts that Redis runs for sessions. Each touches the keys of one session, or one key, so that it holds on a
 * Cluster; each can run twice without harm, as an answer may get lost.
 */
import type { RedisClient } from '@mcp-oauth/shared/redis';
import { EVENT_KEYS, EVENT_SCRIPTS, type EventScripts } from './event-scripts.ts';

/** Grows when records change their shape; records of another version are never read. */
export const PREFIX = 'mcp:v1:';

/** The braces keep everything of one session on one node of a Cluster. */
export const sessionKey = (session: string): string => `${PREFIX}{${session}}`;

/** Fields of a session that are no subscription. */
const SESSION_FIELDS = 10;

const SCRIPTS = {
  ...EVENT_SCRIPTS,
  /** KEYS index; ARGV now, oldest that lives, most, id, milliseconds to live. → evicted id, '' or nil when full. */
  mcpEnter: `redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2])
    local evicted = ''
    if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
      local idlest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
      if ARGV[6] == '0' or tonumber(idlest[2]) > tonumber(ARGV[1]) then return nil end
      evicted = idlest[1]
      redis.call('ZREM', KEYS[1], evicted)
    end
    redis.call('ZADD', KEYS[1], ARGV[1], ARGV[4])
    redis.call('PEXPIRE', KEYS[1], ARGV[5])
    return evicted`,
  /** KEYS session; ARGV used until, token expires at, idle, lifetime. → 1, or 0 when it has ended. */
  mcpUse: `local record = redis.call('HMGET', KEYS[1], 'used', 'token', 'created')
    if not record[1] then return 0 end
    local used = math.max(tonumber(record[1]), tonumber(ARGV[1]))
    redis.call('HSET', KEYS[1], 'used', string.format('%.0f', used),
      'token', string.format('%.0f', math.max(tonumber(record[2]), tonumber(ARGV[2]))))
    local ends = math.min(used + tonumber(ARGV[3]), tonumber(record[3]) + tonumber(ARGV[4]))
    redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', ends))
    return redis.call('EXISTS', KEYS[1])`,
  /** KEYS session; ARGV most subscriptions, then fields and values. → 1, or 0 when it has ended or is full. */
  mcpAlter: `if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
    for i = 2, #ARGV, 2 do
      if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[i])
      elseif string.sub(ARGV[i], 1, 4) == 'sub:' and redis.call('HEXISTS', KEYS[1], ARGV[i]) == 0
        and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[1]) + ${SESSION_FIELDS} then return 0
      else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
    end
    return 1`,
  /** KEYS changes, version; ARGV change, most. → version. */
  mcpChange: `local version = redis.call('INCR', KEYS[2])
    redis.call('ZADD', KEYS[1], version, ARGV[1])
    redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[2]))
    return version`,
} as const;

const KEYS: Readonly<Record<keyof typeof SCRIPTS, number>> = {
  ...EVENT_KEYS,
  mcpEnter: 1,
  mcpUse: 1,
  mcpAlter: 1,
  mcpChange: 2,
};

type Values = readonly (string | number)[];

/** What `defineCommand` adds to a client: keys, then arguments. */
interface SessionScripts extends EventScripts {
  mcpEnter(...args: Values): Promise<string | null>;
  mcpUse(...args: Values): Promise<number>;
  mcpAlter(...args: Values): Promise<number>;
  mcpChange(...args: Values): Promise<number>;
}

export type SessionRedis = RedisClient & SessionScripts;

export function withScripts(client: RedisClient): SessionRedis {
  for (const [name, lua] of Object.entries(SCRIPTS)) {
    client.defineCommand(name, { numberOfKeys: KEYS[name as keyof typeof SCRIPTS], lua });
  }
  return client as SessionRedis;
}
