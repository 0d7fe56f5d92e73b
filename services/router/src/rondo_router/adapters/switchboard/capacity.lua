-- Capacity: an agent's place for a chat is reserved when it is offered and given back when it is over.
--
--   <ws>:agent:<id>         hash: capacity, may_chat, available, needs_presence, present (1 or 0),
--                           availability (JSON), card (JSON), timer (the name of the next change's)
--   <ws>:agent:<id>:chats   set: the conversations that hold a place
--
-- Invariant: nobody holds more places than their capacity, unless it was lowered afterwards; and who
-- is in a rotation holds fewer, is available, permitted and, where it is required, present.

local function agent_key(ws, agent)
  return ws .. ':agent:' .. agent
end

local function chats_key(ws, agent)
  return agent_key(ws, agent) .. ':chats'
end

-- nil when the agent may be offered a chat now; else why not.
local function unfit(ws, agent)
  local capacity, may_chat, available, needs_presence, present = unpack(redis.call('HMGET',
    agent_key(ws, agent), 'capacity', 'may_chat', 'available', 'needs_presence', 'present'))
  if may_chat ~= '1' then
    return 'no_permission'
  elseif available ~= '1' then
    return 'away'
  elseif needs_presence == '1' and present ~= '1' then
    return 'not_present'
  elseif redis.call('SCARD', chats_key(ws, agent)) >= tonumber(capacity) then
    return 'at_capacity'
  end
  return nil
end

-- nil when the agent has room for one more chat, wanted or not; else why not, as a refusal.
local function no_room(ws, agent)
  local capacity, may_chat = unpack(redis.call('HMGET', agent_key(ws, agent), 'capacity', 'may_chat'))
  if may_chat ~= '1' then
    return 'agent-may-not-chat'
  elseif redis.call('SCARD', chats_key(ws, agent)) >= tonumber(capacity) then
    return 'agent-at-capacity'
  end
  return nil
end

-- Let the agent be in the rotation of each of their pools, or of none, as they are now.
local function refresh_rotation(ws, agent)
  local change = unfit(ws, agent) and leave_rotation or enter_rotation
  for _, pool in ipairs(pools_of(ws, agent)) do
    change(ws, pool, agent)
  end
end

local function reserve_place(s, agent, conversation)
  redis.call('SADD', chats_key(s.ws, agent), conversation)
  if unfit(s.ws, agent) then
    refresh_rotation(s.ws, agent)
  end
end

-- Give the place back. Who waits for this agent is looked at when the decision is settled.
local function release_place(s, agent, conversation)
  redis.call('SREM', chats_key(s.ws, agent), conversation)
  if redis.call('EXISTS', agent_key(s.ws, agent)) == 1 then
    refresh_rotation(s.ws, agent)
    s.freed[#s.freed + 1] = agent
  end
end
