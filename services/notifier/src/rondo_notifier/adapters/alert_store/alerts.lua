-- Alerts: each is changed by whoever knows its latest version, and by nobody else.
--
-- rondo_alert_put
--   keys:      the alert (a hash), the latest alert of its conversation (a string), its agent's alerts (a
--              sorted set by when they were created)
--   arguments: alert id, version it was read in (0: it is new), record (JSON), course (JSON), untold events
--              (JSON list), created at (ms), alerts to keep an agent, seconds to keep it
--   result:    its version now, or 0 when it was changed since it was read
--
-- The alert's doorbell, a channel with its key's name, rings at every change of its record.
--
-- Invariant: of two changes that were decided on the same version, one takes effect.

redis.register_function('rondo_alert_put', function(keys, args)
  local version = tonumber(redis.call('HGET', keys[1], 'version') or '0')
  if version ~= tonumber(args[2]) then
    return 0
  end
  local is_new, before = version == 0, redis.call('HGET', keys[1], 'record')
  redis.call('HSET', keys[1], 'version', version + 1, 'record', args[3], 'course', args[4], 'untold', args[5])
  redis.call('EXPIRE', keys[1], args[8])
  if is_new then
    redis.call('SET', keys[2], args[1], 'EX', args[8])
    redis.call('ZADD', keys[3], args[6], args[1])
    redis.call('ZREMRANGEBYRANK', keys[3], 0, -tonumber(args[7]) - 1)
    redis.call('EXPIRE', keys[3], args[8])
  end
  if before ~= args[3] then
    redis.call('PUBLISH', keys[1], '')
  end
  return version + 1
end)
