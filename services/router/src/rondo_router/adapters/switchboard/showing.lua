-- Showing: once the log has a decision's events, the world may see where the conversation stands.
--
-- rondo_show
--   keys:      the workspace
--   arguments: epoch, showing (JSON):
--     conversation_id, version
--     view            the fields of the public view, absent when nothing changed
--     log_offset      where the log has the decision's last event: the state's offset, and the
--                     conversation's, unless a message was said behind it
--     view_kept_s     set when the conversation is over
--     offer_timer     { name, due in ms }: the timer to set
--     done_timer      the name of the timer that led here
--     rings, released an agent who now has, or no longer has, this conversation on their desk
--     answer          { id, text, kept_s }: the answer to the command that led here
--   result:    when the workspace's next timer is due, in ms, or 0
--
--   <ws>:conversation:<id>           the public view
--   <ws>:agent:<id>:conversations    the conversations on an agent's desk
--   <ws>:timers                      sorted set: names of timers, scored by when they are due
--   <ws>:answer:<command>            an answer; its doorbell has the same name
--
-- Invariant: a view never goes back to an earlier version, and a timer exists only for what the log has.

-- The view says how far the log must be read to have all of the conversation; it never goes back.
local function note_log_offset(key, offset)
  local noted = tonumber(redis.call('HGET', key, 'log_offset') or '-1')
  if type(offset) == 'number' and offset > noted then
    redis.call('HSET', key, 'log_offset', number(offset))
  end
end

local function show_view(ws, showing)
  local key = ws .. ':conversation:' .. showing.conversation_id
  note_log_offset(key, showing.log_offset)
  if tonumber(redis.call('HGET', key, 'version') or '0') >= showing.version then
    return
  end
  local fields = { 'version', showing.version }
  for name, value in pairs(showing.view) do
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  redis.call('HSET', key, unpack(fields))
  if type(showing.log_offset) == 'number' then
    redis.call('HSET', key, 'state_offset', number(showing.log_offset))
  end
  if showing.view_kept_s then redis.call('EXPIRE', key, showing.view_kept_s) end
  if showing.offer_timer then
    redis.call('ZADD', ws .. ':timers', number(showing.offer_timer.due), showing.offer_timer.name)
  end
  for _, agent in ipairs(showing.released or {}) do
    redis.call('SREM', ws .. ':agent:' .. agent .. ':conversations', showing.conversation_id)
  end
  for _, agent in ipairs(showing.rings or {}) do
    redis.call('SADD', ws .. ':agent:' .. agent .. ':conversations', showing.conversation_id)
  end
end

redis.register_function('rondo_show', function(keys, args)
  local ws = keys[1]
  local fenced = check_epoch(ws, args[1])
  if fenced then return fenced end
  local showing = cjson.decode(args[2])
  if showing.view then show_view(ws, showing) end
  if showing.done_timer then
    redis.call('ZREM', ws .. ':timers', showing.done_timer)
  end
  if showing.answer then
    local key = ws .. ':answer:' .. showing.answer.id
    redis.call('SET', key, showing.answer.text, 'EX', showing.answer.kept_s)
    redis.call('PUBLISH', key, '')
  end
  local first = redis.call('ZRANGE', ws .. ':timers', 0, 0, 'WITHSCORES')
  return tonumber(first[2] or '0')
end)
