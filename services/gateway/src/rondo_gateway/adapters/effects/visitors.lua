-- Visitors: until when the visitor of a conversation was seen, over all their streams.
--
-- rondo_gateway_see_visitor
--   keys:      visitors' presence, the streams of the conversation's visitor
--   arguments: conversation, stream, now (ms), until (ms), kept for (s)
--   result:    1
-- rondo_gateway_leave_visitor
--   keys:      visitors' presence, the streams of the conversation's visitor
--   arguments: conversation, stream, now (ms), kept for (s)
--   result:    until when the visitor was seen (ms)
--
--   <ws>:visitor_presence              sorted set: conversations, by until when their visitor was seen (ms);
--                                      the router reads it
--   <ws>:conversation:<id>:streams     sorted set: open streams of the visitor, by until when they were seen
--
-- Invariant: as long as a stream of theirs was seen lately, closing another does not make a visitor gone.

local function forget_old_visitors(key, now, kept_s)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. string.format('%.0f', tonumber(now) - kept_s * 1000))
  redis.call('EXPIRE', key, kept_s)
end

redis.register_function('rondo_gateway_see_visitor', function(keys, args)
  redis.call('ZADD', keys[2], args[4], args[2])
  redis.call('EXPIRE', keys[2], args[5])
  redis.call('ZADD', keys[1], 'GT', args[4], args[1])
  forget_old_visitors(keys[1], args[3], args[5])
  return 1
end)

redis.register_function('rondo_gateway_leave_visitor', function(keys, args)
  redis.call('ZREM', keys[2], args[2])
  redis.call('ZREMRANGEBYSCORE', keys[2], '-inf', args[3])
  local last = redis.call('ZRANGE', keys[2], -1, -1, 'WITHSCORES')
  local until_ms = last[2] or args[3]
  redis.call('ZADD', keys[1], until_ms, args[1])
  forget_old_visitors(keys[1], args[3], args[4])
  return tonumber(until_ms)
end)
