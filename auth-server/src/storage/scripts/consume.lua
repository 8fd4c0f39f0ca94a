--[[
  Marks a record as consumed, with the time of Redis.

  KEYS     1 record
  ARGV     none
  Returns  1, or 0 if it was consumed before or there is no record
  Atomic   because only one of two concurrent callers may consume a record, and a record that expires in between must not come back
           with the mark only.
]]
local record = KEYS[1]

if redis.call('EXISTS', record) == 0 then return 0 end
return redis.call('HSETNX', record, 'consumed', redis.call('TIME')[1])
