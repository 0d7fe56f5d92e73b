"""Who is told what: from one event to the mailboxes it belongs in.

A visitor reads the conversation's mailbox: they never see an agent's name before acceptance, nor why
anybody was passed over. While a conversation is handed over they have their agent, and hear of the
other one when that one has accepted. An agent's mailbox has everything about what is offered to them
or theirs, and about themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rondo_common.conversation import RescindReason
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AgentAvailabilityChanged,
    AgentEvent,
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    AssignmentRescinded,
    AssignmentTimedOut,
    ChatEnded,
    ChatFellBack,
    ChatQueued,
    ChatTransferred,
    ChatWithdrawn,
    ConversationErased,
    ConversationEvent,
    ConversationIdleWarned,
    ConversationRated,
    CoverageLost,
    MessagePosted,
    MessagesRead,
    TransferReturned,
)
from rondo_common.ids import AgentId, ConversationId, WorkspaceId
from rondo_common.mailbox import StreamEvent, stream_type
from rondo_common.topics import CONVERSATIONS


@dataclass(frozen=True, slots=True)
class ToConversation:
    """The mailbox of a conversation, which its visitor reads."""

    conversation_id: ConversationId


@dataclass(frozen=True, slots=True)
class ToAgent:
    """The mailbox of an agent."""

    agent_id: AgentId


@dataclass(frozen=True, slots=True)
class Delivery:
    """One entry for one mailbox.

    ``log_offset`` is where ``rondo.conversations`` has the event; None when it stands on another topic:
    views of conversations know nothing of that one's offsets.
    """

    workspace_id: WorkspaceId
    to: ToConversation | ToAgent
    entry: StreamEvent
    log_offset: int | None


@dataclass(frozen=True, slots=True)
class Oblivion:
    """A conversation that was erased, and the agents who were told of it."""

    workspace_id: WorkspaceId
    conversation_id: ConversationId
    agent_ids: tuple[AgentId, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    """What one kind of event tells: the public data, if any, and the agents who get all of it."""

    to_conversation: Callable[[Any], dict[str, Any] | None]
    to_agents: Callable[[Any], tuple[AgentId, ...]]


def _nothing(_: ConversationEvent) -> dict[str, Any]:
    return {}


def _untold(_: ConversationEvent) -> None:
    return None


def _attempt(event: AssignmentDeclined | AssignmentTimedOut | AssignmentRescinded) -> dict[str, Any]:
    return {"attempt": event.attempt}


def _offer(event: AssignmentOffered) -> dict[str, Any] | None:
    if event.transferred_by is not None:
        return None
    return event.model_dump(mode="json", include={"attempt", "offered_at", "expires_at"})


def _rescinded(event: AssignmentRescinded) -> dict[str, Any] | None:
    # Only a conversation that is being handed over can end while it is offered.
    return None if event.reason is RescindReason.ENDED else _attempt(event)


def _waiting(event: ChatQueued) -> dict[str, Any]:
    return event.model_dump(mode="json", include={"queue", "queued_at", "expires_at"})


def _everything(event: ConversationEvent) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude={"conversation_id"}, exclude_none=True)


def _fallback(event: ChatFellBack) -> dict[str, Any]:
    return event.fallback.model_dump(mode="json")


def _ending(event: ChatEnded) -> dict[str, Any]:
    return event.model_dump(mode="json", include={"reason", "by"})


def _message(event: MessagePosted) -> dict[str, Any]:
    return event.message.model_dump(mode="json") | {"client_message_id": event.client_message_id}


def _read(event: MessagesRead) -> dict[str, Any]:
    return event.model_dump(mode="json", include={"reader", "message_id", "read_at"})


def _idle(event: ConversationIdleWarned) -> dict[str, Any]:
    return event.model_dump(mode="json", include={"ends_at"})


def _rating(event: ConversationRated) -> dict[str, Any]:
    return event.model_dump(mode="json", include={"rating"})


def _its_agent(event: Any) -> tuple[AgentId, ...]:
    return (AgentId(event.agent_id),)


def _offered_agent(event: AssignmentOffered | AssignmentAccepted) -> tuple[AgentId, ...]:
    return (event.agent.id,)


def _both_agents(event: ChatTransferred) -> tuple[AgentId, ...]:
    return (event.from_agent.id, event.to_agent.id)


def _no_agent(_: ConversationEvent) -> tuple[AgentId, ...]:
    return ()


TELLINGS: Mapping[type[ConversationEvent], Telling] = {
    AssignmentOffered: Telling(_offer, _offered_agent),
    AssignmentAccepted: Telling(_everything, _offered_agent),
    AssignmentDeclined: Telling(_attempt, _its_agent),
    AssignmentTimedOut: Telling(_attempt, _its_agent),
    AssignmentRescinded: Telling(_rescinded, _its_agent),
    ChatQueued: Telling(_waiting, _no_agent),
    ChatTransferred: Telling(_everything, _both_agents),
    TransferReturned: Telling(_untold, _its_agent),
    ChatFellBack: Telling(_fallback, _no_agent),
    ChatWithdrawn: Telling(_nothing, _no_agent),
    ChatEnded: Telling(_ending, _its_agent),
    MessagePosted: Telling(_message, _its_agent),
    MessagesRead: Telling(_read, _its_agent),
    ConversationIdleWarned: Telling(_idle, _its_agent),
    ConversationRated: Telling(_rating, _its_agent),
}
"""Every event of a conversation that anybody is told of."""


def _availability(event: AgentAvailabilityChanged) -> dict[str, Any]:
    return event.availability.model_dump(mode="json")


def _left_alone(event: CoverageLost) -> dict[str, Any]:
    return {"conversation_ids": list(event.conversation_ids)}


AGENT_TELLINGS: Mapping[type[AgentEvent], Callable[[Any], dict[str, Any]]] = {
    AgentAvailabilityChanged: _availability,
    CoverageLost: _left_alone,
}
"""Every event about an agent that the agent is told of, and the data."""


def deliveries_of(envelope: Envelope[Any], offset: int) -> list[Delivery]:
    """The entries the event at ``offset`` of its topic leads to, the conversation's first.

    None for events nobody is told of.
    """
    event = envelope.event
    if isinstance(event, AgentEvent):
        tell = AGENT_TELLINGS.get(type(event))
        return [] if tell is None else [_about_agent(envelope, tell(event))]
    telling = TELLINGS.get(type(event))
    return [] if telling is None else _about_conversation(envelope, offset, telling)


def all_of(envelope: Envelope[Any]) -> StreamEvent | None:
    """The event as who may know everything is told of it; None for commands and definitions.

    What is about an agent says which: there is no mailbox that it stands in.
    """
    event = envelope.event
    if isinstance(event, AgentEvent):
        tell: Callable[[Any], dict[str, Any]] = AGENT_TELLINGS.get(type(event), _about_themselves)
        return _entry(envelope, None, {"agent_id": event.agent_id, **tell(event)})
    if not isinstance(event, ConversationEvent) or event.TOPIC is not CONVERSATIONS:
        return None
    return _entry(envelope, event.conversation_id, _in_full(event))


def _in_full(event: ConversationEvent) -> dict[str, Any]:
    return _message(event) if isinstance(event, MessagePosted) else _everything(event)


def _about_themselves(event: AgentEvent) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude={"agent_id"}, exclude_none=True)


def _about_conversation(
    envelope: Envelope[ConversationEvent], offset: int, telling: Telling
) -> list[Delivery]:
    event, workspace_id = envelope.event, envelope.workspace_id
    deliveries: list[Delivery] = []
    public = telling.to_conversation(event)
    if public is not None:
        entry = _entry(envelope, event.conversation_id, public)
        deliveries.append(Delivery(workspace_id, ToConversation(event.conversation_id), entry, offset))
    agent_ids = telling.to_agents(event)
    if agent_ids:
        entry = _entry(envelope, event.conversation_id, _in_full(event))
        deliveries += [Delivery(workspace_id, ToAgent(each), entry, offset) for each in agent_ids]
    return deliveries


def oblivion_of(envelope: Envelope[Any]) -> Oblivion | None:
    """What is to be forgotten after the event, if it says so."""
    event = envelope.event
    if not isinstance(event, ConversationErased):
        return None
    return Oblivion(envelope.workspace_id, event.conversation_id, event.agent_ids)


def _about_agent(envelope: Envelope[AgentEvent], data: dict[str, Any]) -> Delivery:
    entry = _entry(envelope, None, data)
    return Delivery(envelope.workspace_id, ToAgent(envelope.event.agent_id), entry, None)


def _entry(
    envelope: Envelope[Any], conversation_id: ConversationId | None, data: dict[str, Any]
) -> StreamEvent:
    return StreamEvent(
        id=envelope.id,
        type=stream_type(envelope.event.TYPE),
        conversation_id=conversation_id,
        occurred_at=envelope.time,
        data=data,
    )
