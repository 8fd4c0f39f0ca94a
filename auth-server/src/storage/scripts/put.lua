--[[
  Writes a record as not consumed, whether or not it was consumed before.

  KEYS     1 record: a hash, of which `value` is the JSON and `consumed` the time of its use in seconds
  ARGV     1 value
           2 lifetime of the record in seconds
  Returns  1
  Atomic   because every record needs its expiry, and must not keep the mark of the previous record. The write that needs memory comes
           first: a full Redis refuses only the first write of a script, so that no script stops half-way.
]]
local record = KEYS[1]
local value, lifetime = ARGV[1], ARGV[2]

redis.call('HSET', record, 'value', value)
redis.call('HDEL', record, 'consumed')
return redis.call('EXPIRE', record, lifetime)
