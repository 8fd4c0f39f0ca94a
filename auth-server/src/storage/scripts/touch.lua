--[[
  Extends a record to at least the given lifetime from now.

  KEYS     1 record
  ARGV     1 seconds
  Returns  1
  Atomic   because another caller may extend the record at the same time, and the expiry must not move backward.
]]
local record = KEYS[1]
local lifetime = tonumber(ARGV[1])

if redis.call('TTL', record) < lifetime then redis.call('EXPIRE', record, lifetime) end
return 1
