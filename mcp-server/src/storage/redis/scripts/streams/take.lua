--[[
  Makes a connection the reader of a stream, whoever read it before.

  KEYS     1 record of the session, 2 state of the stream, 3 streams of the session that are over
  ARGV     1 reader
           2 milliseconds that the stream lives
           3 name of the stream
  Returns  { reader before or '', last event that it got or '', number of the last change that was told or '' }
           nil when the session is over
  Atomic   because two connections of one client may come at the same time: each must learn of the one that it replaces.
]]
local sessionKey, stateKey, overKey = KEYS[1], KEYS[2], KEYS[3]
local reader, lives, stream = ARGV[1], ARGV[2], ARGV[3]

if redis.call('EXISTS', sessionKey) == 0 then return nil end
local state = redis.call('HMGET', stateKey, 'reader', 'cursor', 'changes')
redis.call('HSET', stateKey, 'reader', reader)
redis.call('PEXPIRE', stateKey, lives)
redis.call('PEXPIRE', sessionKey .. ':bytes', lives)
redis.call('LREM', overKey, 0, stream)
return { state[1] or '', state[2] or '', state[3] or '' }
