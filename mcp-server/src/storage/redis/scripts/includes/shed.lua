--[[
  How a session makes room: first the bytes of streams that have expired are given back, then streams that are over and that nobody
  reads are dropped, the oldest first.

  Expects  sessionKey, and includes/bytes.lua
  Defines  shed(most): returns the bytes that the session has left, which may be more than `most`
]]
local function shed(most)
  local total = tonumber(redis.call('HGET', bytesKey, 'total') or '0')
  if total <= most then return total end
  for _, field in ipairs(redis.call('HKEYS', bytesKey)) do
    local stream = string.match(field, '^s:(.*)$')
    if stream and redis.call('EXISTS', sessionKey .. ':events:' .. stream) == 0 then total = giveBack(stream) end
  end
  while total > most do
    local oldest = redis.call('LPOP', sessionKey .. ':over')
    if not oldest then break end
    total = drop(oldest)
  end
  return total
end
