"""How instructions, showings and memories are put to the Redis Functions, and their answers read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rondo_common.answers import ANSWER_KEPT_S
from rondo_common.availability import Availability
from rondo_common.clock import milliseconds
from rondo_common.conversation import AgentCard, Status, Value
from rondo_common.conversation_view import ConversationView
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_common.redis.functions import FunctionCall
from rondo_common.redis.keys import workspace_key
from rondo_router.domain.decision import Decision
from rondo_router.domain.instruction import (
    AcceptOffer,
    Action,
    CheckIdle,
    CheckPresence,
    CheckVisitor,
    DeclineOffer,
    DefinePool,
    EndConversation,
    Instruction,
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
    idle_timer,
    offer_timer,
    queue_timer,
    visitor_timer,
)
from rondo_router.domain.memory import ChatMemory, PoolMemory, WorkspaceMemory
from rondo_router.domain.outcome import WAITING, ChatShowing, Showing
from rondo_router.ports import Epoch

VIEW_KEPT_S = 7 * 24 * 60 * 60
ROUND = 1_048_576
"""As in ``rotation.lua``."""

PRESENCE_GRACE_MS = 75_000
"""How long whoever was present is taken to be so after a loss, until their inboxes have said so again."""

Argument = str | int | float


def workspace_call(function: str, workspace_id: WorkspaceId, *arguments: Argument) -> FunctionCall:
    """A call about one workspace."""
    return FunctionCall(function, (workspace_key(workspace_id),), arguments)


# --- deciding ------------------------------------------------------------------------------------


def decide_call(epoch: Epoch, instruction: Instruction, now_ms: int) -> FunctionCall:
    """The call that decides ``instruction``. See ``sessions.lua``."""
    function, own = _own_arguments(instruction.action)
    return workspace_call(
        function,
        instruction.workspace_id,
        epoch,
        instruction.cause,
        now_ms,
        instruction.timer or "",
        "1" if instruction.is_command else "",
        *own,
    )


def _own_arguments(action: Action) -> tuple[str, tuple[Argument, ...]]:  # noqa: C901, PLR0912 - one case an action
    """The function of an action, and what it takes besides what all of them take."""
    match action:
        case RequestChat(conversation_id, plan, request):
            return "rondo_request_chat", (conversation_id, _json(plan), _json(request))
        case AcceptOffer(conversation_id, agent_id):
            return "rondo_accept_chat", (conversation_id, agent_id)
        case DeclineOffer(conversation_id, agent_id):
            return "rondo_decline_chat", (conversation_id, agent_id)
        case TakeFromQueue(conversation_id, agent_id):
            return "rondo_take_chat", (conversation_id, agent_id)
        case WithdrawRequest(conversation_id, by):
            return "rondo_withdraw_chat", (conversation_id, _json(by))
        case TransferConversation(conversation_id, agent_id, transfer):
            return "rondo_transfer_chat", (conversation_id, agent_id, _json(transfer))
        case EndConversation(conversation_id, by):
            return "rondo_end_chat", (conversation_id, _json(by))
        case TimeOutOffer(conversation_id, attempt):
            return "rondo_time_out_offer", (conversation_id, attempt)
        case LeaveQueue(conversation_id, attempt):
            return "rondo_leave_queue", (conversation_id, attempt)
        case CheckIdle(conversation_id, due):
            return "rondo_check_idle", (conversation_id, due)
        case CheckVisitor(conversation_id, due):
            return "rondo_check_visitor", (conversation_id, due)
        case ResumeChat(conversation_id):
            return "rondo_resume_chat", (conversation_id,)
        case SeatAgent():
            return "rondo_seat_agent", _seat_arguments(action)
        case UnseatAgent(agent_id):
            return "rondo_unseat_agent", (agent_id,)
        case DefinePool(pool, places):
            return "rondo_define_pool", (pool, json.dumps(dict(places)))
        case MarkPresent(agent_id):
            return "rondo_mark_present", (agent_id,)
        case CheckPresence(agent_id):
            return "rondo_check_presence", (agent_id,)
        case PreviewRoute(plan, request):
            return "rondo_preview_route", (_json(plan), _json(request))


def _seat_arguments(action: SeatAgent) -> tuple[Argument, ...]:
    seat = action.seat
    next_change = seat.availability.next_change_at
    own = {
        "place": seat.place,
        "capacity": seat.capacity,
        "may_chat": seat.may_chat,
        "available": seat.availability.available,
        "needs_presence": seat.needs_presence,
    }
    if next_change is not None:
        own["next_change_at"] = milliseconds(next_change)
    return (action.agent_id, json.dumps(own), _json(seat.availability), _json(seat.card))


def read_decision(answer: Sequence[str]) -> Decision:
    """The decision in an answer: its text, then the request of each chat."""
    decision: dict[str, Any] = json.loads(answer[0])
    chats = decision.get("chats") or []
    for chat, request in zip(chats, answer[1:], strict=False):
        chat["request"] = json.loads(request)
    return Decision.model_validate(decision)


# --- showing -------------------------------------------------------------------------------------


def show_call(epoch: Epoch, showing: Showing) -> FunctionCall:
    """The call that shows a decision. See ``showing.lua``."""
    parts: dict[str, Any] = {
        "cause": showing.decision.cause,
        "chats": [_chat_parts(each) for each in showing.chats],
        "done_timers": list(showing.done_timers),
    }
    if not showing.decision.repeated:
        parts["told"] = showing.decision.as_told().model_dump_json(exclude_none=True)
    if showing.answer is not None:
        text = showing.answer.model_dump_json(exclude_none=True)
        parts["answer"] = {"text": text, "kept_s": ANSWER_KEPT_S}
    return workspace_call("rondo_show", showing.workspace_id, epoch, json.dumps(parts))


def _chat_parts(chat: ChatShowing) -> dict[str, Any]:
    return {
        "conversation_id": chat.view.id,
        "version": chat.version,
        "log_offset": chat.log_offset,
        "timers": [list(timer) for timer in chat.timers],
        "rings": list(chat.rings),
        "released": list(chat.released),
        **_view_parts(chat.view),
    }


def _view_parts(view: ConversationView) -> dict[str, Any]:
    parts: dict[str, Any] = {"view": view.to_hash()}
    if view.status.is_final:
        parts["view_kept_s"] = VIEW_KEPT_S
    return parts


# --- restoring -----------------------------------------------------------------------------------


def restore_calls(
    epoch: Epoch, workspace_id: WorkspaceId, memory: WorkspaceMemory, now_ms: int
) -> list[FunctionCall]:
    """The calls that put back what the log remembers. See ``restoring.lua``."""
    chats = [
        workspace_call(
            "rondo_restore_chat",
            workspace_id,
            epoch,
            conversation_id,
            json.dumps(_memory_of_chat(conversation_id, chat, now_ms)),
        )
        for conversation_id, chat in memory.chats.items()
    ]
    rest = json.dumps(_memory_of_workspace(memory, now_ms))
    return [*chats, workspace_call("rondo_restore_workspace", workspace_id, epoch, rest)]


def _memory_of_chat(conversation_id: ConversationId, chat: ChatMemory, now_ms: int) -> dict[str, Any]:
    liveness = _liveness_of(chat, now_ms)
    view = chat.view(conversation_id)
    offsets = {
        "version": str(chat.version),
        "state_offset": str(chat.state_offset),
        "log_offset": str(chat.log_offset),
    }
    if chat.rating is not None:
        offsets |= {"rating": _json(chat.rating), "rating_offset": str(chat.rating_offset)}
    if chat.last_message_at is not None:
        offsets["last_message_at"] = str(milliseconds(chat.last_message_at))
    parts = _view_parts(view)
    return {
        "fields": _chat_fields(chat) | {name: str(value) for name, value in liveness.items()},
        "holders": list(chat.holders),
        "desks": list(chat.holders),
        "timers": _memory_of_timers(conversation_id, chat, liveness),
        **parts,
        "view": {**parts["view"], **offsets},
    }


def _chat_fields(chat: ChatMemory) -> dict[str, str]:
    """The fields of the chat's hash. See ``sessions.lua``."""
    offer, queued = chat.offer, chat.queued
    fields = {
        "status": chat.status,
        "request": _json(chat.request),
        "plan": _json(chat.plan),
        "stage": str(chat.stage + 1),
        "attempt": str(chat.attempt),
        "unanswered": str(chat.unanswered),
        "tried": json.dumps(chat.tried),
        "version": str(chat.version),
    }
    if chat.agent is not None:
        fields |= {"agent": chat.agent.id, "card": _json(chat.agent)}
    if offer is not None:
        fields |= {
            "offered": offer.agent.id,
            "offered_card": _json(offer.agent),
            "offered_at": str(milliseconds(offer.offered_at)),
            "expires_at": str(milliseconds(offer.expires_at)),
        }
    if offer is not None and chat.agent is not None:
        # Whom else it was to be offered is not in the log: unanswered, it stays with its agent.
        stage = {"name": "agent", "leg": 0, "attempts_max": 1, "agent_id": offer.agent.id}
        fields["transfer"] = json.dumps(
            {
                "stage": stage,
                "offer_timeout_s": chat.plan.offer_timeout_s,
                "unanswered": 0,
                "tried": [chat.agent.id, offer.agent.id],
            }
        )
    if queued is not None:
        fields |= {"order": str(queued.order), "queue_until": str(milliseconds(queued.expires_at))}
    return fields


