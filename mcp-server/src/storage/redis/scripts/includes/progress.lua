--[[
  How the state of a stream notes how far its reader is.

  Expects  stateKey
  Defines  noteProgress(cursor, change): the last event that the reader got, and the number of the last change that it was told of;
           '' for what is not known. The number of a change only grows.
]]
local function noteProgress(cursor, change)
  if cursor ~= '' then redis.call('HSET', stateKey, 'cursor', cursor) end
  if change ~= '' and tonumber(redis.call('HGET', stateKey, 'changes') or '-1') < tonumber(change) then
    redis.call('HSET', stateKey, 'changes', change)
  end
end
