-- Liveness: since when nobody writes in an active chat, and whether a visitor who waits is still there.
--
--   plan of a chat: idle { timeout_ms, notice_ms }, visitor_lease_s (0: nobody looks)
--   fields of a chat:
--     active_at       when it became active, or was last taken over, in ms
--     idle_due        when it is next looked at, in ms: the name of its one timer that counts
--     idle_warned     after which silence (since when, in ms) the two sides were last warned
--     idle_ends       when it then ends, unless somebody writes
--     lease_due       as idle_due, of the visitor who waits
--
-- The checks themselves are in endings.lua.

-- The agent has it from now on: silence counts from here.
local function begin_idling(s, chat)
  chat.active_at = s.now
  chat.idle_due = s.now + chat.plan.idle.timeout_ms - chat.plan.idle.notice_ms
end

-- The visitor waits from now on.
local function begin_lease(s, chat)
  if chat.plan.visitor_lease_s > 0 then
    chat.lease_due = s.now + chat.plan.visitor_lease_s * 1000
  end
end
