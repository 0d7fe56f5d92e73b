-- News for agents by email: gathered for each, and when their next mail may go out.
-- All keys are of one hash tag, for there is little of it, and any notifier sends it.
--
-- rondo_mail_note
--   keys:      the agent's news (a list), their ids (a sorted set), who is due (a sorted set, ms), until when
--              the agent is left alone (a string, ms)
--   arguments: agent (workspace/id), id of the news, the news (JSON), now (ms), 1 if it is urgent, seconds
--              to keep it, ids to remember
--   result:    1 if it is new, else 0
--
-- rondo_mail_claim
--   keys:      who is due
--   arguments: now (ms), until when what is claimed is left to the claimer (ms), how many at most
--   result:    agents whose news are to be sent by the caller
--
-- rondo_mail_sent
--   keys:      as rondo_mail_note
--   arguments: agent, how many of their oldest news were sent, until when they are left alone (ms), seconds
--              until then
--   result:    1
--
-- Invariant: a piece of news is in a list at most once, and nobody who has news is missing among the due.

redis.register_function('rondo_mail_note', function(keys, args)
  if redis.call('ZSCORE', keys[2], args[2]) then return 0 end
  redis.call('ZADD', keys[2], args[4], args[2])
  redis.call('ZREMRANGEBYRANK', keys[2], 0, -tonumber(args[7]) - 1)
  redis.call('RPUSH', keys[1], args[3])
  redis.call('EXPIRE', keys[1], args[6])
  redis.call('EXPIRE', keys[2], args[6])
  local due = tonumber(args[4])
  if args[5] ~= '1' then
    due = math.max(due, tonumber(redis.call('GET', keys[4]) or '0'))
  end
  local present = redis.call('ZSCORE', keys[3], args[1])
  if not present or tonumber(present) > due then
    redis.call('ZADD', keys[3], due, args[1])
  end
  return 1
end)

redis.register_function('rondo_mail_claim', function(keys, args)
  local due = redis.call('ZRANGEBYSCORE', keys[1], '-inf', args[1], 'LIMIT', 0, args[3])
  for _, agent in ipairs(due) do
    redis.call('ZADD', keys[1], args[2], agent)
  end
  return due
end)

redis.register_function('rondo_mail_sent', function(keys, args)
  redis.call('LTRIM', keys[1], args[2], -1)
  if tonumber(args[4]) > 0 then
    redis.call('SET', keys[4], args[3], 'EX', args[4])
  end
  if redis.call('LLEN', keys[1]) > 0 then
    redis.call('ZADD', keys[3], args[3], args[1])
  else
    redis.call('ZREM', keys[3], args[1])
  end
  return 1
end)
