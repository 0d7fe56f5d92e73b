-- Offers: walking a chat's plan to the next agent; waiting, or falling back, when there is none.
--
-- Invariants: at most one offer of a chat is open; nobody is offered the same chat twice along its
-- plan; an offer holds a place of the agent's capacity.

-- A stage's candidate: the agent and, where the stage has a sequence, their turn. And who was passed.
local function find_candidate(ws, stage, tried)
  local function why_not(agent)
    return not tried[agent] and unfit(ws, agent) or 'already_tried'
  end
  if stage.pool then
    local agent, turn = whose_turn(ws, stage.pool, tried)
    local passed, count = passed_over(ws, stage.pool, turn, why_not)
    return agent, turn, passed, count
  end
  local agent = stage.agent_id
  if tried[agent] or unfit(ws, agent) then
    return nil, nil, { { agent_id = agent, reason = why_not(agent) } }, 1
  end
  return agent, nil, {}, 0
end

-- Look along the plan, from the stage the chat is at. Gives why, and unless nobody is there, the
-- number of the stage, the agent and their turn.
local function look_along(ws, plan, first, tried)
  local why
  for index = first, #plan.stages do
    local stage = plan.stages[index]
    local agent, turn, passed, count = find_candidate(ws, stage, tried)
    why = { stage = stage.name, pool = stage.pool, passed_over = passed, passed_over_count = count }
    if agent then return why, index, agent, turn end
  end
  return why or { stage = 'route' }
end

local function stages_after(plan, index)
  local names = {}
  for i = index + 1, #plan.stages do names[#names + 1] = plan.stages[i].name end
  return names
end

local function fall_back(s, chat, reason, why)
  chat.status = 'fell_back'
  tell(s, chat, {
    type = 'fell_back', reason = reason, message = chat.plan.fallback.message,
    offer_meeting = chat.plan.fallback.offer_meeting, why = why,
  })
end

-- Ring the agent: reserves their place, and serves their turn if the stage has a sequence.
local function ring(s, chat, stage, agent, turn, why, timeout_s)
  if turn then
    serve_turn(s.ws, stage.pool, agent, turn)
    why.place, why.turn = place_of(turn), turn
  end
  reserve_place(s, agent, chat.conversation)
  chat.attempt = chat.attempt + 1
  chat.offered = agent
  chat.offered_card = redis.call('HGET', agent_key(s.ws, agent), 'card')
  chat.offered_at = s.now
  chat.expires_at = s.now + timeout_s * 1000
  tell(s, chat, {
    type = 'offered', agent = cjson.decode(chat.offered_card), attempt = chat.attempt,
    offered_at = s.now, expires_at = chat.expires_at, why = why,
    transferred_by = chat.transfer and cjson.decode(chat.card) or nil,
  })
end

local function offer_to(s, chat, index, agent, turn, why)
  local stage = chat.plan.stages[index]
  if stage.leg ~= chat.plan.stages[chat.stage].leg then
    chat.unanswered = 0
  end
  chat.status = 'offered'
  chat.stage = index
  chat.tried[#chat.tried + 1] = agent
  why.attempts_left = stage.attempts_max - chat.unanswered - 1
  why.stages_left = stages_after(chat.plan, index)
  ring(s, chat, stage, agent, turn, why, chat.plan.offer_timeout_s)
end

-- No offer is open any more. Whose place it held is the caller's to say.
local function clear_offer(chat)
  chat.offered, chat.offered_card, chat.offered_at, chat.expires_at = '', '', 0, 0
end

local function close_offer(s, chat)
  local agent = chat.offered
  clear_offer(chat)
  release_place(s, agent, chat.conversation)
end

local enqueue -- Lets the visitor wait, or falls back where they cannot; see queue.lua.

-- Offer the chat to the next agent of the plan, from the stage the chat is at; or wait; or fall back.
local function offer_next(s, chat)
  local why, index, agent, turn = look_along(s.ws, chat.plan, chat.stage, set_of(chat.tried))
  if agent then
    offer_to(s, chat, index, agent, turn, why)
  elseif chat.plan.queue then
    enqueue(s, chat, why)
  else
    fall_back(s, chat, chat.plan.nobody, why)
  end
end

-- The first stage of the next leg, or nil.
local function next_leg(plan, index)
  for i = index + 1, #plan.stages do
    if plan.stages[i].leg ~= plan.stages[index].leg then return i end
  end
  return nil
end

-- Go on after an offer that nobody answered: the same leg, as long as it has attempts; then the next.
local function go_on(s, chat)
  local stage = chat.plan.stages[chat.stage]
  if stage and chat.unanswered >= stage.attempts_max then
    local following = next_leg(chat.plan, chat.stage)
    if not following then
      return fall_back(s, chat, chat.plan.unanswered, { stage = stage.name, pool = stage.pool })
    end
    chat.stage, chat.unanswered = following, 0
  end
  offer_next(s, chat)
end
