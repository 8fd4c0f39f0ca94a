/**
 * Owns the scripts that Redis runs for sessions. Each touches the keys of one session, or one key, so that it holds on a
 * Cluster; each can run twice without harm, as an answer may get lost.
 */
import type { RedisClient } from '@mcp-oauth/shared/redis';

/** Grows when records change their shape; records of another version are never read. */
export const PREFIX = 'mcp:v1:';

/** The braces keep everything of one session on one node of a Cluster. */
export const sessionKey = (session: string): string => `${PREFIX}{${session}}`;

/** Fields of a session that are no subscription. */
const SESSION_FIELDS = 10;

/**
 * Of a stream that is over and that nobody reads: it lives for a while, and of its kind only so many do. KEYS session, events,
 * state, over; expects `stream`, `keep` in milliseconds and `most`. The keys of those that go are of the same session, and so on
 * the same node of a Cluster.
 */
const RETIRE = `redis.call('LREM', KEYS[4], 0, stream)
      redis.call('RPUSH', KEYS[4], stream)
      for i = 2, 4 do redis.call('PEXPIRE', KEYS[i], keep) end
      while redis.call('LLEN', KEYS[4]) > tonumber(most) do
        local oldest = redis.call('LPOP', KEYS[4])
        redis.call('UNLINK', KEYS[1] .. ':events:' .. oldest, KEYS[1] .. ':stream:' .. oldest)
      end`;

const SCRIPTS = {
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
  /**
   * KEYS session, events, state, over; ARGV data, producer, sequence, last, requests, changes, most events, most bytes,
   * milliseconds to live, stream, most that are over. → the reader or '', nil when the session or the stream is over.
   */
  mcpAppend: `if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
    local state = redis.call('HMGET', KEYS[3], 'over', 'reader', 'w:' .. ARGV[2], 'changes')
    if state[3] and tonumber(state[3]) >= tonumber(ARGV[3]) then return state[2] or '' end
    if state[1] then return nil end
    if ARGV[6] ~= '' and tonumber(state[4] or '-1') >= tonumber(ARGV[6]) then return state[2] or '' end
    redis.call('XADD', KEYS[2], '*', 'd', ARGV[1], 'l', ARGV[4])
    redis.call('HSET', KEYS[3], 'w:' .. ARGV[2], ARGV[3])
    if ARGV[4] == '1' then redis.call('HSET', KEYS[3], 'over', '1') end
    if ARGV[5] ~= '' then redis.call('HSETNX', KEYS[3], 'requests', ARGV[5]) end
    if ARGV[6] ~= '' then redis.call('HSET', KEYS[3], 'changes', ARGV[6]) end
    local bytes = redis.call('HINCRBY', KEYS[3], 'bytes', #ARGV[1])
    local count = redis.call('XLEN', KEYS[2])
    while count > 1 and (count > tonumber(ARGV[7]) or bytes > tonumber(ARGV[8])) do
      local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
      redis.call('XDEL', KEYS[2], oldest[1])
      bytes = redis.call('HINCRBY', KEYS[3], 'bytes', -#oldest[2][2])
      count = count - 1
    end
    redis.call('PEXPIRE', KEYS[2], ARGV[9])
    redis.call('PEXPIRE', KEYS[3], ARGV[9])
    if ARGV[4] == '1' and not state[2] then
      local stream, keep, most = ARGV[10], ARGV[9], ARGV[11]
      ${RETIRE}
    end
    return state[2] or ''`,
  /**
   * KEYS session, state, over; ARGV reader, milliseconds to live, stream. → [previous reader, cursor, changes], nil when the
   * session is over.
   */
  mcpTake: `if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
    local state = redis.call('HMGET', KEYS[2], 'reader', 'cursor', 'changes')
    redis.call('HSET', KEYS[2], 'reader', ARGV[1])
    redis.call('PEXPIRE', KEYS[2], ARGV[2])
    redis.call('LREM', KEYS[3], 0, ARGV[3])
    return { state[1] or '', state[2] or '', state[3] or '' }`,
  /** KEYS session, events, state; ARGV reader, milliseconds to live, cursor, changes. → 1, or 0 when another one reads. */
  mcpRenew: `if redis.call('HGET', KEYS[3], 'reader') ~= ARGV[1] or redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
    if ARGV[3] ~= '' then redis.call('HSET', KEYS[3], 'cursor', ARGV[3]) end
    if ARGV[4] ~= '' and tonumber(redis.call('HGET', KEYS[3], 'changes') or '-1') < tonumber(ARGV[4]) then
      redis.call('HSET', KEYS[3], 'changes', ARGV[4])
    end
    redis.call('PEXPIRE', KEYS[2], ARGV[2])
    redis.call('PEXPIRE', KEYS[3], ARGV[2])
    return 1`,
  /** KEYS session, events, state, over; ARGV reader, stream, milliseconds to live once it is over, most that are over. */
  mcpRelease: `local state = redis.call('HMGET', KEYS[3], 'reader', 'over')
    if state[1] ~= ARGV[1] then return 0 end
    redis.call('HDEL', KEYS[3], 'reader')
    if state[2] then
      local stream, keep, most = ARGV[2], ARGV[3], ARGV[4]
      ${RETIRE}
    end
    return 1`,
  /** KEYS session, state; ARGV field, requests or '', milliseconds to live. */
  mcpOwe: `if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
    if ARGV[2] == '' then return redis.call('HDEL', KEYS[2], ARGV[1]) end
    redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
    redis.call('PEXPIRE', KEYS[2], ARGV[3])
    return 1`,
  /** KEYS changes, version; ARGV change, most. → version. */
  mcpChange: `local version = redis.call('INCR', KEYS[2])
    redis.call('ZADD', KEYS[1], version, ARGV[1])
    redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[2]))
    return version`,
} as const;

const KEYS: Readonly<Record<keyof typeof SCRIPTS, number>> = {
  mcpEnter: 1,
  mcpUse: 1,
  mcpAlter: 1,
  mcpAppend: 4,
  mcpTake: 3,
  mcpRenew: 3,
  mcpRelease: 4,
  mcpOwe: 2,
  mcpChange: 2,
};

type Values = readonly (string | number)[];

/** What `defineCommand` adds to a client: keys, then arguments. */
interface SessionScripts {
  mcpEnter(...args: Values): Promise<string | null>;
  mcpUse(...args: Values): Promise<number>;
  mcpAlter(...args: Values): Promise<number>;
  mcpAppend(...args: Values): Promise<string | null>;
  mcpTake(...args: Values): Promise<[string, string, string] | null>;
  mcpRenew(...args: Values): Promise<number>;
  mcpRelease(...args: Values): Promise<number>;
  mcpOwe(...args: Values): Promise<number>;
  mcpChange(...args: Values): Promise<number>;
}

export type SessionRedis = RedisClient & SessionScripts;

export function withScripts(client: RedisClient): SessionRedis {
  for (const [name, lua] of Object.entries(SCRIPTS)) {
    client.defineCommand(name, { numberOfKeys: KEYS[name as keyof typeof SCRIPTS], lua });
  }
  return client as SessionRedis;
}
