-- The queue: visitors who wait because everybody is busy. Strictly first come, first served within
-- priority; whoever has room takes the first of those who may go to them.
--
--   <ws>:queue             sorted set: the conversations that wait, scored by priority, then order
--   <ws>:waiting:<scope>   the same, of those whom this scope may take: a pool, or agent:<id>
--   <ws>:queue:order       how many conversations ever waited
--   <ws>:queue:pace_s      how many seconds a place has lately been worth
--   <ws>:queue:since       since when the first of them could have been taken, in ms
--
-- Invariant: after every decision, nobody waits whom an agent with room could take.

local PRIORITY_MAX = 1000
local ORDERS = 2 ^ 41 -- How many orders a priority has room for.
local PACE_SAMPLE_S_MIN = 1
local PACE_SAMPLE_S_MAX = 3600
local PACE_WEIGHT = 0.2 -- Of the latest sample.
local PACE_S_DEFAULT = 60

local function queue_key(ws)
  return ws .. ':queue'
end

local function waiting_key(ws, scope)
  return ws .. ':waiting:' .. scope
end

local function scopes_of(chat)
  local scopes = {}
  for index = chat.stage, #chat.plan.stages do
    local stage = chat.plan.stages[index]
    scopes[#scopes + 1] = stage.pool or ('agent:' .. stage.agent_id)
  end
  return scopes
end

local function ring_queue(ws)
  redis.call('PUBLISH', queue_key(ws), '')
end

local function pace_of(ws)
  return tonumber(redis.call('GET', ws .. ':queue:pace_s') or PACE_S_DEFAULT)
end

local function wait_for(ws, position)
  return math.max(1, math.floor(position * pace_of(ws) + 0.5))
end

local function score_of(priority, order)
  return (PRIORITY_MAX - priority) * ORDERS + order
end

local function priority_of(chat)
  return cjson.decode(chat.request).priority or 0
end

local function stand_in_line(ws, chat)
  local score = number(score_of(priority_of(chat), chat.order))
  redis.call('ZADD', queue_key(ws), score, chat.conversation)
  for _, scope in ipairs(scopes_of(chat)) do
    redis.call('ZADD', waiting_key(ws, scope), score, chat.conversation)
  end
end

local function leave_queue(s, chat)
  redis.call('ZREM', queue_key(s.ws), chat.conversation)
  for _, scope in ipairs(scopes_of(chat)) do
    redis.call('ZREM', waiting_key(s.ws, scope), chat.conversation)
  end
  ring_queue(s.ws)
end

enqueue = function(s, chat, why)
  local is_new = chat.order == 0
  if is_new and redis.call('ZCARD', queue_key(s.ws)) >= chat.plan.queue.size_max then
    return fall_back(s, chat, 'queue_full', why)
  end
  if is_new then
    chat.order = redis.call('INCR', s.ws .. ':queue:order')
    chat.queue_until = s.now + chat.plan.queue.max_wait_s * 1000
  elseif s.now >= chat.queue_until then
    return fall_back(s, chat, 'queue_timeout', why)
  end
  if redis.call('ZCARD', queue_key(s.ws)) == 0 then
    redis.call('SET', s.ws .. ':queue:since', number(s.now))
  end
  stand_in_line(s.ws, chat)
  chat.status = 'queued'
  local position = redis.call('ZRANK', queue_key(s.ws), chat.conversation) + 1
  tell(s, chat, {
    type = 'queued', queue = { position = position, estimated_wait_s = wait_for(s.ws, position) },
    order = chat.order, queued_at = s.now, expires_at = chat.queue_until, why = why,
  })
  ring_queue(s.ws)
end

-- Somebody was taken from the queue: what a place in it is worth, by the time since the one before.
local function learn_pace(s)
  local since = tonumber(redis.call('GET', s.ws .. ':queue:since') or s.now)
  local sample = math.min(math.max((s.now - since) / 1000, PACE_SAMPLE_S_MIN), PACE_SAMPLE_S_MAX)
  local known = redis.call('GET', s.ws .. ':queue:pace_s')
  local pace = known and (1 - PACE_WEIGHT) * tonumber(known) + PACE_WEIGHT * sample or sample
  redis.call('SET', s.ws .. ':queue:pace_s', string.format('%.3f', pace))
  redis.call('SET', s.ws .. ':queue:since', number(s.now))
end

-- The first in a scope's line who was not offered to this agent before: conversation and score.
local function first_in_line(s, scope, agent)
  local first, step = 0, 10
  while true do
    local line = redis.call('ZRANGE', waiting_key(s.ws, scope), first, first + step - 1, 'WITHSCORES')
    for i = 1, #line, 2 do
      if not set_of(chat_of(s, line[i]).tried)[agent] then
        return line[i], tonumber(line[i + 1])
      end
    end
    if #line < 2 * step then return nil end
    first = first + step
  end
end

-- The first of all who wait whom this agent may take, or nil.
local function first_for(s, agent)
  local best, best_score
  local scopes = pools_of(s.ws, agent)
  scopes[#scopes + 1] = 'agent:' .. agent
  for _, scope in ipairs(scopes) do
    local conversation, score = first_in_line(s, scope, agent)
    if conversation and (not best or score < best_score) then
      best, best_score = conversation, score
    end
  end
  return best
end

-- The first stage of the plan, from where the chat is, at which this agent is to be found.
local function stage_with(s, chat, agent)
  for index = chat.stage, #chat.plan.stages do
    local stage = chat.plan.stages[index]
    if stage.agent_id == agent or (stage.pool and is_member(s.ws, stage.pool, agent)) then
      return index, stage
    end
  end
end

-- Let an agent with room take those who wait for them, the first ones first.
local function take_from_queue(s, agent)
  while not unfit(s.ws, agent) do
    local conversation = first_for(s, agent)
    if not conversation then return end
    local chat = chat_of(s, conversation)
    local index, stage = stage_with(s, chat, agent)
    leave_queue(s, chat)
    learn_pace(s)
    local turn = stage.pool and turn_of(s.ws, stage.pool, agent)
    local why = { stage = stage.name, pool = stage.pool, passed_over_count = 0 }
    offer_to(s, chat, index, agent, turn, why)
  end
end

-- Let an agent who asks for it have the offer of a chat that waits. It is nobody's turn, and costs none.
local function offer_from_queue(s, chat, agent)
  leave_queue(s, chat)
  learn_pace(s)
  chat.tried[#chat.tried + 1] = agent
  ring(s, chat, {}, agent, nil, { stage = 'taken', passed_over_count = 0 }, chat.plan.offer_timeout_s)
end

settle = function(s)
  if redis.call('EXISTS', queue_key(s.ws)) == 1 then
    for _, agent in ipairs(s.freed) do
      take_from_queue(s, agent)
    end
  end
end
