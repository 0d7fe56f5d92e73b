"""What the switchboard decided: a list of steps, each of which becomes one event."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from rondo_common.conversation import (
    AgentCard,
    EndReason,
    FallbackReason,
    Party,
    PassedOver,
    Request,
    Value,
    Why,
)
from rondo_common.ids import AgentId


def _list(value: Any) -> Any:
    """Lua has one empty table for lists and objects alike, and writes it as an object."""
    return [] if value == {} else value


class StepWhy(Value):
    """Why, as the switchboard tells it."""

    stage: str
    place: int | None = None
    passed_over: Annotated[tuple[PassedOver, ...], BeforeValidator(_list)] = ()
    passed_over_count: int = 0
    attempts_left: int = 0
    stages_left: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()

    def told(self) -> Why:
        """As events tell it."""
        return Why.model_validate(self.model_dump())


class Offered(Value):
    """This agent is rung; times in milliseconds."""

    type: Literal["offered"] = "offered"
    agent: AgentCard
    attempt: int
    offered_at: int
    expires_at: int
    why: StepWhy


class Accepted(Value):
    """The agent has the conversation now."""

    type: Literal["accepted"] = "accepted"
    agent: AgentCard
    attempt: int


class Declined(Value):
    """The agent refused."""

    type: Literal["declined"] = "declined"
    agent_id: AgentId
    attempt: int


class TimedOut(Value):
    """The agent did not answer in time."""

    type: Literal["timed_out"] = "timed_out"
    agent_id: AgentId
    attempt: int


class Rescinded(Value):
    """The offer was taken back."""

    type: Literal["rescinded"] = "rescinded"
    agent_id: AgentId
    attempt: int


class FellBack(Value):
    """Nobody is there, and nobody else will be asked."""

    type: Literal["fell_back"] = "fell_back"
    reason: FallbackReason
    message: str
    offer_meeting: bool
    why: StepWhy


class Withdrawn(Value):
    """The visitor left before anybody accepted."""

    type: Literal["withdrawn"] = "withdrawn"
    by: Party


class Ended(Value):
    """The talk is over."""

    type: Literal["ended"] = "ended"
    reason: EndReason
    by: Party
    agent: AgentCard


Step = Annotated[
    Offered | Accepted | Declined | TimedOut | Rescinded | FellBack | Withdrawn | Ended,
    Field(discriminator="type"),
]


class Decision(Value):
    """The switchboard's decision on one instruction. ``at`` in milliseconds.

    ``repeated`` is True when its events are in the log and its view was shown: only the answer, if
    somebody waits for one, is still worth giving.
    """

    version: int
    at: int
    steps: Annotated[tuple[Step, ...], BeforeValidator(_list)] = ()
    refusal: str | None = None
    repeated: bool = False
    request: Request | None = None

    def asked(self) -> Request:
        """The request the chat began with.

        Raises:
            ValueError: a decision that has steps came without it, which the switchboard never does.
        """
        if self.request is None:
            raise ValueError("a decision with steps carries its request")
        return self.request
