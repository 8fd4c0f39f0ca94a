--[[
  Changes fields of the record of a session. A field that begins with `sub:` is a subscription to a resource, of which there is a limit.

  KEYS     1 record of the session
  ARGV     1 most subscriptions
           2 and on: a field and its value, and so forth; an empty value takes the field away
  Returns  1, or 0 when the session is over or has too many subscriptions
  Atomic   because a record that expires in between must not come back with one field, and the limit holds for all replicas.
]]
local sessionKey = KEYS[1]
local mostSubscriptions = tonumber(ARGV[1])

-- Fields of a record that are no subscription.
local OTHER_FIELDS = 10

local function isNewSubscription(field)
  return string.sub(field, 1, 4) == 'sub:' and redis.call('HEXISTS', sessionKey, field) == 0
end

if redis.call('EXISTS', sessionKey) == 0 then return 0 end
for i = 2, #ARGV, 2 do
  local field, value = ARGV[i], ARGV[i + 1]
  if value == '' then
    redis.call('HDEL', sessionKey, field)
  elseif isNewSubscription(field) and redis.call('HLEN', sessionKey) >= mostSubscriptions + OTHER_FIELDS then
    return 0
  else
    redis.call('HSET', sessionKey, field, value)
  end
end
return 1
