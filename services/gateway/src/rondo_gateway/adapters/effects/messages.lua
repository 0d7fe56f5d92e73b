-- Messages: whether one may be said, and whether it was.
--
-- rondo_gateway_reserve_message
--   keys:      the conversation's view, its messages, the epoch
--   arguments: client id (with the side that gave it), the message (JSON), the writing agent's id or '',
--              now (ms), kept for (s)
--   result:    { 'reserved', message, agent }   publish it; perhaps again, then it is the first attempt's
--              { 'posted', message, agent }     it is in the log already
--              { 'not_active' }
--              { 'rebuilding' }                 it may be active: what Redis lost is being brought back
--
-- rondo_gateway_mark_posted
--   keys:      the conversation's view, its messages
--   arguments: client id, the message (JSON), its offset in the log, kept for (s), the message's id
--   result:    1 if it was not marked before, else 0
--
--   <ws>:conversation:<id>             the public view; last_message_at (ms) and log_offset are set here
--   <ws>:conversation:<id>:messages:ids  sorted set: message ids, by their offset in the log
--   <ws>:conversation:<id>:messages:of_visitor  the same, of those that the visitor wrote
--   <ws>:conversation:<id>:messages    hash: client id -> 'r' or 'p' (reserved, posted) and the message
--
-- Invariant: a client id stands for one message; one that was not posted is let through only while the
-- conversation is active, and then marks when it was last talked in.

redis.register_function('rondo_gateway_reserve_message', function(keys, args)
  local view = redis.call('HMGET', keys[1], 'status', 'agent_id')
  local known = redis.call('HGET', keys[2], args[1])
  if known and known:sub(1, 1) == 'p' then
    return { 'posted', known:sub(2), view[2] or '' }
  end
  if not view[1] and missing(keys[3]) == 'rebuilding' then return { 'rebuilding' } end
  if view[1] ~= 'active' or (args[3] ~= '' and args[3] ~= view[2]) then
    return { 'not_active' }
  end
  redis.call('HSET', keys[1], 'last_message_at', args[4])
  if not known then
    known = 'r' .. args[2]
    redis.call('HSET', keys[2], args[1], known)
  end
  redis.call('EXPIRE', keys[2], args[5])
  return { 'reserved', known:sub(2), view[2] }
end)

redis.register_function('rondo_gateway_mark_posted', function(keys, args)
  local noted = redis.call('HGET', keys[1], 'log_offset')
  local is_shown = redis.call('EXISTS', keys[1]) == 1
  if is_shown and tonumber(args[3]) > tonumber(noted or '-1') then
    redis.call('HSET', keys[1], 'log_offset', args[3])
  end
  local ids = keys[2] .. ':ids'
  redis.call('ZADD', ids, 'NX', args[3], args[5])
  redis.call('EXPIRE', ids, args[4])
  if args[1]:sub(1, 8) == 'visitor/' then
    local of_visitor = keys[2] .. ':of_visitor'
    redis.call('ZADD', of_visitor, 'NX', args[3], args[5])
    redis.call('EXPIRE', of_visitor, args[4])
  end
  local known = redis.call('HGET', keys[2], args[1])
  if known and known:sub(1, 1) == 'p' then return 0 end
  redis.call('HSET', keys[2], args[1], 'p' .. args[2])
  redis.call('EXPIRE', keys[2], args[4])
  return 1
end)
