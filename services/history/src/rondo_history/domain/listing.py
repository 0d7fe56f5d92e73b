"""Lists of conversations: what is asked for, and where a page goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rondo_common.conversation import (
    AgentCard,
    Ended,
    Fallback,
    Offer,
    Queue,
    Rating,
    Request,
    Status,
    Value,
)
from rondo_common.ids import AgentId, ConversationId, VisitorId
from rondo_history.domain.summary import Summary


@dataclass(frozen=True, slots=True)
class Position:
    """Where a conversation stands in the list: newest first, then by id from the end."""

    requested_at: datetime
    conversation_id: ConversationId


@dataclass(frozen=True, slots=True)
class Filter:
    """Which conversations of a workspace are wanted. None matters to nobody; all that is given must hold.

    An agent's conversations are those they have or had, and the one they are rung for now.
    """

    status: Status | None = None
    agent_id: AgentId | None = None
    seen_by: AgentId | None = None
    """The agent who asks, where they see their own only."""
    visitor_id: VisitorId | None = None
    query: str | None = None
    requested_from: datetime | None = None
    requested_before: datetime | None = None
    after: Position | None = None


class KeptConversation(Value):
    """A conversation as far as it is kept here: what the live view said when these facts happened."""

    id: ConversationId
    status: Status
    request: Request
    agent: AgentCard | None
    offer: Offer | None
    queue: Queue | None
    ended: Ended | None
    fallback: Fallback | None
    rating: Rating | None
    agent_ids: tuple[AgentId, ...]
    log_offset: int
    message_count: int
    last_message_at: datetime | None


def kept_conversation(conversation_id: ConversationId, summary: Summary) -> KeptConversation | None:
    """What a summary shows to those who ask; None when there is nothing to show (yet, or any more)."""
    if summary.request is None or summary.erased_by is not None:
        return None
    return KeptConversation(
        id=conversation_id,
        status=summary.status,
        request=summary.request,
        agent=summary.agent,
        offer=summary.offer,
        queue=summary.queue,
        ended=summary.ended,
        fallback=summary.fallback,
        rating=summary.rating,
        agent_ids=summary.agent_ids,
        log_offset=summary.log_offset,
        message_count=summary.message_count,
        last_message_at=summary.last_message_at,
    )


def position_of(conversation: KeptConversation) -> Position:
    """Where the conversation stands in lists."""
    return Position(conversation.request.requested_at, conversation.id)
