"""Why an agent was rung, and why nobody: the attempts to connect a conversation, as history tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from rondo_common.conversation import AgentCard, Fallback, Queue, RescindReason, Value, Why

Outcome = Literal["open", "accepted", "declined", "timed_out", "rescinded"]


class Attempt(Value):
    """One offer, what became of it and when, and why this agent. `transferred_by` hands it over."""

    attempt: int
    agent: AgentCard
    stage: str
    offered_at: datetime
    expires_at: datetime
    outcome: Outcome
    outcome_at: datetime | None
    rescind_reason: Annotated[
        RescindReason | None, Field(description="Why the offer was taken back, if it was")
    ] = None
    transferred_by: AgentCard | None = None
    why: Why


class Queueing(Value):
    """The conversation had to wait: its place then, and why nobody could be offered it."""

    queued_at: datetime
    expires_at: datetime
    queue: Queue
    why: Why


class FallingBack(Value):
    """Nobody was connected: what the visitor was told, and why nobody could be offered it any more."""

    at: datetime
    fallback: Fallback
    why: Why


class Assignments(Value):
    """Every attempt to connect a conversation, in order; each time it was queued; how it fell back."""

    data: list[Attempt]
    queued: list[Queueing]
    fell_back: FallingBack | None
