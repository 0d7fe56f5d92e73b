"""The public view of a conversation: what the router shows and everybody else reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

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
from rondo_common.ids import AgentId, ConversationId

V = TypeVar("V", bound=Value)


@dataclass(frozen=True, slots=True)
class ConversationView:
    """One conversation, as the log told it so far."""

    id: ConversationId
    status: Status
    request: Request
    agent: AgentCard | None = None
    offer: Offer | None = None
    ended: Ended | None = None
    fallback: Fallback | None = None
    log_offset: int = -1
    """Where ``rondo.conversations`` has its latest event, as far as is known; -1 before the first.

    Kept beside the state and never going back: who posts a message moves it as well.
    """

    state_offset: int = -1
    """Where the log has the event that led to this state; -1 before the router's first."""

    rating: Rating | None = None
    """How its visitor rated it; kept beside the state, by the gateway."""
    rating_offset: int = -1
    """Where the log has the rating."""

    queue: Queue | None = None
    """Its place while it waits. No part of the hash: the queue moves on without it."""

    @property
    def agent_id(self) -> AgentId | None:
        """The agent it is offered to or with."""
        if self.agent is not None:
            return self.agent.id
        return self.offer.agent_id if self.offer is not None else None

    @property
    def agent_ids(self) -> frozenset[AgentId]:
        """The agents who have part in it: the one it is with and the one it is offered to. They are two
        while a transfer is under way."""
        taking_part = (
            None if self.agent is None else self.agent.id,
            None if self.offer is None else self.offer.agent_id,
        )
        return frozenset(each for each in taking_part if each is not None)

    def to_hash(self) -> dict[str, str]:
        """The state's fields in the Redis hash. Each is written, so that a later state clears it."""
        return {
            "status": self.status,
            "request": self.request.model_dump_json(exclude_none=True),
            "visitor_id": self.request.visitor.id,
            "agent_id": self.agent_id or "",
            "agent": _to_json(self.agent),
            "offer": _to_json(self.offer),
            "ended": _to_json(self.ended),
            "fallback": _to_json(self.fallback),
        }

    @classmethod
    def from_hash(
        cls, conversation_id: ConversationId, fields: Mapping[str, str], queue: Queue | None = None
    ) -> ConversationView:
        """The view that the hash's fields mean, with the place that was read beside it."""
        return cls(
            id=conversation_id,
            status=Status(fields["status"]),
            request=Request.model_validate_json(fields["request"]),
            agent=_from_json(AgentCard, fields["agent"]),
            offer=_from_json(Offer, fields["offer"]),
            ended=_from_json(Ended, fields["ended"]),
            fallback=_from_json(Fallback, fields["fallback"]),
            log_offset=int(fields.get("log_offset", -1)),
            state_offset=int(fields.get("state_offset", -1)),
            rating=_from_json(Rating, fields.get("rating", "")),
            rating_offset=int(fields.get("rating_offset", -1)),
            queue=queue,
        )


def _to_json(value: Value | None) -> str:
    return "" if value is None else value.model_dump_json(exclude_none=True)


def _from_json(model: type[V], text: str) -> V | None:
    return model.model_validate_json(text) if text else None
