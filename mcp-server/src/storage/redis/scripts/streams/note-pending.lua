--[[
  Notes which requests a replica has yet to answer on a stream that it does not own.

  KEYS     1 record of the session, 2 state of the stream
  ARGV     1 field of the replica
           2 its requests, or '' for none
           3 milliseconds that the stream lives
  Returns  1, or 0 when the session is over or there was nothing to take away
  Atomic   because the record may expire in between, and no state of a stream may outlive its session.
]]
local sessionKey, stateKey = KEYS[1], KEYS[2]
local field, requests, lives = ARGV[1], ARGV[2], ARGV[3]

if redis.call('EXISTS', sessionKey) == 0 then return 0 end
if requests == '' then return redis.call('HDEL', stateKey, field) end
redis.call('HSET', stateKey, field, requests)
redis.call('PEXPIRE', stateKey, lives)
return 1
