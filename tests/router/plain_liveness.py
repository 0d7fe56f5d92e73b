"""Who is silent and who is gone, plainly: a silence is warned of and then ends the talk; a visitor who
waits and whose stream stays closed for a whole lease waits no more."""

from __future__ import annotations

from rondo_common.conversation import EndReason, Party, RescindReason, Status
from rondo_common.ids import ConversationId
from rondo_router.domain import decision as decided
from rondo_router.domain.instruction import idle_timer, visitor_timer
from rondo_router.domain.outcome import WAITING
from tests.router.plain_chats import Chat
from tests.router.plain_offers import Offering
from tests.router.plain_workspace import Workspace

RONDO = Party(type="system", id="rondo")


def begin_idling(making: Offering, chat: Chat) -> None:
    """An agent has it from now on: silence counts from here."""
    chat.active_at = making.now
    chat.idle_due = making.now + chat.plan.idle.timeout_ms - chat.plan.idle.notice_ms


def begin_lease(making: Offering, chat: Chat) -> None:
    """The visitor waits from now on."""
    if chat.plan.visitor_lease_s > 0:
        chat.lease_due = making.now + chat.plan.visitor_lease_s * 1000


def silent_since(workspace: Workspace, chat: Chat) -> int:
    """Since when nobody has written, in ms."""
    return max(workspace.last_message_at.get(chat.conversation_id, 0), chat.active_at)


def check_idle(making: Offering, conversation_id: ConversationId, due: int) -> None:
    chat = making.workspace.chats.get(conversation_id)
    if chat is None or chat.status is not Status.ACTIVE or chat.idle_due != due:
        return
    assert chat.agent is not None
    idle, since = chat.plan.idle, silent_since(making.workspace, chat)
    is_warned = chat.idle_warned == since
    look_at = chat.idle_ends if is_warned else since + idle.timeout_ms - idle.notice_ms
    if making.now < look_at:
        chat.idle_due = look_at
        making.workspace.timers[idle_timer(conversation_id, look_at)] = look_at
    elif is_warned:
        making.end(chat, EndReason.IDLE, RONDO)
    else:
        chat.idle_warned = since
        chat.idle_due = chat.idle_ends = max(since + idle.timeout_ms, making.now + idle.notice_ms)
        step = decided.IdleWarned(
            conversation_id=conversation_id, agent_id=chat.agent.id, ends_at=chat.idle_ends
        )
        making.tell(chat, step)


def check_visitor(making: Offering, conversation_id: ConversationId, due: int) -> None:
    chat = making.workspace.chats.get(conversation_id)
    if chat is None or chat.status not in WAITING or chat.lease_due != due:
        return
    lease = chat.plan.visitor_lease_s * 1000
    seen = making.workspace.visitors_seen.get(conversation_id)
    if seen is not None and making.now >= seen + lease and chat.status is not Status.REQUESTED:
        withdraw(making, chat, RONDO)
        return
    look_at = making.now + lease
    if seen is not None and seen + lease > making.now:
        look_at = min(look_at, seen + lease)
    chat.lease_due = look_at
    making.workspace.timers[visitor_timer(conversation_id, look_at)] = look_at


def withdraw(making: Offering, chat: Chat, by: Party) -> None:
    """The visitor waits no more, in line or for an agent to answer."""
    if chat.offer is not None:
        making.rescind(chat, RescindReason.WITHDRAWN)
    chat.status = Status.WITHDRAWN
    making.tell(chat, decided.Withdrawn(conversation_id=chat.conversation_id, by=by))
