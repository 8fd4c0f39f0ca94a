--[[
  Adds a member to an index of the directory of grants, and drops members that have expired.

  KEYS     1 index: a sorted set, by the time at which a member expires
  ARGV     1 time at which the member expires, in seconds, with a fraction that differs for each member
           2 member
           3 now, in seconds
  Returns  1
  Atomic   because the expiry of the index must be that of its last member, and a member never expires earlier than before.
]]
local index = KEYS[1]
local expiry, member, now = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])

local before = tonumber(redis.call('ZSCORE', index, member) or 0)
if expiry > before then redis.call('ZADD', index, string.format('%.17g', expiry), member) end
redis.call('ZREMRANGEBYSCORE', index, '-inf', string.format('(%d', now + 1))
local last = redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')[2]
if last then redis.call('EXPIRE', index, math.ceil(tonumber(last)) - now + 60) end
return 1
