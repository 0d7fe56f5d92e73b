"""Who is told what: from one event to the mailboxes it belongs in.

A visitor reads the conversation's mailbox: they never see an agent's name before acceptance, nor why
anybody was passed over. An agent's mailbox has everything about what is offered to them or theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rondo_common.envelope import Envelope
from rondo_common.events import (
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    AssignmentRescinded,
    AssignmentTimedOut,
    ChatEnded,
    ChatFellBack,
    ChatWithdrawn,
    ConversationErased,
    ConversationEvent,
    MessagePosted,
)
from rondo_common.ids import AgentId, ConversationId, WorkspaceId
from rondo_common.mailbox import StreamEvent, stream_type


@dataclass(frozen=True, slots=True)
class Delivery:
    """One entry for one mailbox: an agent's, or (``agent_id`` None) the conversation's.

    ``log_offset`` is where the log has the event.
    """

    workspace_id: WorkspaceId
    conversation_id: ConversationId
    agent_id: AgentId | None
    entry: StreamEvent
    log_offset: int


@dataclass(frozen=True, slots=True)
class Oblivion:
    """A conversation that was erased, and the agents who were told of it."""

    workspace_id: WorkspaceId
    conversation_id: ConversationId
    agent_ids: tuple[AgentId, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    """What one kind of event tells: the public data, and the agent who gets all of it."""

    to_conversation: Callable[[Any], dict[str, Any]]
    to_agent: Callable[[Any], AgentId | None]


def _nothing(_: ConversationEvent) -> dict[str, Any]:
    return {}


def _attempt(event: AssignmentDeclined | AssignmentTimedOut | AssignmentRescinded) -> dict[str, Any]:
    return {"attempt": event.attempt}


def _offer(event: AssignmentOffered) -> dict[str, Any]:
    return event.model_dump(mode="json", include={"attempt", "offered_at", "expires_at"})


def _everything(event: ConversationEvent) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude={"conversation_id"}, exclude_none=True)


def _fallback(event: ChatFellBack) -> dict[str, Any]:
    return event.fallback.model_dump(mode="json")


def _ending(event: ChatEnded) -> dict[str, Any]:
    return event.model_dump(mode="json", include={"reason", "by"})


def _message(event: MessagePosted) -> dict[str, Any]:
    return event.message.model_dump(mode="json") | {"client_message_id": event.client_message_id}


def _its_agent(event: Any) -> AgentId:
    return AgentId(event.agent_id)


def _offered_agent(event: AssignmentOffered | AssignmentAccepted) -> AgentId:
    return event.agent.id


def _no_agent(_: ConversationEvent) -> None:
    return None


TELLINGS: Mapping[type[ConversationEvent], Telling] = {
    AssignmentOffered: Telling(_offer, _offered_agent),
    AssignmentAccepted: Telling(_everything, _offered_agent),
    AssignmentDeclined: Telling(_attempt, _its_agent),
    AssignmentTimedOut: Telling(_attempt, _its_agent),
    AssignmentRescinded: Telling(_attempt, _its_agent),
    ChatFellBack: Telling(_fallback, _no_agent),
    ChatWithdrawn: Telling(_nothing, _no_agent),
    ChatEnded: Telling(_ending, _its_agent),
    MessagePosted: Telling(_message, _its_agent),
}
"""Every event that anybody is told of."""


def deliveries_of(envelope: Envelope[Any], log_offset: int) -> list[Delivery]:
    """The entries the event at ``log_offset`` leads to, the conversation's first.

    None for events nobody is told of.
    """
    event = envelope.event
    telling = TELLINGS.get(type(event))
    if telling is None:
        return []
    public = telling.to_conversation(event)
    deliveries = [_delivery(envelope, log_offset, None, public)]
    agent_id = telling.to_agent(event)
    if agent_id is not None:
        private = public if isinstance(event, MessagePosted) else _everything(event)
        deliveries.append(_delivery(envelope, log_offset, agent_id, private))
    return deliveries


def oblivion_of(envelope: Envelope[Any]) -> Oblivion | None:
    """What is to be forgotten after the event, if it says so."""
    event = envelope.event
    if not isinstance(event, ConversationErased):
        return None
    return Oblivion(envelope.workspace_id, event.conversation_id, event.agent_ids)


def _delivery(
    envelope: Envelope[ConversationEvent],
    log_offset: int,
    agent_id: AgentId | None,
    data: dict[str, Any],
) -> Delivery:
    conversation_id = envelope.event.conversation_id
    entry = StreamEvent(
        id=envelope.id,
        type=stream_type(envelope.event.TYPE),
        conversation_id=conversation_id,
        occurred_at=envelope.time,
        data=data,
    )
    return Delivery(envelope.workspace_id, conversation_id, agent_id, entry, log_offset)
