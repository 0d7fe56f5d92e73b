-- Ratings: what the visitor said of a conversation that is over.
--
-- rondo_gateway_mark_rated
--   keys:      the conversation's view
--   arguments: the rating (JSON), its offset in the log
--   result:    0 if one was shown before, else 1
--
-- rondo_gateway_forget_rating
--   keys:      the conversation's view
--   result:    1
--
--   <ws>:conversation:<id>    the public view; rating (JSON), rating_offset and log_offset are set here
--
-- Invariants: of several ratings the one that is last in the log is shown; a view that is gone stays gone.

redis.register_function('rondo_gateway_mark_rated', function(keys, args)
  if redis.call('EXISTS', keys[1]) == 0 then return 1 end
  local shown, log = unpack(redis.call('HMGET', keys[1], 'rating_offset', 'log_offset'))
  local offset = tonumber(args[2])
  if offset > tonumber(shown or '-1') then
    redis.call('HSET', keys[1], 'rating', args[1], 'rating_offset', args[2])
  end
  if offset > tonumber(log or '-1') then
    redis.call('HSET', keys[1], 'log_offset', args[2])
  end
  return shown and 0 or 1
end)

redis.register_function('rondo_gateway_forget_rating', function(keys)
  redis.call('HDEL', keys[1], 'rating')
  return 1
end)
