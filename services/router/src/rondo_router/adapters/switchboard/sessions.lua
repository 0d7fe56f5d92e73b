-- Sessions: one decision in the making. It gathers the steps, the chats they move, and who was freed.
--
--   <ws>:chat:<conversation>  hash: the chat as the router knows it
--     status, request (JSON), plan (JSON), stage (from 1), attempt, unanswered, tried (JSON), version
--     agent, card             who has it: id and card (JSON), kept also when they were deleted
--     offered, offered_card, offered_at, expires_at    the open offer
--     transfer                JSON: where it is being handed over to, if it is
--     order, queue_until      the place in the queue, kept once given
--     active_at, idle_due, idle_warned, idle_ends, lease_due    see liveness.lua
--   <ws>:decision:<cause>     JSON: the decision that was taken
--   <ws>:untold               list: causes of decisions with steps that were not shown yet, in order
--
-- Every deciding function takes
--   keys:      the workspace
--   arguments: epoch, cause (event id), the present time in ms, timer that asks ('' if none),
--              '1' if somebody waits for the answer; then its own
-- and gives a list of texts: the decision (JSON), then the request (JSON) of each chat in `chats`:
--   cause, at, timer, is_command
--   steps      what happened, in order: each becomes one event
--   chats      where every conversation that was moved stands now
--   refusal    why nothing happened, as a stable code
--   repeated   true when everything was told to the world before
--
-- Invariants: the same cause gets the same decision, however often it is asked; a decision with steps
-- is in `untold` until it is shown.

local CHAT_KEPT_S = 7 * 24 * 60 * 60
local DECISION_KEPT_S = 24 * 60 * 60
local CHAT_FIELDS = {
  'status', 'request', 'plan', 'stage', 'attempt', 'unanswered', 'tried', 'version', 'agent', 'card',
  'offered', 'offered_card', 'offered_at', 'expires_at', 'transfer', 'order', 'queue_until',
  'active_at', 'idle_due', 'idle_warned', 'idle_ends', 'lease_due',
}
local CHAT_NUMBERS = {
  'active_at', 'idle_due', 'idle_warned', 'idle_ends', 'lease_due',
  'stage', 'attempt', 'unanswered', 'version', 'offered_at', 'expires_at', 'order', 'queue_until',
}

local function chat_key(ws, conversation)
  return ws .. ':chat:' .. conversation
end

local function decision_key(ws, cause)
  return ws .. ':decision:' .. cause
end

local function set_of(list)
  local set = {}
  for _, each in ipairs(list) do set[each] = true end
  return set
end

-- The chat, as it is after the steps of this session. One that nobody asked for has no status.
local function chat_of(s, conversation)
  if s.chats[conversation] then return s.chats[conversation] end
  local values = redis.call('HMGET', chat_key(s.ws, conversation), unpack(CHAT_FIELDS))
  local chat = {}
  for i, name in ipairs(CHAT_FIELDS) do chat[name] = values[i] or '' end
  for _, name in ipairs(CHAT_NUMBERS) do chat[name] = tonumber(chat[name]) or 0 end
  chat.conversation = conversation
  chat.is_known = values[1] and true or false
  chat.plan = chat.is_known and cjson.decode(chat.plan) or nil
  chat.tried = chat.is_known and cjson.decode(chat.tried) or {}
  chat.transfer = chat.transfer ~= '' and cjson.decode(chat.transfer) or nil
  s.chats[conversation] = chat
  return chat
end

local function tell(s, chat, step)
  step.conversation_id = chat.conversation
  s.steps[#s.steps + 1] = step
  if not s.moved[chat.conversation] then
    s.moved[chat.conversation] = true
    s.order[#s.order + 1] = chat
    chat.version = chat.version + 1
  end
end

local function tell_of_agent(s, agent, step)
  step.agent_id = agent
  s.steps[#s.steps + 1] = step
end

local function save_chat(ws, chat)
  local key = chat_key(ws, chat.conversation)
  redis.call('HSET', key,
    'status', chat.status, 'stage', chat.stage, 'attempt', chat.attempt,
    'unanswered', chat.unanswered, 'tried', cjson.encode(chat.tried), 'version', chat.version,
    'agent', chat.agent, 'card', chat.card, 'offered', chat.offered,
    'offered_card', chat.offered_card, 'offered_at', number(chat.offered_at),
    'expires_at', number(chat.expires_at),
    'transfer', chat.transfer and cjson.encode(chat.transfer) or '',
    'order', number(chat.order), 'queue_until', number(chat.queue_until),
    'active_at', number(chat.active_at), 'idle_due', number(chat.idle_due),
    'idle_warned', number(chat.idle_warned), 'idle_ends', number(chat.idle_ends),
    'lease_due', number(chat.lease_due))
  redis.call('EXPIRE', key, CHAT_KEPT_S)
end

local function state_of(chat)
  local state = {
    conversation_id = chat.conversation, version = chat.version, status = chat.status,
    attempt = chat.attempt,
  }
  if chat.agent ~= '' then state.agent = cjson.decode(chat.card) end
  if chat.offered ~= '' then
    state.offer = {
      agent = cjson.decode(chat.offered_card), attempt = chat.attempt,
      offered_at = chat.offered_at, expires_at = chat.expires_at,
    }
  end
  if chat.status == 'queued' then state.queue_until = chat.queue_until end
  if chat.idle_due > 0 then state.idle_due = chat.idle_due end
  if chat.lease_due > 0 then state.lease_due = chat.lease_due end
  return state
end

-- A decision as it is given back: with the requests beside it, untouched by this language's JSON.
local function given(ws, text, chats)
  local answer = { text }
  for i, each in ipairs(chats) do
    answer[i + 1] = redis.call('HGET', chat_key(ws, each.conversation_id), 'request') or ''
  end
  return answer
end

-- rondo_recall_decision
--   keys:      the workspace
--   arguments: cause
--   result:    the decision as it was given; empty when it is not kept any more
redis.register_function('rondo_recall_decision', function(keys, args)
  local known = redis.call('GET', decision_key(keys[1], args[1]))
  return known and given(keys[1], known, cjson.decode(known).chats or {}) or {}
end)

local settle -- Lets everybody who was freed take whoever waits; see queue.lua.

-- Take the decision of a cause once. rule(session) changes what there is to change and tells its
-- steps, or gives back a refusal.
local function decide(keys, args, rule)
  local ws, cause, now = keys[1], args[2], tonumber(args[3])
  local fenced = check_epoch(ws, args[1])
  if fenced then return fenced end
  local known = redis.call('GET', decision_key(ws, cause))
  if known then
    return given(ws, known, cjson.decode(known).chats or {})
  end
  local s = { ws = ws, now = now, steps = {}, chats = {}, moved = {}, order = {}, freed = {} }
  local refusal = rule(s)
  settle(s)
  local states = {}
  for i, chat in ipairs(s.order) do
    save_chat(ws, chat)
    states[i] = state_of(chat)
  end
  local text = cjson.encode({
    cause = cause, at = now, steps = s.steps, chats = states, refusal = refusal,
    timer = args[4] ~= '' and args[4] or nil, is_command = args[5] == '1',
  })
  if #s.steps > 0 then
    redis.call('RPUSH', ws .. ':untold', cause)
  end
  if #s.steps > 0 or args[5] == '1' then -- Else nothing happened, and would not the second time.
    redis.call('SET', decision_key(ws, cause), text, 'EX', DECISION_KEPT_S)
  end
  return given(ws, text, states)
end
