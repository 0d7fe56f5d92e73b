-- Sessions of agents in browsers.
--
-- rondo_gateway_begin_session
--   keys:      the agent's sessions; and a ticket, where the session takes one
--   arguments: session, now (ms), idle until (ms), ends (ms), record, how many at most
--   result:    1; 0 when the ticket was used before: then there is no session
-- rondo_gateway_use_session
--   keys:      the agent's sessions
--   arguments: session, now (ms), idle time (ms)
--   result:    the record; nil when there is no such session (any more)
-- rondo_gateway_end_session
--   keys:      the agent's sessions
--   arguments: session
--   result:    1 when it was there, else 0
-- rondo_gateway_end_sessions
--   keys:      the agent's sessions
--   result:    1 when there were any, else 0
--
--   <ws>:agent:<id>:sessions    hash: session (the SHA-256 of its secret) → "idle-until ends record"; rings
--                               when one is ended
--
-- Invariant: a ticket begins one session at most; a session that is over begins no more by being used.

-- How often a session that is used again and again is written anew, per idle time.
local RENEWALS = 100

local function ms(number)
  return string.format('%.0f', number)
end

local function parts(kept)
  local idle_until, ends, record = string.match(kept, '^(%d+) (%d+) (.*)$')
  return tonumber(idle_until), tonumber(ends), record
end

-- Leaves room for one more.
local function forget_sessions(key, now, count_max)
  local oldest, oldest_until, count = nil, nil, 0
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    local idle_until = parts(all[i + 1])
    if idle_until <= now then
      redis.call('HDEL', key, all[i])
    else
      count = count + 1
      if not oldest or idle_until < oldest_until then
        oldest, oldest_until = all[i], idle_until
      end
    end
  end
  if count >= count_max then
    redis.call('HDEL', key, oldest)
    redis.call('PUBLISH', key, '')
  end
end

redis.register_function('rondo_gateway_begin_session', function(keys, args)
  if redis.call('HEXISTS', keys[1], args[1]) == 1 then
    return 1 -- A repeated call: the ticket was used by the first.
  end
  if keys[2] and redis.call('DEL', keys[2]) == 0 then
    return 0
  end
  local now, ends = tonumber(args[2]), tonumber(args[4])
  forget_sessions(keys[1], now, tonumber(args[6]))
  redis.call('HSET', keys[1], args[1], args[3] .. ' ' .. args[4] .. ' ' .. args[5])
  redis.call('PEXPIRE', keys[1], ms(math.max(ends - now, redis.call('PTTL', keys[1]))))
  return 1
end)

redis.register_function('rondo_gateway_use_session', function(keys, args)
  local kept = redis.call('HGET', keys[1], args[1])
  if not kept then
    return nil
  end
  local now, idle = tonumber(args[2]), tonumber(args[3])
  local idle_until, ends, record = parts(kept)
  if idle_until <= now then
    redis.call('HDEL', keys[1], args[1])
    return nil
  end
  local renewed = math.min(now + idle, ends)
  if renewed - idle_until >= idle / RENEWALS then
    redis.call('HSET', keys[1], args[1], ms(renewed) .. ' ' .. ms(ends) .. ' ' .. record)
  end
  return record
end)

redis.register_function('rondo_gateway_end_session', function(keys, args)
  local ended = redis.call('HDEL', keys[1], args[1])
  redis.call('PUBLISH', keys[1], '')
  return ended
end)

redis.register_function('rondo_gateway_end_sessions', function(keys, args)
  local ended = redis.call('DEL', keys[1])
  redis.call('PUBLISH', keys[1], '')
  return ended
end)
