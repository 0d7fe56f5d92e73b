-- Decisions: what becomes of each chat request and each command on it.
--
-- Every function here takes
--   keys:      the workspace
--   arguments: epoch, cause (event id), the present time in ms, conversation id, then its own
-- and gives { decision, request }: two JSON texts. A decision has
--   version        counts the decisions of this chat
--   at             when it was taken, in ms
--   steps          what happened, in order: each becomes one event
--   refusal        why nothing happened, as a stable code
--   repeated       true when everything was told to the world before
--
-- rondo_request_chat    plan (JSON), request (JSON)
-- rondo_accept_chat     agent id
-- rondo_decline_chat    agent id
-- rondo_withdraw_chat   by (JSON party)
-- rondo_end_chat        by (JSON party)
-- rondo_time_out_offer  attempt
--
-- Invariant: the same cause gets the same decision, however often it is asked.

local function load_chat(ws, conversation)
  local fields = redis.call('HMGET', chat_key(ws, conversation),
    'status', 'plan', 'stage', 'attempt', 'agent', 'expires_at', 'tried', 'version', 'request')
  if not fields[1] then
    return { conversation = conversation, version = 0 }
  end
  return {
    conversation = conversation, status = fields[1], plan = cjson.decode(fields[2]),
    stage = tonumber(fields[3]), attempt = tonumber(fields[4]), agent = fields[5],
    expires_at = tonumber(fields[6]), tried = cjson.decode(fields[7]),
    version = tonumber(fields[8]), request = fields[9],
  }
end

local function save_chat(ws, chat, cause, decision)
  local key = chat_key(ws, chat.conversation)
  redis.call('HSET', key, 'decision:' .. cause, decision, 'version', chat.version)
  if chat.status then
    redis.call('HSET', key, 'status', chat.status, 'stage', chat.stage, 'attempt', chat.attempt,
      'agent', chat.agent, 'expires_at', number(chat.expires_at), 'tried', cjson.encode(chat.tried))
  end
  redis.call('EXPIRE', key, CHAT_KEPT_S)
end

-- Take the decision that rule(chat, now) takes, once: it returns steps, or nil and a refusal.
local function decide(keys, args, rule)
  local ws, cause, now, conversation = keys[1], args[2], tonumber(args[3]), args[4]
  local fenced = check_epoch(ws, args[1])
  if fenced then return fenced end
  local chat = load_chat(ws, conversation)
  local known = redis.call('HGET', chat_key(ws, conversation), 'decision:' .. cause)
  if known then
    local decision = cjson.decode(known)
    local shown = redis.call('HGET', ws .. ':conversation:' .. conversation, 'version')
    decision.repeated = tonumber(shown or '0') >= decision.version
    return { cjson.encode(decision), chat.request or '' }
  end
  local steps, refusal = rule(ws, chat, now)
  chat.version = chat.version + 1
  local decision = cjson.encode({
    version = chat.version, at = now, steps = steps, refusal = refusal,
  })
  save_chat(ws, chat, cause, decision)
  return { decision, chat.request or '' }
end

local function close(ws, chat, status)
  release_place(ws, chat.agent, chat.conversation)
  chat.status = status
end

-- The chat's agent as the visitor may see them, kept from the offer on, also when they were deleted.
local function card_of(ws, chat)
  return cjson.decode(redis.call('HGET', chat_key(ws, chat.conversation), 'card'))
end

-- Why this agent cannot take or refuse the offer, or nil.
local function offer_refusal(chat, agent, now)
  if chat.status == 'offered' and chat.agent == agent then
    return now >= chat.expires_at and 'offer-expired' or nil
  end
  if chat.status == 'active' then
    return 'conversation-already-taken'
  end
  return set_of(chat.tried or {})[agent] and 'offer-expired' or 'not-offered-to-you'
end

redis.register_function('rondo_request_chat', function(keys, args)
  return decide(keys, args, function(ws, chat, now)
    if chat.status then
      return {}
    end
    chat.plan, chat.request = cjson.decode(args[5]), args[6]
    chat.stage, chat.attempt, chat.agent, chat.expires_at, chat.tried = 1, 0, '', 0, {}
    redis.call('HSET', chat_key(ws, chat.conversation), 'plan', args[5], 'request', args[6])
    return { offer_next(ws, chat, now) }
  end)
end)

redis.register_function('rondo_accept_chat', function(keys, args)
  return decide(keys, args, function(ws, chat, now)
    local agent = args[5]
    if chat.status == 'active' and chat.agent == agent then
      return {} -- Another device of theirs, or a retry: they have it.
    end
    local refusal = offer_refusal(chat, agent, now)
    if refusal then return nil, refusal end
    chat.status = 'active'
    return { { type = 'accepted', attempt = chat.attempt, agent = card_of(ws, chat) } }
  end)
end)

redis.register_function('rondo_decline_chat', function(keys, args)
  return decide(keys, args, function(ws, chat, now)
    local agent = args[5]
    local refusal = offer_refusal(chat, agent, now)
    if refusal then return nil, refusal end
    local declined = { type = 'declined', agent_id = agent, attempt = chat.attempt }
    release_place(ws, agent, chat.conversation)
    return { declined, offer_next(ws, chat, now) }
  end)
end)

redis.register_function('rondo_time_out_offer', function(keys, args)
  return decide(keys, args, function(ws, chat, now)
    local open = chat.status == 'offered' and chat.attempt == tonumber(args[5])
    if not open or now < chat.expires_at then
      return {}
    end
    local missed = { type = 'timed_out', agent_id = chat.agent, attempt = chat.attempt }
    release_place(ws, chat.agent, chat.conversation)
    return { missed, offer_next(ws, chat, now) }
  end)
end)

redis.register_function('rondo_withdraw_chat', function(keys, args)
  return decide(keys, args, function(ws, chat, now)
    if chat.status == 'withdrawn' then
      return {}
    end
    if chat.status ~= 'offered' then
      return nil, chat.status == 'active' and 'conversation-already-active' or 'conversation-over'
    end
    local rescinded = { type = 'rescinded', agent_id = chat.agent, attempt = chat.attempt }
    close(ws, chat, 'withdrawn')
    return { rescinded, { type = 'withdrawn', by = cjson.decode(args[5]) } }
  end)
end)

redis.register_function('rondo_end_chat', function(keys, args)
  return decide(keys, args, function(ws, chat, now)
    local by = cjson.decode(args[5])
    if by.type == 'agent' and chat.agent ~= by.id then
      return nil, 'not-your-conversation'
    end
    if chat.status == 'ended' then
      return {}
    end
    if chat.status ~= 'active' then
      return nil, 'conversation-not-active'
    end
    close(ws, chat, 'ended')
    local reason = by.type == 'agent' and 'agent_ended' or 'visitor_ended'
    return { { type = 'ended', reason = reason, by = by, agent = card_of(ws, chat) } }
  end)
end)
