--[[
  What becomes of a stream that is over and that nobody reads: it lives for a while, and a session has only so many of them. Those that
  a connection has read to their end are dropped first.

  Expects  eventsKey, stateKey, overKey, and includes/bytes.lua
  Defines  retire(stream, keep, most): `keep` in milliseconds, `most` streams that are over
]]
local function retire(stream, keep, most)
  redis.call('LREM', overKey, 0, stream)
  local last = redis.call('XREVRANGE', eventsKey, '+', '-', 'COUNT', 1)[1]
  local cursor = redis.call('HGET', stateKey, 'cursor')
  local isRead = last and cursor == last[1]
  redis.call(isRead and 'LPUSH' or 'RPUSH', overKey, stream)
  for _, key in ipairs({ eventsKey, stateKey, overKey }) do redis.call('PEXPIRE', key, keep) end
  while redis.call('LLEN', overKey) > tonumber(most) do drop(redis.call('LPOP', overKey)) end
end
