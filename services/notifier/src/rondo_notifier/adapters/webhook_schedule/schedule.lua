-- Webhooks to be delivered, and what became of them, per endpoint. <e> is the endpoint's key.
--
--   <e>:state     hash: epoch, number (of the last delivery), failing_since (ms), given_up (an activation)
--   <e>:waiting   sorted set of <lane>/<number>/<id>, by name: what is not at its end, each lane in order
--   <e>:due       sorted set: lanes whose oldest delivery may be tried, by when (ms)
--   <e>:flying    hash: lane -> id that is being tried now
--   <e>:bodies    hash: id -> what is sent, until its end
--   <e>:records   hash: id -> what the log tells
--   <e>:order     sorted set: ids by number
--   <e>:finished  sorted set: ids at their end, by when (ms)
--
-- rondo_webhook_schedule
--   keys: <e> of every endpoint (of one workspace) that the same event goes to
--   arguments: id, lane, body, record, now, deliveries that may wait, '1' to schedule again what came to
--              its end, ms to keep everything, then each endpoint's activation
--   result: for each endpoint scheduled, known, full or given_up
-- rondo_webhook_refuse
--   keys: <e>   arguments: id, record, now, records to keep, ms to keep them
--   result: 1; only the log has it
-- rondo_webhook_turn
--   keys: <e>   arguments: epoch, now, activation, records to keep, ms to keep them, how many attempts have
--               ended, for each of these its lane, id, record, when it is due again ('' for never) and '1'
--               for a success, then how many to claim at most, then the lanes the caller holds.
--               What else was being tried (by an earlier owner, or claimed by a call whose answer was
--               lost) is due at once, where something is claimed.
--   result: since when the endpoint fails (ms, '' when it does not), 1 if it was given up as it is
--           defined now, how many things were asked for, when the next one is due (ms, '' for none), then
--           for each claimed delivery its lane, body and record
-- rondo_webhook_give_up
--   keys: <e>   arguments: epoch, activation
--   result: 1
-- rondo_webhook_erase
--   keys: <e>   arguments: a conversation, which is a lane
--   result: how many of its deliveries were forgotten, under way or not
-- rondo_webhook_take_over
--   keys: the share   arguments: now, what is to be read again where the share is not known
--   result: the epoch, and what is to be read again, '' for nothing
--
-- Invariants: a lane stands in due or in flying exactly while it has something waiting. A delivery is
-- tried only as the oldest of its lane. A delivery that waits keeps its record and body; of those at their
-- end only the latest are kept. An effect with an older epoch than the endpoint has seen changes nothing.

local PARTS = { 'state', 'waiting', 'due', 'flying', 'bodies', 'records', 'order', 'finished' }

local function text(number)
  return string.format('%.0f', number)
end

local function fenced_off(e, epoch)
  local seen = redis.call('HGET', e .. ':state', 'epoch')
  if seen and tonumber(epoch) < tonumber(seen) then
    return redis.error_reply('FENCED epoch ' .. epoch .. ' is older than ' .. seen)
  end
  if not seen or tonumber(epoch) > tonumber(seen) then
    redis.call('HSET', e .. ':state', 'epoch', epoch)
  end
  return nil
end

-- The oldest deliveries of a lane, as they stand in waiting.
local function oldest(e, lane, count)
  return redis.call('ZRANGEBYLEX', e .. ':waiting', '[' .. lane .. '/', '(' .. lane .. '0', 'LIMIT', 0, count)
end

local function drop_records(e, ids)
  for _, id in ipairs(ids) do
    redis.call('ZREM', e .. ':finished', id)
    redis.call('ZREM', e .. ':order', id)
    redis.call('HDEL', e .. ':records', id)
  end
end

-- Of what came to its end, keep only the latest.
local function trim(e, now, kept, kept_ms)
  local over = redis.call('ZCARD', e .. ':finished') - tonumber(kept)
  if over > 0 then
    drop_records(e, redis.call('ZRANGE', e .. ':finished', 0, over - 1))
  end
  local stale = text(tonumber(now) - tonumber(kept_ms))
  drop_records(e, redis.call('ZRANGE', e .. ':finished', '-inf', stale, 'BYSCORE', 'LIMIT', 0, 100))
end

local function note(e, id, record)
  local number = redis.call('HINCRBY', e .. ':state', 'number', 1)
  redis.call('HSET', e .. ':records', id, record)
  redis.call('ZADD', e .. ':order', number, id)
  return number
end

local function schedule(e, args, activation)
  local id, lane, body, record, now = args[1], args[2], args[3], args[4], args[5]
  if redis.call('HGET', e .. ':state', 'given_up') == activation then return 'given_up' end
  if redis.call('HEXISTS', e .. ':bodies', id) == 1 then return 'known' end
  if args[7] ~= '1' and redis.call('HEXISTS', e .. ':records', id) == 1 then return 'known' end
  if redis.call('ZCARD', e .. ':waiting') >= tonumber(args[6]) then return 'full' end
  local number = note(e, id, record)
  redis.call('ZREM', e .. ':finished', id)
  redis.call('HSET', e .. ':bodies', id, body)
  redis.call('ZADD', e .. ':waiting', 0, lane .. '/' .. string.format('%016.0f', number) .. '/' .. id)
  if redis.call('HEXISTS', e .. ':flying', lane) == 0 then
    redis.call('ZADD', e .. ':due', 'NX', now, lane)
  end
  for _, part in ipairs(PARTS) do redis.call('PEXPIRE', e .. ':' .. part, args[8]) end
  return 'scheduled'