def _liveness_of(chat: ChatMemory, now_ms: int) -> dict[str, int]:
    """The fields of ``liveness.lua``. Who waits is given a whole lease to be seen again."""
    if chat.status in WAITING:
        lease_ms = chat.plan.visitor_lease_s * 1000
        return {"lease_due": now_ms + lease_ms} if lease_ms else {}
    if chat.status is not Status.ACTIVE or chat.active_at is None:
        return {}
    said = chat.last_message_at
    since = milliseconds(chat.active_at if said is None else max(said, chat.active_at))
    idle = chat.plan.idle
    times = {
        "active_at": milliseconds(chat.active_at),
        "idle_due": since + idle.timeout_ms - idle.notice_ms,
    }
    if chat.idle_ends_at is not None:
        ends = milliseconds(chat.idle_ends_at)
        times |= {"idle_warned": since, "idle_ends": ends, "idle_due": ends}
    return times


def _memory_of_timers(
    conversation_id: ConversationId, chat: ChatMemory, liveness: Mapping[str, int]
) -> list[tuple[str, int]]:
    timers = []
    if chat.offer is not None and not chat.status.is_final:
        due = milliseconds(chat.offer.expires_at)
        timers.append((offer_timer(conversation_id, chat.offer.attempt), due))
    if chat.queued is not None and chat.is_waiting:
        due = milliseconds(chat.queued.expires_at)
        timers.append((queue_timer(conversation_id, chat.attempt), due))
    if (due := liveness.get("idle_due", 0)) > 0:
        timers.append((idle_timer(conversation_id, due), due))
    if (due := liveness.get("lease_due", 0)) > 0:
        timers.append((visitor_timer(conversation_id, due), due))
    return timers


def _memory_of_workspace(memory: WorkspaceMemory, now_ms: int) -> dict[str, Any]:
    return {
        "pools": {name: _memory_of_pool(pool) for name, pool in memory.pools.items()},
        "engagements": memory.engagements,
        "queue_order": memory.queue_order,
        "at": now_ms,
        "causes": list(memory.causes),
        "present": sorted(memory.present),
        "present_until": now_ms + PRESENCE_GRACE_MS,
    }


def _memory_of_pool(pool: PoolMemory) -> dict[str, Any]:
    turns = {agent_id: turn + ROUND for agent_id, turn in pool.served.items()}
    return {
        "counter": pool.counter,
        "turns": turns,
        "kept": [each for each in pool.kept if each in turns],
    }


def _json(value: Value | Availability | AgentCard) -> str:
    return value.model_dump_json(exclude_none=True)
