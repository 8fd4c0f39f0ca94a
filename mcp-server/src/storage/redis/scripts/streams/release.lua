--[[
  Notes how far a connection has read a stream, and lets go of it.

  KEYS     1 record of the session, 2 events of the stream, 3 state of the stream, 4 streams of the session that are over
  ARGV     1 reader
           2 milliseconds that the stream lives if it is not over
           3 last event that the reader got, or ''
           4 number of the last change that it was told of, or ''
           5 name of the stream
           6 milliseconds that the stream lives if it is over
           7 most streams of the session that are over
  Returns  1, or 0 when another one reads the stream
  Atomic   because another reader may take the stream at the same time: it must not be let go of, nor be dropped.
]]
local sessionKey, eventsKey, stateKey, overKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local reader, openLives, cursor, change = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local stream, overLives, mostOver = ARGV[5], ARGV[6], ARGV[7]
--- @include "../includes/bytes.lua"
--- @include "../includes/progress.lua"
--- @include "../includes/retire.lua"

local state = redis.call('HMGET', stateKey, 'reader', 'over')
if state[1] ~= reader then return 0 end
noteProgress(cursor, change)
redis.call('HDEL', stateKey, 'reader')
if state[2] then
  retire(stream, overLives, mostOver)
else
  for _, key in ipairs({ eventsKey, stateKey, bytesKey }) do redis.call('PEXPIRE', key, openLives) end
end
return 1
