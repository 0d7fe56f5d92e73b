"""What the switchboard decided: a list of steps, each of which becomes one event."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from rondo_common.availability import Availability
from rondo_common.conversation import (
    AgentCard,
    EndReason,
    FallbackReason,
    Party,
    PassedOver,
    Queue,
    Request,
    RescindReason,
    Status,
    Value,
    Why,
)
from rondo_common.ids import AgentId, ConversationId, EventId


def _list(value: Any) -> Any:
    """Lua has one empty table for lists and objects alike, and writes it as an object."""
    return [] if value == {} else value


class StepWhy(Value):
    """Why, as the switchboard tells it."""

    stage: str
    pool: str | None = None
    place: int | None = None
    turn: int | None = None
    passed_over: Annotated[tuple[PassedOver, ...], BeforeValidator(_list)] = ()
    passed_over_count: int = 0
    attempts_left: int = 0
    stages_left: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()

    def told(self) -> Why:
        """As events tell it."""
        return Why.model_validate(self.model_dump())


# --- steps of a conversation ---------------------------------------------------------------------


class ChatStep(Value):
    """Something that happened to one conversation."""

    conversation_id: ConversationId


class Offered(ChatStep):
    """This agent is rung; times in milliseconds."""

    type: Literal["offered"] = "offered"
    agent: AgentCard
    attempt: int
    offered_at: int
    expires_at: int
    why: StepWhy
    transferred_by: AgentCard | None = None


class Queued(ChatStep):
    """The visitor waits, until ``expires_at`` (in ms) at the latest."""

    type: Literal["queued"] = "queued"
    queue: Queue
    order: int
    """Counts everybody who ever waited in the workspace: lower came first."""
    queued_at: int
    expires_at: int
    why: StepWhy


class Accepted(ChatStep):
    """The agent has the conversation now."""

    type: Literal["accepted"] = "accepted"
    agent: AgentCard
    attempt: int


class Declined(ChatStep):
    """The agent refused."""

    type: Literal["declined"] = "declined"
    agent_id: AgentId
    attempt: int


class TimedOut(ChatStep):
    """The agent did not answer in time."""

    type: Literal["timed_out"] = "timed_out"
    agent_id: AgentId
    attempt: int


class Rescinded(ChatStep):
    """The offer was taken back."""

    type: Literal["rescinded"] = "rescinded"
    agent_id: AgentId
    attempt: int
    reason: RescindReason


class Transferred(ChatStep):
    """The conversation went from one agent to another."""

    type: Literal["transferred"] = "transferred"
    from_agent: AgentCard
    to_agent: AgentCard


class Returned(ChatStep):
    """Nobody took the conversation over: it stays with its agent."""

    type: Literal["returned"] = "returned"
    agent_id: AgentId


class FellBack(ChatStep):
    """Nobody is there, and nobody else will be asked."""

    type: Literal["fell_back"] = "fell_back"
    reason: FallbackReason
    message: str
    offer_meeting: bool
    why: StepWhy


class Withdrawn(ChatStep):
    """The visitor left before anybody accepted."""

    type: Literal["withdrawn"] = "withdrawn"
    by: Party


class Ended(ChatStep):
    """The talk is over."""

    type: Literal["ended"] = "ended"
    reason: EndReason
    by: Party
    agent: AgentCard


class IdleWarned(ChatStep):
    """Nobody has written for long; it ends at ``ends_at`` (in ms) unless somebody does."""

    type: Literal["idle_warned"] = "idle_warned"
    agent_id: AgentId
    ends_at: int


# --- steps of an agent ---------------------------------------------------------------------------


class AvailabilityChanged(Value):
    """The agent came or went, or will at another time than was told."""

    type: Literal["availability_changed"] = "availability_changed"
    agent_id: AgentId
    availability: Availability


class Connected(Value):
    """The agent is present."""

    type: Literal["connected"] = "connected"
    agent_id: AgentId


class Disconnected(Value):
    """The agent is present no more."""

    type: Literal["disconnected"] = "disconnected"
    agent_id: AgentId


class CoverageLost(Value):
    """The agent is present no more, and visitors talk with them."""

    type: Literal["coverage_lost"] = "coverage_lost"
    agent_id: AgentId
    conversation_ids: tuple[ConversationId, ...]


Step = Annotated[
    Offered
    | Queued
    | Accepted
    | Declined
    | TimedOut
    | Rescinded
    | Transferred
    | Returned
    | FellBack
    | Withdrawn
    | Ended
    | IdleWarned
    | AvailabilityChanged
    | Connected
    | Disconnected
    | CoverageLost,
    Field(discriminator="type"),
]


# --- decisions -----------------------------------------------------------------------------------


class OpenOffer(Value):
    """The offer of a chat that is open; times in milliseconds."""

    agent: AgentCard
    attempt: int
    offered_at: int
    expires_at: int


class ChatState(Value):
    """Where a conversation stands after the decision.

    ``version`` counts the decisions that moved this conversation. ``offer`` and ``agent`` are both there
    while a conversation is handed over.
    """

    conversation_id: ConversationId
    version: int
    status: Status
    request: Request
    agent: AgentCard | None = None
    offer: OpenOffer | None = None
    attempt: int = 0
    """How many offers were made so far."""
    queue_until: int | None = None
    """When the wait ends, in ms, if it is waiting."""
    idle_due: int | None = None
    """When its silence is next looked at, in ms, if it is or was active."""
    lease_due: int | None = None
    """When its visitor is next looked for, in ms, if anybody looks."""


class Preview(Value):
    """What would happen to a request: the step, without anything done."""

    outcome: Literal["offered", "queued", "fell_back"]
    agent: AgentCard | None = None
    queue: Queue | None = None
    reason: FallbackReason | None = None
    why: StepWhy


class Decision(Value):
    """The switchboard's decision on one instruction. ``at`` in milliseconds.

    ``repeated`` is True when its events are in the log and everything was shown: only the answer, if
    somebody waits for one, is still worth giving. ``chats`` holds every conversation its steps moved.
    """

    cause: EventId
    at: int
    steps: Annotated[tuple[Step, ...], BeforeValidator(_list)] = ()
    chats: Annotated[tuple[ChatState, ...], BeforeValidator(_list)] = ()
    refusal: str | None = None
    repeated: bool = False
    is_command: bool = False
    timer: str | None = None
    preview: Preview | None = None

    def as_told(self) -> Decision:
        """How the decision is known once it was told: what came of it is in the log."""
        return Decision(
            cause=self.cause,
            at=self.at,
            refusal=self.refusal,
            repeated=True,
            is_command=self.is_command,
            timer=self.timer,
        )
