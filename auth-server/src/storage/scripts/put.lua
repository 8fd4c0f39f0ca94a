--[[
  Writes a record, spent or not, as one that is not spent.

  KEYS     1 record: a hash, of which `value` is the JSON and `consumed` the second in which it was spent
  ARGV     1 value
           2 seconds that the record lives
  Returns  1
  Atomic   because no record may be without its end, nor carry the mark of the one before. What needs memory comes first: a Redis that
           is full refuses only the first write of a script, so that none ends half-way.
]]
local record = KEYS[1]
local value, lifetime = ARGV[1], ARGV[2]

redis.call('HSET', record, 'value', value)
redis.call('HDEL', record, 'consumed')
return redis.call('EXPIRE', record, lifetime)
