/**
 * Owns the scripts that Redis runs for the logs of streams. Each touches the keys of one session, or one ledger, so that it holds
 * on a Cluster; each can run twice without harm, as an answer may get lost. A session's `:bytes` tells what each of its streams
 * takes (`s:` and its name) and all of them together (`total`). Bytes are taken off as `0 - bytes`: of none, `-bytes` is -0, which Redis
 * takes for no integer.
 */

/** A session tells its person's ledger of its bytes when they have changed by about that much. */
const STEP = 16_384;

/** Expects `session`; defines what gives back the bytes of a stream and drops it. */
const DROP = `local ledger = session .. ':bytes'
    local function give(stream)
      if redis.call('EXISTS', ledger) == 0 then return 0 end
      local bytes = tonumber(redis.call('HGET', ledger, 's:' .. stream) or '0')
      redis.call('HDEL', ledger, 's:' .. stream)
      return redis.call('HINCRBY', ledger, 'total', 0 - bytes)
    end
    local function drop(stream)
      redis.call('UNLINK', session .. ':events:' .. stream, session .. ':stream:' .. stream)
      return give(stream)
    end`;

/** Gives back what has run out; then drops what is over and nobody reads, until no more than `most` are left. */
const SHED = `local function shed(most)
      local total = tonumber(redis.call('HGET', ledger, 'total') or '0')
      if total <= most then return total end
      for _, field in ipairs(redis.call('HKEYS', ledger)) do
        local stream = string.match(field, '^s:(.*)$')
        if stream and redis.call('EXISTS', session .. ':events:' .. stream) == 0 then total = give(stream) end
      end
      while total > most do
        local oldest = redis.call('LPOP', session .. ':over')
        if not oldest then break end
        total = drop(oldest)
      end
      return total
    end`;

/**
 * Of a stream that is over and that nobody reads: it lives for a while, and of its kind only so many do; first go those that a
 * connection has taken to their end. KEYS session, events, state, over; expects `stream`, `keep` in milliseconds and `most`.
 */
const RETIRE = `redis.call('LREM', KEYS[4], 0, stream)
      local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
      local cursor = redis.call('HGET', KEYS[3], 'cursor')
      redis.call(last and cursor == last[1] and 'LPUSH' or 'RPUSH', KEYS[4], stream)
      for i = 2, 4 do redis.call('PEXPIRE', KEYS[i], keep) end
      while redis.call('LLEN', KEYS[4]) > tonumber(most) do drop(redis.call('LPOP', KEYS[4])) end`;

