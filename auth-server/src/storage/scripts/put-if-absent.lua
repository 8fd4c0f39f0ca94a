--[[
  Writes a record, unless there is one.

  KEYS     1 record
  ARGV     1 value
           2 seconds that the record lives
  Returns  1, or 0 when there is a record already
  Atomic   because of two that write at the same time exactly one is the first, and no record may be without its end.
]]
local record = KEYS[1]
local value, lifetime = ARGV[1], ARGV[2]

if redis.call('EXISTS', record) == 1 then return 0 end
redis.call('HSET', record, 'value', value)
return redis.call('EXPIRE', record, lifetime)
