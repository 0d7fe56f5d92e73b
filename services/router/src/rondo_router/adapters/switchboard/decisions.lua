-- Decisions: what becomes of each chat request and each command on it. See sessions.lua for what all
-- of these functions take and give. Their own arguments:
--
-- rondo_request_chat    conversation, plan (JSON), request (JSON)
-- rondo_accept_chat     conversation, agent id
-- rondo_decline_chat    conversation, agent id
-- rondo_take_chat       conversation, agent id
-- rondo_withdraw_chat   conversation, by (JSON party)
-- rondo_transfer_chat   conversation, agent id, plan (JSON)
-- rondo_end_chat        conversation, by (JSON party)
-- rondo_time_out_offer  conversation, attempt
-- rondo_leave_queue     conversation, attempt
-- rondo_resume_chat     conversation
--
-- rondo_preview_route   plan (JSON), request (JSON); changes nothing, gives { decision }, with `preview`
--
--   <ws>:engagements      hash: how many requests counted, by calendar month

-- Whether the month has had as many engagements as it may.
local function is_engagement_limit_reached(ws, plan)
  local limit = plan.engagements.routed_max
  local month = plan.engagements.month
  return limit and tonumber(redis.call('HGET', ws .. ':engagements', month) or '0') >= limit
end

-- Why the request falls back before anybody is asked, or nil.
local function guard_of(ws, plan)
  if plan.guard ~= 'live_chat_disabled' and is_engagement_limit_reached(ws, plan) then
    return 'engagement_limit'
  end
  return plan.guard
end

-- Why this agent cannot take or refuse the offer, or nil.
local function offer_refusal(s, chat, agent)
  if chat.offered == agent then
    return s.now >= chat.expires_at and 'offer-expired' or nil
  end
  if chat.status == 'active' then
    return 'conversation-already-taken'
  end
  return set_of(chat.tried)[agent] and 'offer-expired' or 'not-offered-to-you'
end

-- Whom it is offered to has it now.
local function accept(s, chat)
  tell(s, chat, {
    type = 'accepted', attempt = chat.attempt, agent = cjson.decode(chat.offered_card),
  })
  if chat.transfer then
    complete_transfer(s, chat)
  else
    chat.agent, chat.card, chat.status = chat.offered, chat.offered_card, 'active'
  end
  clear_offer(chat)
  begin_idling(s, chat)
end

-- Why this agent cannot take the chat out of the queue, or nil.
local function taking_refusal(s, chat, agent)
  if chat.status == 'queued' then
    return no_room(s.ws, agent)
  end
  return chat.status == 'active' and 'conversation-already-taken' or 'conversation-not-queued'
end

-- An offer that was declined or missed.
local function leave_unanswered(s, chat, how)
  tell(s, chat, { type = how, agent_id = chat.offered, attempt = chat.attempt })
  close_offer(s, chat)
  if chat.transfer then
    chat.transfer.unanswered = chat.transfer.unanswered + 1
    return go_on_transferring(s, chat)
  end
  chat.unanswered = chat.unanswered + 1
  go_on(s, chat)
end

local function rescind(s, chat, reason)
  tell(s, chat, {
    type = 'rescinded', agent_id = chat.offered, attempt = chat.attempt, reason = reason,
  })
  close_offer(s, chat)
end

-- The visitor waits no more; gives a refusal where they do not wait.
local function withdraw(s, chat, by)
  if chat.status == 'withdrawn' then
    return nil
  elseif chat.status == 'queued' then
    leave_queue(s, chat)
  elseif chat.status == 'offered' then
    rescind(s, chat, 'withdrawn')
  else
    return chat.status == 'active' and 'conversation-already-active' or 'conversation-over'
  end
  chat.status = 'withdrawn'
  tell(s, chat, { type = 'withdrawn', by = by })
end

-- An active conversation is over. What it held is given back.
local function end_chat(s, chat, reason, by)
  if chat.offered ~= '' then
    rescind(s, chat, 'ended')
  end
  chat.transfer = nil
  chat.status = 'ended'
  tell(s, chat, { type = 'ended', reason = reason, by = by, agent = cjson.decode(chat.card) })
  release_place(s, chat.agent, chat.conversation)
end

redis.register_function('rondo_request_chat', function(keys, args)
  return decide(keys, args, function(s)
    local chat = chat_of(s, args[6])
    if chat.is_known then return end
    chat.is_known = true
    chat.plan, chat.request, chat.status, chat.stage = cjson.decode(args[7]), args[8], 'requested', 1
    redis.call('HSET', chat_key(s.ws, args[6]), 'plan', args[7], 'request', args[8])
    local guard = guard_of(s.ws, chat.plan)
    if guard then
      return fall_back(s, chat, guard, { stage = 'guards' })
    end
    redis.call('HINCRBY', s.ws .. ':engagements', chat.plan.engagements.month, 1)
    begin_lease(s, chat)
    offer_next(s, chat)
  end)
end)