export const EVENT_SCRIPTS = {
  /**
   * KEYS session, events, state, over; ARGV data, producer, sequence, last, requests, changes, most events, most bytes,
   * milliseconds to live, stream, most that are over, forced, most bytes of the session, most while there is little room,
   * milliseconds that a stream which is open lives. → [reader or '', bytes of the session, owner where they are to be told of
   * or ''], ['', whose budget is used up], nil when the session or the stream is over.
   */
  mcpAppend: `if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
    local session, stream = KEYS[1], ARGV[10]
    ${DROP}
    ${SHED}
    local state = redis.call('HMGET', KEYS[3], 'over', 'reader', 'w:' .. ARGV[2], 'changes', 'cursor')
    local done = { state[2] or '', 0, '' }
    if state[3] and tonumber(state[3]) >= tonumber(ARGV[3]) then return done end
    if state[1] then return nil end
    if ARGV[6] ~= '' and tonumber(state[4] or '-1') >= tonumber(ARGV[6]) then return done end
    local function cut(oldest)
      local size = #oldest[2][2]
      redis.call('XDEL', KEYS[2], oldest[1])
      redis.call('HINCRBY', KEYS[3], 'bytes', 0 - size)
      redis.call('HINCRBY', ledger, 's:' .. stream, 0 - size)
      return redis.call('HINCRBY', ledger, 'total', 0 - size)
    end
    local size = #ARGV[1]
    local total = tonumber(redis.call('HGET', ledger, 'total') or '0')
    if size > 0 and ARGV[12] ~= '1' then
      local tight = redis.call('GET', session .. ':tight')
      local budget = tonumber(ARGV[13])
      if tight then budget = math.min(budget, tonumber(ARGV[14])) end
      if total + size > budget then total = shed(math.max(0, budget - size)) end
      while total + size > budget and state[5] do
        local oldest = redis.call('XRANGE', KEYS[2], '-', state[5], 'COUNT', 1)[1]
        if not oldest then break end
        total = cut(oldest)
      end
      if total + size > budget then return { '', tight or 'session' } end
    end
    redis.call('XADD', KEYS[2], '*', 'd', ARGV[1], 'l', ARGV[4])
    redis.call('HSET', KEYS[3], 'w:' .. ARGV[2], ARGV[3])
    if ARGV[4] == '1' then redis.call('HSET', KEYS[3], 'over', '1') end
    if ARGV[5] ~= '' then redis.call('HSETNX', KEYS[3], 'requests', ARGV[5]) end
    if ARGV[6] ~= '' then redis.call('HSET', KEYS[3], 'changes', ARGV[6]) end
    local bytes = redis.call('HINCRBY', KEYS[3], 'bytes', size)
    redis.call('HINCRBY', ledger, 's:' .. stream, size)
    total = redis.call('HINCRBY', ledger, 'total', size)
    local count = redis.call('XLEN', KEYS[2])
    while count > 1 and (count > tonumber(ARGV[7]) or bytes > tonumber(ARGV[8])) do
      local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
      bytes = bytes - #oldest[2][2]
      total = cut(oldest)
      count = count - 1
    end
    redis.call('PEXPIRE', KEYS[2], ARGV[9])
    redis.call('PEXPIRE', KEYS[3], ARGV[9])
    redis.call('PEXPIRE', ledger, ARGV[15])
    if ARGV[4] == '1' and not state[2] then
      local keep, most = ARGV[9], ARGV[11]
      ${RETIRE}
      total = tonumber(redis.call('HGET', ledger, 'total') or '0')
    end
    local step = tostring(math.floor(total / ${STEP}))
    if (redis.call('HGET', ledger, 'told') or '0') == step then return { state[2] or '', total, '' } end
    redis.call('HSET', ledger, 'told', step)
    return { state[2] or '', total, redis.call('HGET', session, 'owner') }`,
  /**
   * KEYS session, state, over; ARGV reader, milliseconds to live, stream. → [previous reader, cursor, changes], nil when the
   * session is over.
   */
  mcpTake: `if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
    local state = redis.call('HMGET', KEYS[2], 'reader', 'cursor', 'changes')
    redis.call('HSET', KEYS[2], 'reader', ARGV[1])
    redis.call('PEXPIRE', KEYS[2], ARGV[2])
    redis.call('PEXPIRE', KEYS[1] .. ':bytes', ARGV[2])
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
    redis.call('PEXPIRE', KEYS[1] .. ':bytes', ARGV[2])
    return 1`,
  /** KEYS session, events, state, over; ARGV reader, stream, milliseconds to live once it is over, most that are over. */
  mcpRelease: `local session = KEYS[1]
    ${DROP}
    local state = redis.call('HMGET', KEYS[3], 'reader', 'over')
    if state[1] ~= ARGV[1] then return 0 end
    redis.call('HDEL', KEYS[3], 'reader')
    if state[2] then
      local stream, keep, most = ARGV[2], ARGV[3], ARGV[4]
      ${RETIRE}
    end
    return 1`,
  /**
   * The client has these; but what was answered on a stream of several requests is known by its events.
   * KEYS session, events, state; ARGV stream, up to which event.
   */
  mcpAcknowledge: `local session = KEYS[1]
    local over, requests = unpack(redis.call('HMGET', KEYS[3], 'over', 'requests'))
    if not over and requests and string.find(requests, ',', 1, true) then return 0 end
    for _, field in ipairs(redis.call('HKEYS', KEYS[3])) do
      if string.sub(field, 1, 2) == 'o:' then return 0 end
    end
    for _, event in ipairs(redis.call('XRANGE', KEYS[2], '-', ARGV[2])) do
      local size = #event[2][2]
      redis.call('XDEL', KEYS[2], event[1])
      redis.call('HINCRBY', KEYS[3], 'bytes', 0 - size)
      if redis.call('EXISTS', session .. ':bytes') == 1 then
        redis.call('HINCRBY', session .. ':bytes', 's:' .. ARGV[1], 0 - size)
        redis.call('HINCRBY', session .. ':bytes', 'total', 0 - size)
      end
    end
    return 1`,
  /** KEYS session, state, over; ARGV stream, reader. The client has all of it by that one. */
  mcpDiscard: `local session = KEYS[1]
    ${DROP}
    local state = redis.call('HMGET', KEYS[2], 'over', 'reader')
    if not state[1] or (state[2] and state[2] ~= ARGV[2]) then return 0 end
    redis.call('LREM', KEYS[3], 0, ARGV[1])
    drop(ARGV[1])
    return 1`,
  /** KEYS session; ARGV most bytes, whose budget is used up or '', milliseconds that this is known. → bytes that are left. */
  mcpShed: `local session = KEYS[1]
    ${DROP}
    ${SHED}
    local total = shed(tonumber(ARGV[1]))
    if ARGV[2] ~= '' then redis.call('SET', session .. ':tight', ARGV[2], 'PX', ARGV[3]) end
    if total > 0 then redis.call('HSET', ledger, 'told', math.floor(total / ${STEP})) end
    return total`,
  /** KEYS session. Drops all streams of a session that is over. */
  mcpForget: `local session = KEYS[1]
    ${DROP}
    for _, field in ipairs(redis.call('HKEYS', ledger)) do
      local stream = string.match(field, '^s:(.*)$')
      if stream then drop(stream) end
    end
    redis.call('UNLINK', ledger, session .. ':over', session .. ':tight', session .. ':stream:standalone')
    return 1`,
  /** KEYS session, state; ARGV field, requests or '', milliseconds to live. */
  mcpOwe: `if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
    if ARGV[2] == '' then return redis.call('HDEL', KEYS[2], ARGV[1]) end
    redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
    redis.call('PEXPIRE', KEYS[2], ARGV[3])
    return 1`,
  /**
   * Of many that keep bytes: how many each has, and until when at the most. KEYS by size, by end, sum; ARGV member, bytes, its
   * end, now, milliseconds to live. → [sum, who has most].
   */
  mcpTally: `local sum = tonumber(redis.call('GET', KEYS[3]) or '0')
    local function leave(member)
      sum = sum - tonumber(redis.call('ZSCORE', KEYS[1], member) or '0')
      redis.call('ZREM', KEYS[1], member)
      redis.call('ZREM', KEYS[2], member)
    end
    for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[4], 'LIMIT', 0, 100)) do leave(gone) end
    leave(ARGV[1])
    if tonumber(ARGV[2]) > 0 then
      sum = sum + tonumber(ARGV[2])
      redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
      redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
    end
    redis.call('SET', KEYS[3], string.format('%.0f', sum))
    for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[5]) end
    return { sum, redis.call('ZREVRANGE', KEYS[1], 0, 0)[1] or '' }`,
} as const;

export const EVENT_KEYS = {
  mcpAppend: 4,
  mcpTake: 3,
  mcpRenew: 3,
  mcpRelease: 4,
  mcpAcknowledge: 3,
  mcpDiscard: 3,
  mcpShed: 1,
  mcpForget: 1,
  mcpOwe: 2,
  mcpTally: 3,
} as const;

type Values = readonly (string | number)[];

export interface EventScripts {
  mcpAppend(...args: Values): Promise<[reader: string, bytesOrFull: number | string, owner?: string] | null>;
  mcpTake(...args: Values): Promise<[string, string, string] | null>;
  mcpRenew(...args: Values): Promise<number>;
  mcpRelease(...args: Values): Promise<number>;
  mcpAcknowledge(...args: Values): Promise<number>;
  mcpDiscard(...args: Values): Promise<number>;
  mcpShed(...args: Values): Promise<number>;
  mcpForget(...args: Values): Promise<number>;
  mcpOwe(...args: Values): Promise<number>;
  mcpTally(...args: Values): Promise<[sum: number, most: string]>;
}
