--[[
  Marks entries of a status list, and hides how many: each of some further entries that is free is taken and marked as well.

  KEYS     1 taken entries, one bit each
           2 marked entries, one bit each
           3 version
  ARGV     1 number of entries to mark
           2… these entries, then the further ones, as Redis counts bits
  Returns  1, or 0 if nothing changed or there is no such list
  Atomic   because every change needs a new version, and no further entry may be taken by a token meanwhile. The version is the time in
           milliseconds, but always larger than the one before.
]]
local taken, marked, version = KEYS[1], KEYS[2], KEYS[3]
local count = tonumber(ARGV[1])

if redis.call('EXISTS', version) == 0 then return 0 end
local changed = false
for position = 2, count + 1 do
  if redis.call('SETBIT', marked, ARGV[position], 1) == 0 then changed = true end
  redis.call('SETBIT', taken, ARGV[position], 1)
end
if not changed then return 0 end
for position = count + 2, #ARGV do
  if redis.call('SETBIT', taken, ARGV[position], 1) == 0 then redis.call('SETBIT', marked, ARGV[position], 1) end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('INCRBY', version, string.format('%.0f', math.max(1, now - redis.call('GET', version))))
return 1