redis.register_function('rondo_accept_chat', function(keys, args)
  return decide(keys, args, function(s)
    local chat, agent = chat_of(s, args[6]), args[7]
    if chat.status == 'active' and chat.agent == agent then
      return nil -- Another device of theirs, or a retry: they have it.
    end
    local refusal = offer_refusal(s, chat, agent)
    if refusal then return refusal end
    accept(s, chat)
  end)
end)

redis.register_function('rondo_take_chat', function(keys, args)
  return decide(keys, args, function(s)
    local chat, agent = chat_of(s, args[6]), args[7]
    if chat.status == 'active' and chat.agent == agent then
      return nil -- As with accepting.
    elseif chat.status == 'offered' and not offer_refusal(s, chat, agent) then
      return accept(s, chat) -- It has come to them by itself meanwhile.
    end
    local refusal = taking_refusal(s, chat, agent)
    if refusal then return refusal end
    offer_from_queue(s, chat, agent)
    accept(s, chat)
  end)
end)

redis.register_function('rondo_decline_chat', function(keys, args)
  return decide(keys, args, function(s)
    local chat = chat_of(s, args[6])
    local refusal = offer_refusal(s, chat, args[7])
    if refusal then return refusal end
    leave_unanswered(s, chat, 'declined')
  end)
end)

redis.register_function('rondo_time_out_offer', function(keys, args)
  return decide(keys, args, function(s)
    local chat = chat_of(s, args[6])
    if chat.offered ~= '' and chat.attempt == tonumber(args[7]) and s.now >= chat.expires_at then
      leave_unanswered(s, chat, 'timed_out')
    end
  end)
end)

redis.register_function('rondo_withdraw_chat', function(keys, args)
  return decide(keys, args, function(s)
    return withdraw(s, chat_of(s, args[6]), cjson.decode(args[7]))
  end)
end)

redis.register_function('rondo_transfer_chat', function(keys, args)
  return decide(keys, args, function(s)
    local chat = chat_of(s, args[6])
    if chat.status ~= 'active' then
      return 'conversation-not-active'
    elseif chat.agent ~= args[7] then
      return 'not-your-conversation'
    elseif chat.transfer then
      return 'transfer-under-way'
    end
    return begin_transfer(s, chat, cjson.decode(args[8]))
  end)
end)

redis.register_function('rondo_end_chat', function(keys, args)
  return decide(keys, args, function(s)
    local chat, by = chat_of(s, args[6]), cjson.decode(args[7])
    if by.type == 'agent' and chat.agent ~= by.id then
      return 'not-your-conversation'
    elseif chat.status == 'ended' then
      return nil
    elseif chat.status ~= 'active' then
      return 'conversation-not-active'
    end
    end_chat(s, chat, by.type == 'agent' and 'agent_ended' or 'visitor_ended', by)
  end)
end)

redis.register_function('rondo_leave_queue', function(keys, args)
  return decide(keys, args, function(s)
    local chat = chat_of(s, args[6])
    if chat.status == 'queued' and chat.attempt == tonumber(args[7]) and s.now >= chat.queue_until then
      local why = look_along(s.ws, chat.plan, chat.stage, set_of(chat.tried))
      leave_queue(s, chat)
      fall_back(s, chat, 'queue_timeout', why)
    end
  end)
end)

redis.register_function('rondo_resume_chat', function(keys, args)
  return decide(keys, args, function(s)
    local chat = chat_of(s, args[6])
    if chat.status == 'requested' then
      go_on(s, chat)
    end
  end)
end)

local function preview(ws, plan)
  local guard = guard_of(ws, plan)
  if guard then
    return { outcome = 'fell_back', reason = guard, why = { stage = 'guards' } }
  end
  local why, index, agent, turn = look_along(ws, plan, 1, {})
  if agent then
    why.place, why.turn = turn and place_of(turn), turn
    why.attempts_left = plan.stages[index].attempts_max - 1
    why.stages_left = stages_after(plan, index)
    local card = cjson.decode(redis.call('HGET', agent_key(ws, agent), 'card'))
    return { outcome = 'offered', agent = card, why = why }
  end
  if not plan.queue then
    return { outcome = 'fell_back', reason = plan.nobody, why = why }
  end
  return nil, why
end

local function preview_of_wait(ws, plan, request, why)
  if redis.call('ZCARD', queue_key(ws)) >= plan.queue.size_max then
    return { outcome = 'fell_back', reason = 'queue_full', why = why }
  end
  local last = number(score_of(request.priority or 0, ORDERS - 1))
  local position = redis.call('ZCOUNT', queue_key(ws), '-inf', last) + 1
  local queue = { position = position, estimated_wait_s = wait_for(ws, position) }
  return { outcome = 'queued', queue = queue, why = why }
end

redis.register_function('rondo_preview_route', function(keys, args)
  local ws, plan = keys[1], cjson.decode(args[6])
  local fenced = check_epoch(ws, args[1])
  if fenced then return fenced end
  local found, why = preview(ws, plan)
  local text = cjson.encode({
    cause = args[2], at = tonumber(args[3]), is_command = args[5] == '1',
    preview = found or preview_of_wait(ws, plan, cjson.decode(args[7]), why),
  })
  return { text }
end)
