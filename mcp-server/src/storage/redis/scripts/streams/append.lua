--[[
  Adds an event to the log of a stream, and makes room for it.

  KEYS     1 record of the session, 2 events of the stream, 3 state of the stream, 4 streams of the session that are over
  ARGV     1 data
           2 who adds it
           3 its number among all that this one adds
           4 '1' for the last event of the stream
           5 ids of the requests that the stream answers, or ''
           6 number of the change that the event tells of, or ''
           7 most events of the stream
           8 most bytes of the stream
           9 milliseconds that the stream lives from now on
           10 name of the stream
           11 most streams of the session that are over
           12 '1' for an event that must not be left out for want of room
           13 most bytes of the session
           14 most bytes of the session while it has little room
           15 milliseconds that an open stream lives
           16 position of a reader, or ''
  Returns  { reader or '', bytes of the session, owner of the session if the ledger must be told of the bytes, else '',
             id of the event if no event is between that position and it, else '' }
           { '', which budget is used up } when there is no room
           nil when the session or the stream is over
  Atomic   because an answer may get lost and the call come again: the number of the event is compared with those in the log in the same
           step. And because many add to one session, whose sum of bytes must be that of its streams.
]]
local sessionKey, eventsKey, stateKey, overKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local data, producer, sequence, isLast = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
local requests, change = ARGV[5], ARGV[6]
local mostEvents, mostBytes, lives = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local stream, mostOver, isForced = ARGV[10], ARGV[11], ARGV[12] == '1'
local budget, tightBudget, openLives, position = tonumber(ARGV[13]), tonumber(ARGV[14]), ARGV[15], ARGV[16]
--- @include "../includes/bytes.lua"
--- @include "../includes/shed.lua"
--- @include "../includes/retire.lua"

if redis.call('EXISTS', sessionKey) == 0 then return nil end

local producerField = 'w:' .. producer
local state = redis.call('HMGET', stateKey, 'over', 'reader', producerField, 'changes', 'cursor', 'bytes', 'requests')
local isOver, reader, written, told, cursor = state[1], state[2], state[3], state[4], state[5]
local bytes, asked = tonumber(state[6] or '0'), state[7]
local nothingToDo = { reader or '', 0, '', '' }
if written and tonumber(written) >= tonumber(sequence) then return nothingToDo end
if isOver then return nil end
if change ~= '' and tonumber(told or '-1') >= tonumber(change) then return nothingToDo end

-- Takes an event out of the log. Returns the bytes that the session has left.
local function cut(event)
  local size = #event[2][2]
  bytes = bytes - size
  redis.call('XDEL', eventsKey, event[1])
  redis.call('HSET', stateKey, 'bytes', bytes)
  redis.call('HINCRBY', bytesKey, 's:' .. stream, 0 - size)
  return redis.call('HINCRBY', bytesKey, 'total', 0 - size)
end

local size = #data
local total, step = unpack(redis.call('HMGET', bytesKey, 'total', 'told'))
total = tonumber(total or '0')
if size > 0 and not isForced then
  local tight = redis.call('GET', sessionKey .. ':tight')
  if tight then budget = math.min(budget, tightBudget) end
  if total + size > budget then total = shed(math.max(0, budget - size)) end
  -- Then what the reader of this stream has got already.
  while total + size > budget and cursor do
    local oldest = redis.call('XRANGE', eventsKey, '-', cursor, 'COUNT', 1)[1]
    if not oldest then break end
    total = cut(oldest)
  end
  if total + size > budget then return { '', tight or 'session' } end
end

local isNext = position ~= '' and #redis.call('XRANGE', eventsKey, '(' .. position, '+', 'COUNT', 1) == 0
local id = redis.call('XADD', eventsKey, '*', 'd', data, 'l', isLast and '1' or '0')
bytes = bytes + size
local fields = { producerField, sequence, 'bytes', bytes }
local function note(field, value)
  fields[#fields + 1] = field
  fields[#fields + 1] = value
end
if isLast then note('over', '1') end
if requests ~= '' and not asked then note('requests', requests) end
if change ~= '' then note('changes', change) end
redis.call('HSET', stateKey, unpack(fields))
redis.call('HINCRBY', bytesKey, 's:' .. stream, size)
total = redis.call('HINCRBY', bytesKey, 'total', size)

local count = redis.call('XLEN', eventsKey)
while count > 1 and (count > mostEvents or bytes > mostBytes) do
  total = cut(redis.call('XRANGE', eventsKey, '-', '+', 'COUNT', 1)[1])
  count = count - 1
end

-- Not with each event: these are three writes. A new log has no end yet, and the last event brings it forward.
if isLast or redis.call('PTTL', eventsKey) < lives * 0.9 then
  redis.call('PEXPIRE', eventsKey, lives)
  redis.call('PEXPIRE', stateKey, lives)
  redis.call('PEXPIRE', bytesKey, openLives)
end
if isLast and not reader then
  retire(stream, lives, mostOver)
  total = tonumber(redis.call('HGET', bytesKey, 'total') or '0')
end

if not isNext then id = '' end
local newStep = tostring(math.floor(total / STEP))
if (step or '0') == newStep then return { reader or '', total, '', id } end
redis.call('HSET', bytesKey, 'told', newStep)
return { reader or '', total, redis.call('HGET', sessionKey, 'owner'), id }
