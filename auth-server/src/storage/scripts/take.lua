--[[
  Reads a record and deletes it.

  KEYS     1 record
  ARGV     none
  Returns  { value or nil, second in which it was spent or nil }
  Atomic   because of two that take a record at the same time only one may get it.
]]
local record = KEYS[1]

local fields = redis.call('HMGET', record, 'value', 'consumed')
redis.call('DEL', record)
return fields
