--[[
  How many bytes of events the streams of a session have, and how a stream is dropped.

  Expects  sessionKey
  Defines  bytesKey, STEP, giveBack(stream), drop(stream)

  The hash at bytesKey has a field `s:<stream>` for each stream, `total` for all of them, and `told`: the step that the ledger of the
  person knows. Bytes are taken off as `0 - bytes`: of none, `-bytes` is -0, which Redis 7.0 takes for no integer.
]]
local bytesKey = sessionKey .. ':bytes'

-- A session tells the ledger of its person when its bytes have changed by about this much.
local STEP = 16384

-- Takes the bytes of a stream off the sum. Returns the new sum.
local function giveBack(stream)
  if redis.call('EXISTS', bytesKey) == 0 then return 0 end
  local bytes = tonumber(redis.call('HGET', bytesKey, 's:' .. stream) or '0')
  redis.call('HDEL', bytesKey, 's:' .. stream)
  return redis.call('HINCRBY', bytesKey, 'total', 0 - bytes)
end

-- Deletes a stream. Returns the bytes that the session has left.
local function drop(stream)
  redis.call('UNLINK', sessionKey .. ':events:' .. stream, sessionKey .. ':stream:' .. stream)
  return giveBack(stream)
end
