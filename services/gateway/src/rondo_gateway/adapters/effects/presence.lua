-- Presence: until when an agent counts as present, and until when the router knows of it.
--
-- rondo_gateway_renew_presence
--   keys:      the leases, the announced leases
--   arguments: agent id, until when a lease must have been held (ms), lease's end (ms), kept for (s)
--   result:    1 if the router is to be told that the agent is present, else 0
--
-- rondo_gateway_note_announced_presence
--   keys:      the announced leases
--   arguments: agent id, lease's end (ms), kept for (s)
--   result:    1
--
-- rondo_gateway_present
--   keys:      the leases
--   arguments: now (ms)
--   result:    the agents whose lease is not over
--
--   <ws>:presence              sorted set: agents by the end of their lease (ms); the router reads it
--   <ws>:presence:announced    sorted set: the same, of those whom the router was told of
--
-- Invariant: no lease is ever cut short, and one that was not announced is announced by whoever renews
-- it next.

local function hold(key, agent, lease_end, kept_s)
  redis.call('ZADD', key, 'GT', lease_end, agent)
  redis.call('EXPIRE', key, kept_s)
end

redis.register_function('rondo_gateway_renew_presence', function(keys, args)
  local present = tonumber(redis.call('ZSCORE', keys[1], args[1]) or '0')
  local announced = tonumber(redis.call('ZSCORE', keys[2], args[1]) or '0')
  hold(keys[1], args[1], args[3], args[4])
  if math.min(present, announced) <= tonumber(args[2]) then return 1 end
  hold(keys[2], args[1], args[3], args[4])
  return 0
end)

redis.register_function('rondo_gateway_note_announced_presence', function(keys, args)
  hold(keys[1], args[1], args[2], args[3])
  return 1
end)

redis.register_function('rondo_gateway_present', function(keys, args)
  return redis.call('ZRANGE', keys[1], '(' .. args[1], '+inf', 'BYSCORE')
end)
