--[[
  Drops streams of a session that are over and that nobody reads, and may leave it little room for a while.

  KEYS     1 record of the session
  ARGV     1 most bytes that the session is to have left
           2 which budget is used up, so that the session has little room; '' to leave that as it is
           3 milliseconds that it has little room
  Returns  the bytes that the session has left
  Atomic   because events are added at the same time: the sum and the streams must agree.
]]
local sessionKey = KEYS[1]
local most, budget, tightFor = tonumber(ARGV[1]), ARGV[2], ARGV[3]
--- @include "../includes/bytes.lua"
--- @include "../includes/shed.lua"

local total = shed(most)
if budget ~= '' then redis.call('SET', sessionKey .. ':tight', budget, 'PX', tightFor) end
if total > 0 then redis.call('HSET', bytesKey, 'told', math.floor(total / STEP)) end
return total
