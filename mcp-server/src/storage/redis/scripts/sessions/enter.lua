--[[
  Enters a session into an index of sessions, which has a limit. The score of a session is until when it was in use.

  KEYS     1 index
  ARGV     1 now
           2 sessions in use until before this are over, and leave the index
           3 most sessions
           4 id of the session
           5 milliseconds that the index lives
           6 '1' to evict the session that is idle for longest when the index is full, '0' to refuse
  Returns  the id of the evicted session, '' when none had to go, nil when the index is full
  Atomic   because sessions are opened at the same time: two must not take the last place.
]]
local index = KEYS[1]
local now, oldest, most, id, lives, evicts = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6] == '1'

redis.call('ZREMRANGEBYSCORE', index, '-inf', '(' .. oldest)
local evicted = ''
if redis.call('ZCARD', index) >= most then
  local idlest = redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')
  if not evicts or tonumber(idlest[2]) > tonumber(now) then return nil end
  evicted = idlest[1]
  redis.call('ZREM', index, evicted)
end
redis.call('ZADD', index, now, id)
redis.call('PEXPIRE', index, lives)
return evicted
