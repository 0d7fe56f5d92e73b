-- Offers: walking a chat's plan to the next agent, and falling back when there is none.
--
--   <ws>:chat:<conversation>  hash: the chat as the router knows it
--     status, request (JSON), plan (JSON), stage, attempt, agent, card, expires_at, tried (JSON),
--     version, and decision:<cause> for each decision taken
--
-- Invariants: at most one offer of a chat is open; nobody is offered the same chat twice; an offer
-- holds a place of the agent's capacity.

local CHAT_KEPT_S = 7 * 24 * 60 * 60

local function chat_key(ws, conversation)
  return ws .. ':chat:' .. conversation
end

local function set_of(list)
  local set = {}
  for _, each in ipairs(list) do set[each] = true end
  return set
end

-- A stage's candidate: the agent and, where the stage has a sequence, their turn. And who was passed.
local function find_candidate(ws, stage, tried)
  if stage.pool then
    local agent, turn = whose_turn(ws, stage.pool, tried)
    local passed, count = passed_over(ws, stage.pool, turn, tried)
    return agent, turn, passed, count
  end
  local reason = tried[stage.agent_id] and 'already_tried' or unfit(ws, stage.agent_id)
  if reason then
    return nil, nil, { { agent_id = stage.agent_id, reason = reason } }, 1
  end
  return stage.agent_id, nil, {}, 0
end

local function stages_after(plan, index)
  local names = {}
  for i = index + 1, #plan.stages do names[#names + 1] = plan.stages[i].name end
  return names
end

local function fall_back(ws, chat, reason, why)
  chat.status = 'fell_back'
  chat.agent = ''
  return {
    type = 'fell_back', reason = reason, message = chat.plan.fallback.message,
    offer_meeting = chat.plan.fallback.offer_meeting, why = why,
  }
end

local function offer_to(ws, chat, now, index, agent, turn, why)
  local stage = chat.plan.stages[index]
  if turn then
    serve_turn(ws, stage.pool, agent, turn)
    why.place = place_of(turn)
  end
  reserve_place(ws, agent, chat.conversation)
  chat.status = 'offered'
  chat.stage = index
  chat.attempt = chat.attempt + 1
  chat.agent = agent
  chat.tried[#chat.tried + 1] = agent
  chat.expires_at = now + chat.plan.offer_timeout_s * 1000
  local card = redis.call('HGET', agent_key(ws, agent), 'card')
  redis.call('HSET', chat_key(ws, chat.conversation), 'card', card)
  why.attempts_left = chat.plan.attempts_max - chat.attempt
  why.stages_left = stages_after(chat.plan, index)
  return {
    type = 'offered', agent = cjson.decode(card),
    attempt = chat.attempt, offered_at = now, expires_at = chat.expires_at, why = why,
  }
end

-- Offer the chat to the next agent of the plan, from the stage the chat is at; or fall back.
local function offer_next(ws, chat, now)
  if chat.plan.fall_back_at_once then
    return fall_back(ws, chat, chat.plan.fall_back_at_once, { stage = 'guards' })
  end
  if chat.attempt >= chat.plan.attempts_max then
    return fall_back(ws, chat, 'not_answered', { stage = chat.plan.stages[chat.stage].name })
  end
  local tried = set_of(chat.tried)
  local why
  for index = chat.stage, #chat.plan.stages do
    local stage = chat.plan.stages[index]
    local agent, turn, passed, count = find_candidate(ws, stage, tried)
    why = { stage = stage.name, passed_over = passed, passed_over_count = count }
    if agent then
      return offer_to(ws, chat, now, index, agent, turn, why)
    end
  end
  return fall_back(ws, chat, 'nobody_available', why)
end
