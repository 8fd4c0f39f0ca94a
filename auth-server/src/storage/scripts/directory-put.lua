--[[
  Writes an entry of the directory of grants.

  KEYS     1 entry: a hash, of which `value` is the JSON and `used` the time of its last use in seconds
  ARGV     1 value
           2 time of its last use in seconds
           3 lifetime of the entry in seconds
  Returns  1
  Atomic   because every entry needs its expiry.
]]
local entry = KEYS[1]
local value, used, lifetime = ARGV[1], ARGV[2], ARGV[3]

redis.call('HSET', entry, 'value', value, 'used', used)
return redis.call('EXPIRE', entry, lifetime)
