"""Lists of conversations: what callers ask for, and what history keeps of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from rondo_common.conversation import AgentCard, Ended, Fallback, Offer, Rating, Request, Status
from rondo_common.conversation_view import ConversationView
from rondo_common.ids import AgentId, ConversationId, VisitorId
from rondo_gateway.domain.principals import AgentCaller, Member, VisitorCaller


class _Read(BaseModel):
    """What history answers; a newer one may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class KeptConversation(_Read):
    """A conversation as history keeps it. `agent_ids` are those who have or had it."""

    id: ConversationId
    status: Status
    request: Request
    agent: AgentCard | None
    offer: Offer | None
    ended: Ended | None
    fallback: Fallback | None
    rating: Rating | None = None
    agent_ids: tuple[AgentId, ...]
    log_offset: int

    def view(self) -> ConversationView:
        """As the router showed it when these facts happened."""
        return ConversationView(
            id=self.id,
            status=self.status,
            request=self.request,
            agent=self.agent,
            offer=self.offer,
            ended=self.ended,
            fallback=self.fallback,
            rating=self.rating,
            log_offset=self.log_offset,
        )


class KeptPage(_Read):
    """Some conversations, newest first. The cursor leads to the next ones."""

    data: list[KeptConversation]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conversations are wanted, and how many. None matters to nobody; all that is given must hold."""

    limit: int
    status: Status | None = None
    agent_id: AgentId | None = None
    visitor_id: VisitorId | None = None
    query: str | None = None
    requested_from: datetime | None = None
    requested_before: datetime | None = None
    cursor: str | None = None
    seen_by: AgentId | None = None
    """The agent who asks, where they see their own only."""

    def to_query(self) -> dict[str, str]:
        """As history is asked for it."""
        named = {
            "limit": str(self.limit),
            "status": self.status,
            "agent_id": self.agent_id,
            "seen_by": self.seen_by,
            "visitor_id": self.visitor_id,
            "q": self.query,
            "requested_from": _text(self.requested_from),
            "requested_before": _text(self.requested_before),
            "after": self.cursor,
        }
        return {name: str(value) for name, value in named.items() if value is not None}


def visible_to(member: Member, wanted: Wanted, *, sees_all: bool) -> Wanted | None:
    """What of it ``member`` may see; None when that is nothing.

    A visitor sees their own conversations, an agent those they have or had, unless they may view all.
    """
    match member:
        case VisitorCaller(visitor_id=visitor_id):
            if wanted.visitor_id not in {None, visitor_id}:
                return None
            # Whom a visitor's chat was offered to is nothing they may find out by filtering.
            return None if wanted.agent_id is not None else replace(wanted, visitor_id=visitor_id)
        case AgentCaller(agent_id=agent_id) if not sees_all:
            return replace(wanted, seen_by=agent_id)
    return wanted


def still_wanted(view: ConversationView, wanted: Wanted) -> bool:
    """Whether a conversation that has moved on since history heard of it still has the status asked for."""
    return wanted.status in {None, view.status}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
