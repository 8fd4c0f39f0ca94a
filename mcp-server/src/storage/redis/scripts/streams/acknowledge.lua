--[[
  Takes the events out of a log that the client has. They stay while they are needed to know what was answered: on an open stream for
  several requests, and on one on which other replicas answer (fields `o:<replica>`).

  KEYS     1 record of the session, 2 events of the stream, 3 state of the stream
  ARGV     1 name of the stream
           2 last event that the client has
  Returns  1, or 0 when the events stay
  Atomic   because the sums of bytes must be those of the events, whoever adds at the same time.
]]
local sessionKey, eventsKey, stateKey = KEYS[1], KEYS[2], KEYS[3]
local stream, upTo = ARGV[1], ARGV[2]

local bytesKey = sessionKey .. ':bytes'
local over, requests = unpack(redis.call('HMGET', stateKey, 'over', 'requests'))
if not over and requests and string.find(requests, ',', 1, true) then return 0 end
for _, field in ipairs(redis.call('HKEYS', stateKey)) do
  if string.sub(field, 1, 2) == 'o:' then return 0 end
end
for _, event in ipairs(redis.call('XRANGE', eventsKey, '-', upTo)) do
  local size = #event[2][2]
  redis.call('XDEL', eventsKey, event[1])
  redis.call('HINCRBY', stateKey, 'bytes', 0 - size)
  if redis.call('EXISTS', bytesKey) == 1 then
    redis.call('HINCRBY', bytesKey, 's:' .. stream, 0 - size)
    redis.call('HINCRBY', bytesKey, 'total', 0 - size)
  end
end
return 1
