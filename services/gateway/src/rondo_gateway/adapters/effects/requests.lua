-- Chat requests: what an Idempotency-Key stands for, and the first view of a conversation.
--
-- rondo_gateway_begin_request
--   keys:      the reservation, the workspace's newest directory offset, the workspace
--   arguments: fingerprint of the request, conversation id, requested at (ms), kept for (s)
--   result:    { outcome, conversation id, requested at (ms), 1 if it has a view, directory offset }
--              outcome: 'new', 'replayed', or 'mismatch' (the key stands for another request)
--
-- rondo_gateway_show_requested
--   keys:      the conversation's view, the offset of the workspace's newest request in the log
--   arguments: the request's offset, then name and value of each field of the view
--   result:    1 if it is shown now, 0 if there was a view
--
-- rondo_gateway_newest_request
--   keys:      the offset of the workspace's newest request in the log
--   result:    that offset; -1 before the first
--
-- rondo_gateway_reserve_mail
--   keys:      how many transcripts of the conversation were asked for by email
--   arguments: how many at most, in so many seconds
--   result:    0 when there may be one more, and it is counted; else in how many seconds there may be
--
--   <ws>:request:<key>         hash: fingerprint, conversation, requested_at
--   <ws>:conversation:<id>     the public view
--   <ws>:requests_offset       number: the newest request a caller was answered about; never goes back
--
-- Invariant: while a reservation is kept, everybody who shows its key is told the same conversation and
-- the same time; a view once shown is the router's to change.

redis.register_function('rondo_gateway_begin_request', function(keys, args)
  local known = redis.call('HMGET', keys[1], 'fingerprint', 'conversation', 'requested_at')
  local outcome = 'replayed'
  if not known[1] then
    outcome = 'new'
    known = { args[1], args[2], args[3] }
    redis.call('HSET', keys[1], 'fingerprint', args[1], 'conversation', args[2], 'requested_at', args[3])
    redis.call('EXPIRE', keys[1], args[4])
  elseif known[1] ~= args[1] then
    outcome = 'mismatch'
  end
  local shown = redis.call('EXISTS', keys[3] .. ':conversation:' .. known[2])
  return { outcome, known[2], known[3], shown, newest_directory_offset(keys[2]) }
end)

redis.register_function('rondo_gateway_show_requested', function(keys, args)
  if tonumber(args[1]) > tonumber(redis.call('GET', keys[2]) or '-1') then
    redis.call('SET', keys[2], args[1])
  end
  if redis.call('EXISTS', keys[1]) == 1 then return 0 end
  redis.call('HSET', keys[1], unpack(args, 2))
  return 1
end)

redis.register_function('rondo_gateway_newest_request', function(keys)
  return tonumber(redis.call('GET', keys[1]) or '-1')
end)

redis.register_function('rondo_gateway_reserve_mail', function(keys, args)
  if tonumber(redis.call('GET', keys[1]) or '0') >= tonumber(args[1]) then
    return math.max(1, redis.call('TTL', keys[1]))
  end
  if redis.call('INCR', keys[1]) == 1 then redis.call('EXPIRE', keys[1], args[2]) end
  return 0
end)
