--[[
  Marks a record as spent, by the clock of Redis.

  KEYS     1 record
  ARGV     none
  Returns  1, or 0 when it was spent before or there is no record
  Atomic   because of two that spend a record at the same time only one may succeed, and a record that expires in between must not come
           back as a mark alone.
]]
local record = KEYS[1]

if redis.call('EXISTS', record) == 0 then return 0 end
return redis.call('HSETNX', record, 'consumed', redis.call('TIME')[1])
