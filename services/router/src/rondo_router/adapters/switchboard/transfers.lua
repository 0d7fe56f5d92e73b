-- Transfers: an agent hands a conversation over, and keeps it until somebody else accepts.
--
--   transfer of a chat: { stage, offer_timeout_s, unanswered, tried }
--
-- Invariants: the one who hands over keeps their place until then; the one who is asked holds one of
-- their own; nobody takes it: everything is as before.

-- Who is next to be asked, with why and turn; or nil and why nobody is.
local function next_receiver(s, chat)
  local transfer = chat.transfer
  local why, _, agent, turn =
    look_along(s.ws, { stages = { transfer.stage } }, 1, set_of(transfer.tried))
  return agent, why, turn
end

local function ask_receiver(s, chat, agent, why, turn)
  local transfer = chat.transfer
  transfer.tried[#transfer.tried + 1] = agent
  why.attempts_left = transfer.stage.attempts_max - transfer.unanswered - 1
  ring(s, chat, transfer.stage, agent, turn, why, transfer.offer_timeout_s)
end

-- Hand the conversation over; gives a refusal when nobody is there to take it.
local function begin_transfer(s, chat, plan)
  chat.transfer = {
    stage = plan.stage, offer_timeout_s = plan.offer_timeout_s, unanswered = 0, tried = { chat.agent },
  }
  local agent, why, turn = next_receiver(s, chat)
  if not agent then
    chat.transfer = nil
    return 'nobody-available'
  end
  ask_receiver(s, chat, agent, why, turn)
end

-- The one who was asked did not take it, or cannot: ask the next, or leave it where it is.
local function go_on_transferring(s, chat)
  local agent, why, turn
  if chat.transfer.unanswered < chat.transfer.stage.attempts_max then
    agent, why, turn = next_receiver(s, chat)
  end
  if agent then
    return ask_receiver(s, chat, agent, why, turn)
  end
  chat.transfer = nil
  tell(s, chat, { type = 'returned', agent_id = chat.agent })
end

-- The one who was asked has accepted.
local function complete_transfer(s, chat)
  local from, card = chat.agent, cjson.decode(chat.card)
  chat.agent, chat.card = chat.offered, chat.offered_card
  chat.transfer = nil
  tell(s, chat, { type = 'transferred', from_agent = card, to_agent = cjson.decode(chat.card) })
  release_place(s, from, chat.conversation)
end
