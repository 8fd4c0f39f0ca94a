--[[
  Reads a record and deletes it.

  KEYS     1 record
  ARGV     none
  Returns  { value or nil, time of its use in seconds or nil }
  Atomic   because only one of two concurrent callers may get the record.
]]
local record = KEYS[1]

local fields = redis.call('HMGET', record, 'value', 'consumed')
redis.call('DEL', record)
return fields
