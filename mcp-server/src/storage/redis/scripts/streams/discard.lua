--[[
  Drops a stream that is over, and that the client has read to its end.

  KEYS     1 record of the session, 2 state of the stream, 3 streams of the session that are over
  ARGV     1 name of the stream
           2 reader that has read it to its end
  Returns  1, or 0 when the stream is not over or another one reads it
  Atomic   because another reader may take the stream at the same time, which would then find nothing.
]]
local sessionKey, stateKey, overKey = KEYS[1], KEYS[2], KEYS[3]
local stream, reader = ARGV[1], ARGV[2]
--- @include "../includes/bytes.lua"

local state = redis.call('HMGET', stateKey, 'over', 'reader')
if not state[1] or (state[2] and state[2] ~= reader) then return 0 end
redis.call('LREM', overKey, 0, stream)
drop(stream)
return 1
