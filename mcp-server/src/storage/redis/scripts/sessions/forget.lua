--[[
  Drops all streams of a session that is over.

  KEYS     1 record of the session, which may be gone
  ARGV     none
  Returns  1
  Atomic   because no stream may be added between the look at the streams and their end.
]]
local sessionKey = KEYS[1]
--- @include "../includes/bytes.lua"

for _, field in ipairs(redis.call('HKEYS', bytesKey)) do
  local stream = string.match(field, '^s:(.*)$')
  if stream then drop(stream) end
end
redis.call('UNLINK', bytesKey, sessionKey .. ':over', sessionKey .. ':tight', sessionKey .. ':stream:standalone')
return 1