end

redis.register_function('rondo_webhook_schedule', function(keys, args)
  local results = {}
  for index, e in ipairs(keys) do
    results[index] = schedule(e, args, args[8 + index])
  end
  return results
end)

redis.register_function('rondo_webhook_refuse', function(keys, args)
  if redis.call('HEXISTS', keys[1] .. ':bodies', args[1]) == 1 then return 1 end
  note(keys[1], args[1], args[2])
  redis.call('ZADD', keys[1] .. ':finished', args[3], args[1])
  trim(keys[1], args[3], args[4], args[5])
  return 1
end)

local function take_back(e, held)
  for _, lane in ipairs(redis.call('HKEYS', e .. ':flying')) do
    if not held[lane] then
      redis.call('HDEL', e .. ':flying', lane)
      redis.call('ZADD', e .. ':due', 0, lane)
    end
  end
end

local function claim(e, now, count, claims)
  for _, lane in ipairs(redis.call('ZRANGE', e .. ':due', '-inf', now, 'BYSCORE', 'LIMIT', 0, count)) do
    redis.call('ZREM', e .. ':due', lane)
    local entry = oldest(e, lane, 1)[1]
    if entry then
      local id = string.sub(entry, #lane + 19)
      redis.call('HSET', e .. ':flying', lane, id)
      claims[#claims + 1] = lane
      claims[#claims + 1] = redis.call('HGET', e .. ':bodies', id)
      claims[#claims + 1] = redis.call('HGET', e .. ':records', id)
    end
  end
end

local function settle(e, lane, id, record, due, now)
  redis.call('HDEL', e .. ':flying', lane)
  redis.call('HSET', e .. ':records', id, record)
  if due ~= '' then
    redis.call('ZADD', e .. ':due', due, lane)
    return
  end
  local waiting = oldest(e, lane, 2)
  redis.call('ZREM', e .. ':waiting', waiting[1])
  redis.call('HDEL', e .. ':bodies', id)
  redis.call('ZADD', e .. ':finished', now, id)
  if waiting[2] then redis.call('ZADD', e .. ':due', now, lane) end
end

local function settle_all(e, now, args, first, last)
  for index = first, last, 5 do
    local lane, id = args[index], args[index + 1]
    -- Else it was settled before by the same call, or the endpoint was forgotten meanwhile.
    if redis.call('HGET', e .. ':flying', lane) == id then
      settle(e, lane, id, args[index + 2], args[index + 3], now)
      if args[index + 4] == '1' then
        redis.call('HDEL', e .. ':state', 'failing_since')
      else
        redis.call('HSETNX', e .. ':state', 'failing_since', now)
      end
    end
  end
end

redis.register_function('rondo_webhook_turn', function(keys, args)
  local e, now, ended = keys[1], args[2], tonumber(args[6])
  local fenced = fenced_off(e, args[1])
  if fenced then return fenced end
  if ended > 0 then
    settle_all(e, now, args, 7, 6 + ended * 5)
    trim(e, now, args[4], args[5])
  end
  local state = redis.call('HMGET', e .. ':state', 'failing_since', 'given_up')
  local given_up = state[2] == args[3]
  local answer = { state[1] or '', given_up and 1 or 0, redis.call('HLEN', e .. ':asked'), '' }
  local count = tonumber(args[7 + ended * 5])
  if count == 0 then return answer end
  local held = {}
  for index = 8 + ended * 5, #args do held[args[index]] = true end
  take_back(e, held)
  if given_up then return answer end
  claim(e, now, count, answer)
  answer[4] = redis.call('ZRANGE', e .. ':due', 0, 0, 'WITHSCORES')[2] or ''
  return answer
end)

redis.register_function('rondo_webhook_give_up', function(keys, args)
  local fenced = fenced_off(keys[1], args[1])
  if fenced then return fenced end
  redis.call('HSET', keys[1] .. ':state', 'given_up', args[2])
  redis.call('HDEL', keys[1] .. ':state', 'failing_since')
  return 1
end)

redis.register_function('rondo_webhook_erase', function(keys, args)
  local e, conversation = keys[1], args[1]
  redis.call('ZREMRANGEBYLEX', e .. ':waiting', '[' .. conversation .. '/', '(' .. conversation .. '0')
  redis.call('ZREM', e .. ':due', conversation)
  redis.call('HDEL', e .. ':flying', conversation)
  local erased = {}
  local records = redis.call('HGETALL', e .. ':records')
  for index = 1, #records, 2 do
    if cjson.decode(records[index + 1]).conversation_id == conversation then
      erased[#erased + 1] = records[index]
      redis.call('HDEL', e .. ':bodies', records[index])
    end
  end
  drop_records(e, erased)
  return #erased
end)

redis.register_function('rondo_webhook_take_over', function(keys, args)
  local epoch_key, reread_key = keys[1] .. ':epoch', keys[1] .. ':reread'
  local known = redis.call('GET', epoch_key)
  if not known then redis.call('SET', reread_key, args[2]) end
  local epoch = text(math.max(tonumber(known or '0') + 1, tonumber(args[1])))
  redis.call('SET', epoch_key, epoch)
  return { epoch, redis.call('GET', reread_key) or '' }
end)
