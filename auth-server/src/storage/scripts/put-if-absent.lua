--[[
  Writes a record, unless there is one.

  KEYS     1 record
  ARGV     1 value
           2 lifetime of the record in seconds
  Returns  1, or 0 if there is a record already
  Atomic   because exactly one of two concurrent writers is the first, and every record needs its expiry.
]]
local record = KEYS[1]
local value, lifetime = ARGV[1], ARGV[2]

if redis.call('EXISTS', record) == 1 then return 0 end
redis.call('HSET', record, 'value', value)
return redis.call('EXPIRE', record, lifetime)
