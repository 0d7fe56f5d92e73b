-- Endings: chats in which nobody writes any more, and visitors who are gone while they wait. See
-- sessions.lua for what these functions take and give. Their own arguments:
--
-- rondo_check_idle      conversation, when this was due in ms
-- rondo_check_visitor   conversation, when this was due in ms
--
--   <ws>:conversation:<id>    the public view; its last_message_at (ms) is the gateway's
--   <ws>:visitor_presence     sorted set: conversations, scored by until when (ms) their visitor was
--                             seen; one that never opened a stream is not in it; the gateway's
--
-- Invariants: an active chat has one idle timer that counts and one who waits one of their lease: only
-- the one due at idle_due or lease_due does anything. Nobody is cut off for silence without a warning
-- notice_ms before, one for each silence.

local WAITING = { requested = true, queued = true, offered = true }

-- Look again then. Nothing is told, so the chat is not saved with the decision.
local function look_again(s, chat, kind, field, due)
  chat[field] = due
  redis.call('HSET', chat_key(s.ws, chat.conversation), field, number(due))
  set_timer(s.ws, kind .. '/' .. chat.conversation .. '/' .. number(due), due)
end

-- Since when nobody has written.
local function silent_since(s, chat)
  local view = s.ws .. ':conversation:' .. chat.conversation
  return math.max(tonumber(redis.call('HGET', view, 'last_message_at') or '0'), chat.active_at)
end

local function warn_of_end(s, chat, since)
  local idle = chat.plan.idle
  chat.idle_warned = since
  chat.idle_ends = math.max(since + idle.timeout_ms, s.now + idle.notice_ms)
  chat.idle_due = chat.idle_ends
  tell(s, chat, { type = 'idle_warned', agent_id = chat.agent, ends_at = chat.idle_ends })
end

redis.register_function('rondo_check_idle', function(keys, args)
  return decide(keys, args, function(s)
    local chat = chat_of(s, args[6])
    if chat.status ~= 'active' or chat.idle_due ~= tonumber(args[7]) then
      return
    end
    local since = silent_since(s, chat)
    local warned = chat.idle_warned == since
    local due = warned and chat.idle_ends
      or since + chat.plan.idle.timeout_ms - chat.plan.idle.notice_ms
    if s.now < due then
      look_again(s, chat, 'idle', 'idle_due', due)
    elseif warned then
      end_chat(s, chat, 'idle', SYSTEM)
    else
      warn_of_end(s, chat, since)
    end
  end)
end)

redis.register_function('rondo_check_visitor', function(keys, args)
  return decide(keys, args, function(s)
    local chat = chat_of(s, args[6])
    if not WAITING[chat.status] or chat.lease_due ~= tonumber(args[7]) then
      return
    end
    local lease = chat.plan.visitor_lease_s * 1000
    local seen = tonumber(redis.call('ZSCORE', s.ws .. ':visitor_presence', chat.conversation))
    if seen and s.now >= seen + lease and chat.status ~= 'requested' then
      return withdraw(s, chat, SYSTEM)
    end
    -- While a stream is open, the earliest that the lease can run out is a whole lease from now.
    local due = s.now + lease
    if seen and seen + lease > s.now then due = math.min(due, seen + lease) end
    look_again(s, chat, 'visitor', 'lease_due', due)
  end)
end)
