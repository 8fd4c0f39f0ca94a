--[[
  Lets go of a stream that a connection read.

  KEYS     1 record of the session, 2 events of the stream, 3 state of the stream, 4 streams of the session that are over
  ARGV     1 reader
           2 name of the stream
           3 milliseconds that the stream lives if it is over
           4 most streams of the session that are over
  Returns  1, or 0 when another one reads the stream
  Atomic   because another reader may take the stream at the same time: it must not be let go of, nor be dropped.
]]
local sessionKey, eventsKey, stateKey, overKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local reader, stream, lives, mostOver = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
--- @include "../includes/bytes.lua"
--- @include "../includes/retire.lua"

local state = redis.call('HMGET', stateKey, 'reader', 'over')
if state[1] ~= reader then return 0 end
redis.call('HDEL', stateKey, 'reader')
if state[2] then retire(stream, lives, mostOver) end
return 1
