--[[
  Takes the first free one of some entries of a status list.

  KEYS     1 taken entries, one bit each
           2 marked entries, one bit each
           3 version
  ARGV     1 least lifetime of the list in seconds from now
           2… entries as Redis counts bits
  Returns  the entry, -1 if none of them is free, or -2 if there is no such list
  Atomic   because no two callers may take the same entry.
]]
local taken, marked, version = KEYS[1], KEYS[2], KEYS[3]
local lifetime = tonumber(ARGV[1])

if redis.call('EXISTS', version) == 0 then return -2 end
for position = 2, #ARGV do
  if redis.call('GETBIT', taken, ARGV[position]) == 0 then
    redis.call('SETBIT', taken, ARGV[position], 1)
    if redis.call('TTL', version) < lifetime then
      for _, key in ipairs({ taken, marked, version }) do redis.call('EXPIRE', key, lifetime) end
    end
    return tonumber(ARGV[position])
  end
end
return -1
