-- Showing: once the log has a decision's events, the world may see where its conversations stand.
--
-- rondo_show
--   keys:      the workspace
--   arguments: epoch, showing (JSON):
--     cause           the decision's
--     chats           of each conversation that was moved:
--       conversation_id, version
--       view          the fields of the public view
--       log_offset    where the log has the conversation's last event here: the state's offset, and
--                     the conversation's, unless a message was said behind it
--       view_kept_s   set when the conversation is over
--       timers        { { name, due in ms }, … }: the timers to set
--       rings         the agents who now have this conversation on their desk
--       released      those who no longer have
--     told            the decision as it is known from now on (JSON), unless it was told before
--     done_timers     the names of timers that are settled
--     answer          { text, kept_s }: the answer to the command that led here
--   result:    when the workspace's next timer is due, in ms, or 0
--
--   <ws>:conversation:<id>           the public view
--   <ws>:agent:<id>:conversations    the conversations on an agent's desk
--   <ws>:timers                      sorted set: names of timers, scored by when they are due
--   <ws>:answer:<command>            an answer; its doorbell has the same name
--
-- Invariants: a view never goes back to an earlier version, and a chat's timer exists only for what the
-- log has. A decision that was shown is known as repeated, and only its answer is kept.

-- The view says how far the log must be read to have all of the conversation; it never goes back.
local function note_log_offset(key, offset)
  local noted = tonumber(redis.call('HGET', key, 'log_offset') or '-1')
  if type(offset) == 'number' and offset > noted then
    redis.call('HSET', key, 'log_offset', number(offset))
  end
end

local function show_chat(ws, chat)
  local key = ws .. ':conversation:' .. chat.conversation_id
  note_log_offset(key, chat.log_offset)
  if tonumber(redis.call('HGET', key, 'version') or '0') >= chat.version then
    return
  end
  local fields = { 'version', chat.version }
  for name, value in pairs(chat.view) do
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  redis.call('HSET', key, unpack(fields))
  if type(chat.log_offset) == 'number' then
    redis.call('HSET', key, 'state_offset', number(chat.log_offset))
  end
  if chat.view_kept_s then redis.call('EXPIRE', key, chat.view_kept_s) end
  for _, timer in ipairs(chat.timers) do
    set_timer(ws, timer[1], timer[2])
  end
  for _, agent in ipairs(chat.released) do
    redis.call('SREM', ws .. ':agent:' .. agent .. ':conversations', chat.conversation_id)
  end
  for _, agent in ipairs(chat.rings) do
    redis.call('SADD', ws .. ':agent:' .. agent .. ':conversations', chat.conversation_id)
  end
end

redis.register_function('rondo_show', function(keys, args)
  local ws = keys[1]
  local fenced = check_epoch(ws, args[1])
  if fenced then return fenced end
  local showing = cjson.decode(args[2])
  for _, chat in ipairs(showing.chats) do
    show_chat(ws, chat)
  end
  if showing.told then
    redis.call('LREM', ws .. ':untold', 1, showing.cause)
    redis.call('SET', decision_key(ws, showing.cause), showing.told, 'EX', DECISION_KEPT_S)
  end
  for _, timer in ipairs(showing.done_timers) do
    drop_timer(ws, timer)
  end
  if showing.answer then
    local key = ws .. ':answer:' .. showing.cause
    redis.call('SET', key, showing.answer.text, 'EX', showing.answer.kept_s)
    redis.call('PUBLISH', key, '')
  end
  local first = redis.call('ZRANGE', ws .. ':timers', 0, 0, 'WITHSCORES')
  return tonumber(first[2] or '0')
end)
