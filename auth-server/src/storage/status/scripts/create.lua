--[[
  Creates a status list, unless there is one.

  KEYS     1 taken entries, one bit each
           2 marked entries, one bit each
           3 version
  ARGV     1 bits of the entries that are taken and marked
           2 lifetime of the list in seconds
  Returns  1, or 0 if there is a list already
  Atomic   because the three keys are one list, and of concurrent callers one creates it. The version is the time in milliseconds, so that
           a list that was lost and created again never has a version that was published before.
]]
local taken, marked, version = KEYS[1], KEYS[2], KEYS[3]
local bits, lifetime = ARGV[1], ARGV[2]

if redis.call('EXISTS', version) == 1 then return 0 end
local time = redis.call('TIME')
redis.call('SET', taken, bits, 'EX', lifetime)
redis.call('SET', marked, bits, 'EX', lifetime)
redis.call('SET', version, string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), 'EX', lifetime)
return 1
