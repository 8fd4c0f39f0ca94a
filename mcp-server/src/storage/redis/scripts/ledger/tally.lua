--[[
  Notes how many bytes one member of a ledger has. The members are the sessions of a person, or all persons.

  KEYS     1 members by bytes, 2 members by the time at which they are gone at the latest, 3 sum of the bytes
  ARGV     1 member
           2 its bytes
           3 when it is gone at the latest, in milliseconds since the epoch
           4 now
           5 milliseconds that the ledger lives
  Returns  { sum, member with most bytes or '' }
  Atomic   because replicas note members at the same time, and the sum must be that of the members.
]]
local bySize, byEnd, sumKey = KEYS[1], KEYS[2], KEYS[3]
local member, bytes, ends, now, lives = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]

-- Members that are taken out at a time because they are gone.
local MOST_GONE = 100

local sum = tonumber(redis.call('GET', sumKey) or '0')
local function leave(one)
  sum = sum - tonumber(redis.call('ZSCORE', bySize, one) or '0')
  redis.call('ZREM', bySize, one)
  redis.call('ZREM', byEnd, one)
end
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', byEnd, '-inf', now, 'LIMIT', 0, MOST_GONE)) do leave(gone) end
leave(member)
if bytes > 0 then
  sum = sum + bytes
  redis.call('ZADD', bySize, bytes, member)
  redis.call('ZADD', byEnd, ends, member)
end
-- Whole numbers, without an exponent.
redis.call('SET', sumKey, string.format('%.0f', sum))
for _, key in ipairs({ bySize, byEnd, sumKey }) do redis.call('PEXPIRE', key, lives) end
return { sum, redis.call('ZREVRANGE', bySize, 0, 0)[1] or '' }
