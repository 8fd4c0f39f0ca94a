--[[
  Lets a record live at least so long from now on.

  KEYS     1 record
  ARGV     1 seconds
  Returns  1
  Atomic   because another one may prolong the record at the same time, and no end may move backward.
]]
local record = KEYS[1]
local lifetime = tonumber(ARGV[1])

if redis.call('TTL', record) < lifetime then redis.call('EXPIRE', record, lifetime) end
return 1
