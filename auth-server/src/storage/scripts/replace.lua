--[[
  Replaces the value of a record, if it is still the one that was read.

  KEYS     1 record
  ARGV     1 value that was read
           2 new value
           3 lifetime of the record in seconds, or '' to keep its expiry
  Returns  1, or 0 if the value has changed or there is no record
  Atomic   because it is a compare-and-set: no concurrent change may be lost.
]]
local record = KEYS[1]
local before, after, lifetime = ARGV[1], ARGV[2], ARGV[3]

if redis.call('HGET', record, 'value') ~= before then return 0 end
redis.call('HSET', record, 'value', after)
if lifetime ~= '' then redis.call('EXPIRE', record, lifetime) end
return 1
