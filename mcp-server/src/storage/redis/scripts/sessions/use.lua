--[[
  Notes the use of a session, and when it ends now.

  KEYS     1 record of the session
  ARGV     1 until when it is in use, in milliseconds since the epoch
           2 when the token of this use expires, in seconds since the epoch
           3 milliseconds after its last use at which an idle session ends
           4 milliseconds after it was opened at which a session ends
           5 the status reference of the token of this use, as JSON; '' for a token without one
  Returns  1, or 0 when the session is over
  Atomic   because replicas note uses at the same time: a time only moves forward, and a session that is over must not come back.
]]
local sessionKey = KEYS[1]
local usedUntil, tokenExpiresAt, idle, lifetime = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local status = ARGV[5]

-- Whole numbers, without an exponent.
local function written(number) return string.format('%.0f', number) end

local record = redis.call('HMGET', sessionKey, 'used', 'token', 'created')
if not record[1] then return 0 end
local used = math.max(tonumber(record[1]), usedUntil)
local token = math.max(tonumber(record[2]), tokenExpiresAt)
redis.call('HSET', sessionKey, 'used', written(used), 'token', written(token))
-- The reference is always that of the token that expires last.
if token > tonumber(record[2]) then
  if status == '' then redis.call('HDEL', sessionKey, 'status') else redis.call('HSET', sessionKey, 'status', status) end
end
local ends = math.min(used + idle, tonumber(record[3]) + lifetime)
redis.call('PEXPIREAT', sessionKey, written(ends))
return redis.call('EXISTS', sessionKey)
