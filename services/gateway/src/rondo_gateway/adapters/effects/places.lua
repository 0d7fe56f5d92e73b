-- Places: the numbers of a workspace's agents, in the order they joined.
--
-- rondo_gateway_next_place
--   keys:      the workspace's last place
--   arguments: the greatest place the caller knows of, '1' if that is the greatest in the log, else '0'
--   result:    the next place; 0 when none is stored and the caller's knowledge is not the log's
--
-- Invariant: a place is given once, and is greater than every place given before it. Where the store was
-- lost, the log's greatest place stands in for it.

redis.register_function('rondo_gateway_next_place', function(keys, args)
  local stored = redis.call('GET', keys[1])
  if not stored and args[2] == '0' then return 0 end
  local place = math.max(tonumber(stored or '0'), tonumber(args[1])) + 1
  redis.call('SET', keys[1], string.format('%d', place))
  return place
end)
