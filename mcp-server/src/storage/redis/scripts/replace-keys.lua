--[[
  Replaces the ring of sealing keys, if it is still the one that was read.

  KEYS     1 ring
  ARGV     1 ring that was read; '' for none, as a ring is never empty
           2 new ring
           3 seconds that it lives
  Returns  1, or 0 when another replica was faster
  Atomic   because it is a compare-and-set: two replicas that make a new key at the same time must end with one ring.
]]
local ring = KEYS[1]
local before, after, lifetime = ARGV[1], ARGV[2], ARGV[3]

if (redis.call('GET', ring) or '') ~= before then return 0 end
redis.call('SET', ring, after, 'EX', lifetime)
return 1
