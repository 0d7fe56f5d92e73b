-- Capacity: an agent's place for a chat is reserved when it is offered and given back when it is over.
--
--   <ws>:agent:<id>         hash: capacity, live_chat, card (JSON), version (directory offset)
--   <ws>:agent:<id>:chats   set: the conversations that hold a place
--
-- rondo_put_agent
--   keys:      the workspace
--   arguments: epoch, agent id, version, capacity, live chat (1 or 0), card
--   result:    1, or 0 when a newer version is known
-- rondo_remove_agent
--   keys:      the workspace
--   arguments: epoch, agent id
--   result:    1
--
-- Invariant: nobody holds more places than their capacity, unless it was lowered afterwards; and who
-- is in a rotation holds fewer.

local ALL = 'all' -- The pool of all live-chat agents.

local function agent_key(ws, agent)
  return ws .. ':agent:' .. agent
end

local function chats_key(ws, agent)
  return agent_key(ws, agent) .. ':chats'
end

-- nil when the agent may be offered a chat now; else why not.
local function unfit(ws, agent)
  local capacity, live = unpack(redis.call('HMGET', agent_key(ws, agent), 'capacity', 'live_chat'))
  if live ~= '1' then
    return 'no_permission'
  end
  if redis.call('SCARD', chats_key(ws, agent)) >= tonumber(capacity) then
    return 'at_capacity'
  end
  return nil
end

local function refresh_rotation(ws, agent)
  if unfit(ws, agent) then
    leave_rotation(ws, ALL, agent)
  else
    enter_rotation(ws, ALL, agent)
  end
end

local function reserve_place(ws, agent, conversation)
  redis.call('SADD', chats_key(ws, agent), conversation)
  refresh_rotation(ws, agent)
end

local function release_place(ws, agent, conversation)
  redis.call('SREM', chats_key(ws, agent), conversation)
  if redis.call('EXISTS', agent_key(ws, agent)) == 1 then
    refresh_rotation(ws, agent)
  end
end

redis.register_function('rondo_put_agent', function(keys, args)
  local ws, agent = keys[1], args[2]
  local fenced = check_epoch(ws, args[1])
  if fenced then return fenced end
  local version = tonumber(redis.call('HGET', agent_key(ws, agent), 'version') or '-1')
  if version > tonumber(args[3]) then
    return 0
  end
  redis.call('HSET', agent_key(ws, agent),
    'version', args[3], 'capacity', args[4], 'live_chat', args[5], 'card', args[6])
  if args[5] == '1' then
    join_pool(ws, ALL, agent)
  else
    redis.call('ZREM', pool_key(ws, ALL, 'places'), agent)
  end
  refresh_rotation(ws, agent)
  return 1
end)

redis.register_function('rondo_remove_agent', function(keys, args)
  local ws, agent = keys[1], args[2]
  local fenced = check_epoch(ws, args[1])
  if fenced then return fenced end
  leave_rotation(ws, ALL, agent)
  redis.call('ZREM', pool_key(ws, ALL, 'places'), agent)
  redis.call('HDEL', pool_key(ws, ALL, 'turns'), agent)
  redis.call('DEL', agent_key(ws, agent))
  return 1
end)
