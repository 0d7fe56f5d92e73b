"""What becomes of each request, command, change and timer: the product's rules, told once more."""

from __future__ import annotations

from rondo_common.conversation import EndReason, FallbackReason, Party, Status
from rondo_common.ids import AgentId, ConversationId
from rondo_router.domain import decision as decided
from rondo_router.domain.decision import Preview, StepWhy
from rondo_router.domain.instruction import (
    AcceptOffer,
    Action,
    CheckIdle,
    CheckPresence,
    CheckVisitor,
    DeclineOffer,
    DefinePool,
    EndConversation,
    LeaveQueue,
    MarkPresent,
    PreviewRoute,
    RequestChat,
    ResumeChat,
    SeatAgent,
    TakeFromQueue,
    TimeOutOffer,
    TransferConversation,
    UnseatAgent,
    WithdrawRequest,
)
from rondo_router.domain.route_plan import RoutePlan
from tests.router import plain_agents, plain_liveness
from tests.router.plain_chats import Chat
from tests.router.plain_offers import Offering
from tests.router.plain_workspace import Workspace


def carry_out(making: Offering, action: Action) -> str | None:
    """Let the action have its effect. Gives a refusal when it has none."""
    match action:
        case AcceptOffer(conversation_id, agent):
            return _accept(making, conversation_id, agent)
        case DeclineOffer(conversation_id, agent):
            return _decline(making, conversation_id, agent)
        case TakeFromQueue(conversation_id, agent):
            return _take(making, conversation_id, agent)
        case WithdrawRequest(conversation_id, by):
            return _withdraw(making, conversation_id, by)
        case TransferConversation():
            return _transfer(making, action)
        case EndConversation(conversation_id, by):
            return _end(making, conversation_id, by)
    _carry_out_what_nobody_answers(making, action)
    return None


def _carry_out_what_nobody_answers(making: Offering, action: Action) -> None:
    match action:
        case RequestChat():
            _request(making, action)
        case ResumeChat(conversation_id):
            _resume(making, conversation_id)
        case TimeOutOffer(conversation_id, attempt):
            _time_out(making, conversation_id, attempt)
        case LeaveQueue(conversation_id, attempt):
            _leave_queue(making, conversation_id, attempt)
        case CheckIdle(conversation_id, due):
            plain_liveness.check_idle(making, conversation_id, due)
        case CheckVisitor(conversation_id, due):
            plain_liveness.check_visitor(making, conversation_id, due)
        case SeatAgent():
            plain_agents.seat(making, action)
        case UnseatAgent(agent):
            plain_agents.unseat(making, agent)
        case DefinePool(pool, places):
            plain_agents.define_pool(making, pool, places)
        case MarkPresent(agent):
            plain_agents.mark_present(making, agent)
        case CheckPresence(agent):
            plain_agents.check_presence(making, agent)
        case _:
            raise AssertionError(action)


# --- one conversation ----------------------------------------------------------------------------


def guard_of(workspace: Workspace, plan: RoutePlan) -> FallbackReason | None:
    """Live chat off, then the engagement limit, then the blocked domain."""
    limit, used = plan.engagements.routed_max, workspace.engagements.get(plan.engagements.month, 0)
    is_off = plan.guard is FallbackReason.LIVE_CHAT_DISABLED
    if limit is not None and used >= limit and not is_off:
        return FallbackReason.ENGAGEMENT_LIMIT
    return plan.guard


def _request(making: Offering, action: RequestChat) -> None:
    workspace, plan = making.workspace, action.plan
    if action.conversation_id in workspace.chats:
        return
    chat = Chat(action.conversation_id, action.request, plan)
    workspace.chats[action.conversation_id] = chat
    if guard := guard_of(workspace, plan):
        making.fall_back(chat, guard, StepWhy(stage="guards"))
        return
    month = plan.engagements.month
    workspace.engagements[month] = workspace.engagements.get(month, 0) + 1
    plain_liveness.begin_lease(making, chat)
    making.offer_next(chat)


def _resume(making: Offering, conversation_id: ConversationId) -> None:
    chat = making.workspace.chats.get(conversation_id)
    if chat is not None and chat.status is Status.REQUESTED:
        making.go_on(chat)


def _offer_refusal(making: Offering, chat: Chat | None, agent: AgentId) -> str | None:
    """Why the agent can neither accept nor decline."""
    if chat is None:
        return "not-offered-to-you"
    if chat.offer is not None and chat.is_offered_to(agent):
        return "offer-expired" if making.now >= chat.offer.expires_at else None
    if chat.status is Status.ACTIVE:
        return "conversation-already-taken"
    return "offer-expired" if agent in chat.tried else "not-offered-to-you"


def _accept(making: Offering, conversation_id: ConversationId, agent: AgentId) -> str | None:
    chat = making.workspace.chats.get(conversation_id)
    if chat is not None and chat.is_with(agent):
        return None  # They have it already: said twice, or on two devices.
    refusal = _offer_refusal(making, chat, agent)
    if chat is None or chat.offer is None or refusal is not None:
        return refusal
    making.accept(chat)
    plain_liveness.begin_idling(making, chat)
    return None


