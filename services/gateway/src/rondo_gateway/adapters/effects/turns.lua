-- Turns: one change of a workspace at a time.
--
-- rondo_gateway_end_turn
--   keys:      the turn
--   arguments: the token it was taken with
--   result:    1 if it ended here, 0 if it had run out (and may be somebody else's)
--
-- Invariant: nobody ends another's turn.

redis.register_function('rondo_gateway_end_turn', function(keys, args)
  if redis.call('GET', keys[1]) ~= args[1] then return 0 end
  return redis.call('DEL', keys[1])
end)
