--[[
  Keeps a connection the reader of a stream, and notes how far it has read.

  KEYS     1 record of the session, 2 events of the stream, 3 state of the stream
  ARGV     1 reader
           2 milliseconds that the stream lives
           3 last event that the reader got, or ''
           4 number of the last change that it was told of, or ''
  Returns  1, or 0 when another one reads the stream or the session is over
  Atomic   because another reader may take the stream at the same time, and its place in the log must not be moved.
]]
local sessionKey, eventsKey, stateKey = KEYS[1], KEYS[2], KEYS[3]
local reader, lives, cursor, change = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
--- @include "../includes/progress.lua"

if redis.call('HGET', stateKey, 'reader') ~= reader or redis.call('EXISTS', sessionKey) == 0 then return 0 end
noteProgress(cursor, change)
for _, key in ipairs({ eventsKey, stateKey, sessionKey .. ':bytes' }) do redis.call('PEXPIRE', key, lives) end
return 1