def _take(making: Offering, conversation_id: ConversationId, agent: AgentId) -> str | None:
    chat = making.workspace.chats.get(conversation_id)
    if chat is not None and chat.is_with(agent):
        return None
    if chat is not None and chat.status is Status.OFFERED and not _offer_refusal(making, chat, agent):
        return _accept(making, conversation_id, agent)  # It has come to them by itself meanwhile.
    if chat is None or chat.status is not Status.QUEUED:
        is_taken = chat is not None and chat.status is Status.ACTIVE
        return "conversation-already-taken" if is_taken else "conversation-not-queued"
    seat = making.workspace.seats.get(agent)
    if seat is None or not seat.may_chat:
        return "agent-may-not-chat"
    if len(making.workspace.chats_of(agent)) >= seat.capacity:
        return "agent-at-capacity"
    making.take(chat, agent)
    plain_liveness.begin_idling(making, chat)
    return None


def _decline(making: Offering, conversation_id: ConversationId, agent: AgentId) -> str | None:
    chat = making.workspace.chats.get(conversation_id)
    refusal = _offer_refusal(making, chat, agent)
    if chat is None or refusal is not None:
        return refusal
    making.leave_unanswered(chat, decided.Declined)
    return None


def _time_out(making: Offering, conversation_id: ConversationId, attempt: int) -> None:
    chat = making.workspace.chats.get(conversation_id)
    if chat is None or chat.offer is None:
        return
    if chat.offer.attempt == attempt and making.now >= chat.offer.expires_at:
        making.leave_unanswered(chat, decided.TimedOut)


def _withdraw(making: Offering, conversation_id: ConversationId, by: Party) -> str | None:
    chat = making.workspace.chats.get(conversation_id)
    if chat is None:
        return "conversation-over"
    if chat.status is Status.WITHDRAWN:
        return None
    if chat.status is Status.ACTIVE:
        return "conversation-already-active"
    if chat.status not in {Status.QUEUED, Status.OFFERED}:
        return "conversation-over"
    plain_liveness.withdraw(making, chat, by)
    return None


def _transfer(making: Offering, action: TransferConversation) -> str | None:
    chat = making.workspace.chats.get(action.conversation_id)
    if chat is None or chat.status is not Status.ACTIVE:
        return "conversation-not-active"
    if not chat.is_with(action.by):
        return "not-your-conversation"
    if chat.transfer is not None:
        return "transfer-under-way"
    return making.begin_transfer(chat, action.plan)


def _end(making: Offering, conversation_id: ConversationId, by: Party) -> str | None:
    chat = making.workspace.chats.get(conversation_id)
    has_it = chat is not None and chat.agent is not None and chat.agent.id == by.id
    if by.type == "agent" and not has_it:
        return "not-your-conversation"
    if chat is None or chat.status is not Status.ACTIVE:
        is_ended = chat is not None and chat.status is Status.ENDED
        return None if is_ended else "conversation-not-active"
    reason = EndReason.AGENT_ENDED if by.type == "agent" else EndReason.VISITOR_ENDED
    making.end(chat, reason, by)
    return None


def _leave_queue(making: Offering, conversation_id: ConversationId, attempt: int) -> None:
    chat = making.workspace.chats.get(conversation_id)
    if chat is None or chat.status is not Status.QUEUED or chat.attempt != attempt:
        return
    if making.now >= chat.queue_until:
        stage = chat.plan.stages[-1]
        why = making.workspace.why(stage, None, chat.tried)
        making.fall_back(chat, FallbackReason.QUEUE_TIMEOUT, why)


# --- what if -------------------------------------------------------------------------------------


def preview(workspace: Workspace, action: PreviewRoute) -> Preview:
    """What would become of such a request. Changes nothing."""
    plan = action.plan
    if guard := guard_of(workspace, plan):
        return Preview(outcome="fell_back", reason=guard, why=StepWhy(stage="guards"))
    why = StepWhy(stage="route")
    for number, stage in enumerate(plan.stages):
        agent = workspace.candidate(stage, ())
        why = workspace.why(stage, agent, ())
        if agent is None:
            continue
        turn = None if stage.pool is None else workspace.circle(stage.pool).turns[agent]
        told = {
            "place": None if turn is None else turn.place,
            "turn": None if turn is None else turn.number,
            "attempts_left": stage.attempts_max - 1,
            "stages_left": tuple(each.name for each in plan.stages[number + 1 :]),
        }
        card = workspace.seats[agent].card
        return Preview(outcome="offered", agent=card, why=why.model_copy(update=told))
    if plan.queue is None:
        return Preview(outcome="fell_back", reason=plan.nobody, why=why)
    line = workspace.line()
    if len(line) >= plan.queue.size_max:
        return Preview(outcome="fell_back", reason=FallbackReason.QUEUE_FULL, why=why)
    before = [chat for chat in line if chat.request.priority >= action.request.priority]
    return Preview(outcome="queued", queue=workspace.queue_at(len(before) + 1), why=why)
