-- Restoring: what the log remembers of a workspace that this server has forgotten.
--
-- rondo_restore_chat
--   keys:      the workspace
--   arguments: epoch, conversation, chat (JSON):
--     fields          of the chat's hash, as texts
--     holders         the agents whose capacity it takes a place of
--     desks           the agents who have it on their desk
--     view            the fields of the public view, as texts, with its version and offsets
--     view_kept_s     set when the conversation is over
--     timers          { { name, due in ms }, … }
--   result:    1
-- rondo_restore_workspace
--   keys:      the workspace
--   arguments: epoch, workspace (JSON):
--     pools           name → { counter, turns: agent → next turn, kept: agents }
--     engagements     month → count
--     queue_order     how many conversations ever waited
--     at              when that was, in ms
--     causes          what was decided and told
--     present         the agents who were present
--     present_until   for how long they are taken to be, in ms, unless they say so themselves
--   result:    1
--
-- Invariant: the workspace is adopted only when all of it is back. Until then nobody decides here.

local function set_all(key, fields)
  local flat = {}
  for name, value in pairs(fields) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  if #flat > 0 then redis.call('HSET', key, unpack(flat)) end
end

redis.register_function('rondo_restore_chat', function(keys, args)
  local ws, conversation = keys[1], args[2]
  local fenced = fenced_off(ws, args[1])
  if fenced then return fenced end
  local told = cjson.decode(args[3])
  set_all(chat_key(ws, conversation), told.fields)
  redis.call('EXPIRE', chat_key(ws, conversation), CHAT_KEPT_S)
  for _, agent in ipairs(told.holders) do
    redis.call('SADD', chats_key(ws, agent), conversation)
  end
  for _, agent in ipairs(told.desks) do
    redis.call('SADD', ws .. ':agent:' .. agent .. ':conversations', conversation)
  end
  local view = ws .. ':conversation:' .. conversation
  redis.call('DEL', view)
  set_all(view, told.view)
  if told.view_kept_s then redis.call('EXPIRE', view, told.view_kept_s) end
  for _, timer in ipairs(told.timers) do
    set_timer(ws, timer[1], timer[2])
  end
  if told.fields.status == 'queued' then
    local s = { ws = ws, chats = {} }
    stand_in_line(ws, chat_of(s, conversation))
  end
  return 1
end)

redis.register_function('rondo_restore_workspace', function(keys, args)
  local ws = keys[1]
  local fenced = fenced_off(ws, args[1])
  if fenced then return fenced end
  local told = cjson.decode(args[2])
  for pool, rotation in pairs(told.pools) do
    redis.call('SET', pool_key(ws, pool, 'counter'), number(rotation.counter))
    for agent, turn in pairs(rotation.turns) do
      redis.call('HSET', pool_key(ws, pool, 'turns'), agent, number(turn))
    end
    for _, agent in ipairs(rotation.kept) do
      redis.call('ZADD', pool_key(ws, pool, 'rotation'), number(rotation.turns[agent]), agent)
    end
  end
  set_all(ws .. ':engagements', told.engagements)
  redis.call('SET', ws .. ':queue:order', number(told.queue_order))
  for _, cause in ipairs(told.causes) do
    local decision = cjson.encode({ cause = cause, at = told.at, repeated = true })
    redis.call('SET', decision_key(ws, cause), decision, 'EX', DECISION_KEPT_S)
  end
  for _, agent in ipairs(told.present) do
    redis.call('HSET', agent_key(ws, agent), 'present', 1)
    redis.call('ZADD', ws .. ':presence', 'GT', number(told.present_until), agent)
    set_presence_timer({ ws = ws }, agent, told.present_until)
  end
  return 1
end)
