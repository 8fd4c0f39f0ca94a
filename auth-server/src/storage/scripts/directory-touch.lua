--[[
  Notes a use of a grant in its entry of the directory.

  KEYS     1 entry
  ARGV     1 time of the use in seconds; 0: only looks
  Returns  1, or 0 if there is no entry
  Atomic   because an entry that is removed in between must not come back without its value and its expiry.
]]
local entry = KEYS[1]
local used = tonumber(ARGV[1])

local before = tonumber(redis.call('HGET', entry, 'used') or '')
if not before then return 0 end
if used > before then redis.call('HSET', entry, 'used', used) end
return 1
