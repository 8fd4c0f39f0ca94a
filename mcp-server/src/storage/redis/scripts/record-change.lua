--[[
  Gives a change the next number. A change that came before moves to the new number, so each is in the log once.

  KEYS     1 log of changes, 2 number of the latest change
  ARGV     1 change
           2 most changes in the log
  Returns  the number of the change
  Atomic   because the number and the entry belong together: whoever reads the number must find all changes up to it.
]]
local log, latest = KEYS[1], KEYS[2]
local change, most = ARGV[1], tonumber(ARGV[2])

local number = redis.call('INCR', latest)
redis.call('ZADD', log, number, change)
redis.call('ZREMRANGEBYRANK', log, 0, -1 - most)
return number
