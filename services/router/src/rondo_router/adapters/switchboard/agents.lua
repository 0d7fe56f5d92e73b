-- Agents: who sits at the switchboard, in which pools, and who is present. See sessions.lua for what
-- all of these functions take and give. Their own arguments:
--
-- rondo_seat_agent      agent id, seat (JSON), availability (JSON), card (JSON)
-- rondo_unseat_agent    agent id
-- rondo_define_pool     pool, places (JSON: agent id → place; empty: the pool is gone)
-- rondo_mark_present    agent id
-- rondo_check_presence  agent id
--
--   <ws>:agents           set: everybody who sits here
--   <ws>:presence         sorted set: until when each agent is present, in ms; written by the gateway
--   <ws>:timers           sorted set: names of timers, scored by when they are due; see showing.lua
--
-- Invariant: an agent's timers stand as long as the agent does: one of availability, as long as
-- something will change, and one of presence while they are present.

local SYSTEM = { type = 'system', id = 'rondo' }

local function set_timer(ws, name, due)
  redis.call('ZADD', ws .. ':timers', number(due), name)
end

local function drop_timer(ws, name)
  if name and name ~= '' then redis.call('ZREM', ws .. ':timers', name) end
end

local function set_availability_timer(ws, agent, due)
  drop_timer(ws, redis.call('HGET', agent_key(ws, agent), 'timer'))
  local name = due and ('availability/' .. agent .. '/' .. number(due)) or ''
  redis.call('HSET', agent_key(ws, agent), 'timer', name)
  if due then set_timer(ws, name, due) end
end

redis.register_function('rondo_seat_agent', function(keys, args)
  return decide(keys, args, function(s)
    local agent, seat = args[6], cjson.decode(args[7])
    local key = agent_key(s.ws, agent)
    local told = redis.call('HGET', key, 'availability')
    redis.call('SADD', s.ws .. ':agents', agent)
    redis.call('HSET', key, 'capacity', seat.capacity, 'may_chat', seat.may_chat and 1 or 0,
      'available', seat.available and 1 or 0, 'needs_presence', seat.needs_presence and 1 or 0,
      'availability', args[8], 'card', args[9])
    set_availability_timer(s.ws, agent, seat.next_change_at)
    if seat.may_chat then
      join_pool(s.ws, ALL, agent, seat.place)
    else
      leave_circle(s.ws, ALL, agent)
    end
    refresh_rotation(s.ws, agent)
    if told and told ~= args[8] then
      tell_of_agent(s, agent, { type = 'availability_changed', availability = cjson.decode(args[8]) })
    end
    s.freed[1] = agent
  end)
end)

-- Give back whatever the agent is offered, and let go of it along its plan. It costs no attempt.
local function take_offer_back(s, chat, reason)
  rescind(s, chat, reason)
  if chat.transfer then
    go_on_transferring(s, chat)
  else
    go_on(s, chat)
  end
end

-- The conversations that hold a place of the agent, in a fixed order.
local function chats_of(s, agent)
  local conversations = redis.call('SMEMBERS', chats_key(s.ws, agent))
  table.sort(conversations)
  return conversations
end

redis.register_function('rondo_unseat_agent', function(keys, args)
  return decide(keys, args, function(s)
    local agent = args[6]
    drop_timer(s.ws, redis.call('HGET', agent_key(s.ws, agent), 'timer'))
    redis.call('DEL', agent_key(s.ws, agent))
    redis.call('SREM', s.ws .. ':agents', agent)
    for _, pool in ipairs(pools_of(s.ws, agent)) do
      leave_pool(s.ws, pool, agent)
    end
    redis.call('HDEL', pool_key(s.ws, ALL, 'turns'), agent)
    for _, conversation in ipairs(chats_of(s, agent)) do
      local chat = chat_of(s, conversation)
      if chat.offered == agent then
        take_offer_back(s, chat, 'agent_removed')
      end
      if chat.agent == agent and chat.status == 'active' then
        end_chat(s, chat, 'agent_lost', SYSTEM)
      end
    end
  end)
end)

redis.register_function('rondo_define_pool', function(keys, args)
  return decide(keys, args, function(s)
    local pool, places = args[6], cjson.decode(args[7])
    for _, agent in ipairs(redis.call('ZRANGE', pool_key(s.ws, pool, 'places'), 0, -1)) do
      if not places[agent] then
        leave_pool(s.ws, pool, agent)
      end
    end
    for agent, place in pairs(places) do
      join_pool(s.ws, pool, agent, place)
      s.freed[#s.freed + 1] = agent
    end
    table.sort(s.freed, function(a, b) return places[a] < places[b] end)
    for _, agent in ipairs(s.freed) do
      if not unfit(s.ws, agent) then
        enter_rotation(s.ws, pool, agent)
      end
    end
    if not next(places) then
      redis.call('DEL', pool_key(s.ws, pool, 'counter'))
      redis.call('SREM', s.ws .. ':pools', pool)
    end
  end)
end)

local function set_presence_timer(s, agent, lease)
  set_timer(s.ws, 'presence/' .. agent .. '/' .. number(lease), lease)
end

local function lease_of(ws, agent)
  return tonumber(redis.call('ZSCORE', ws .. ':presence', agent) or '0')
end

redis.register_function('rondo_mark_present', function(keys, args)
  return decide(keys, args, function(s)
    local agent = args[6]
    local present = redis.call('HGET', agent_key(s.ws, agent), 'present')
    if present == '1' or redis.call('EXISTS', agent_key(s.ws, agent)) == 0 then
      return
    end
    redis.call('HSET', agent_key(s.ws, agent), 'present', 1)
    set_presence_timer(s, agent, math.max(lease_of(s.ws, agent), s.now))
    refresh_rotation(s.ws, agent)
    tell_of_agent(s, agent, { type = 'connected' })
    s.freed[1] = agent
  end)
end)

-- The agent is present no more: their open offers go to the next where presence is required. Their
-- active conversations stay, but nobody is there.
local function mark_absent(s, agent)
  redis.call('HSET', agent_key(s.ws, agent), 'present', 0)
  refresh_rotation(s.ws, agent)
  tell_of_agent(s, agent, { type = 'disconnected' })
  local needs_presence = redis.call('HGET', agent_key(s.ws, agent), 'needs_presence') == '1'
  local uncovered = {}
  for _, conversation in ipairs(chats_of(s, agent)) do
    local chat = chat_of(s, conversation)
    if chat.agent == agent then
      uncovered[#uncovered + 1] = conversation
    elseif needs_presence then
      take_offer_back(s, chat, 'agent_absent')
    end
  end
  if #uncovered > 0 then
    tell_of_agent(s, agent, { type = 'coverage_lost', conversation_ids = uncovered })
  end
end

redis.register_function('rondo_check_presence', function(keys, args)
  return decide(keys, args, function(s)
    local agent = args[6]
    if redis.call('HGET', agent_key(s.ws, agent), 'present') ~= '1' then
      return
    end
    local lease = lease_of(s.ws, agent)
    if lease > s.now then
      set_presence_timer(s, agent, lease)
    else
      mark_absent(s, agent)
    end
  end)
end)
