"""Assignments: how the facts of a conversation tell whom it was offered to, and why.

For the agents' side only: it names agents who did not accept, and says why others were passed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from rondo_common.conversation import AgentCard, Fallback, Queue, RescindReason, Value, Why
from rondo_common.events import (
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    AssignmentRescinded,
    AssignmentTimedOut,
    ChatFellBack,
    ChatQueued,
)
from rondo_common.ids import AgentId
from rondo_history.domain.fact import Fact, in_log_order

Outcome = Literal["open", "accepted", "declined", "timed_out", "rescinded"]


class Attempt(Value):
    """One offer and what became of it. ``outcome_at`` is None as long as it is open."""

    attempt: int
    agent: AgentCard
    stage: str
    offered_at: datetime
    expires_at: datetime
    outcome: Outcome = "open"
    outcome_at: datetime | None = None
    rescind_reason: RescindReason | None = None
    transferred_by: AgentCard | None = None
    why: Why


class Queueing(Value):
    """The conversation had to wait: its place then, and why nobody could be offered it."""

    queued_at: datetime
    expires_at: datetime
    queue: Queue
    why: Why


class FallingBack(Value):
    """Nobody was connected: what the visitor was told, and why."""

    at: datetime
    fallback: Fallback
    why: Why


class Assignments(Value):
    """Every attempt to connect a conversation, in order; each time it was queued; how it fell back."""

    data: tuple[Attempt, ...]
    queued: tuple[Queueing, ...]
    fell_back: FallingBack | None


def assignments_of(facts: Iterable[Fact]) -> Assignments | None:
    """What one conversation's facts tell of its assignments, in whatever order they are given.

    None when there are none: then the conversation is not known yet.
    """
    ordered = in_log_order(facts)
    if not ordered:
        return None
    attempts: list[Attempt] = []
    for fact in ordered:
        match fact.event:
            case AssignmentOffered():
                attempts.append(_offered(fact.event))
            case AssignmentAccepted(agent=agent, attempt=number):
                _settle(attempts, agent.id, number, fact, "accepted")
            case AssignmentDeclined(agent_id=agent_id, attempt=number):
                _settle(attempts, agent_id, number, fact, "declined")
            case AssignmentTimedOut(agent_id=agent_id, attempt=number):
                _settle(attempts, agent_id, number, fact, "timed_out")
            case AssignmentRescinded(agent_id=agent_id, attempt=number, reason=reason):
                _settle(attempts, agent_id, number, fact, "rescinded", reason)
            case _:
                pass  # Nothing about an offer.
    return Assignments(
        data=tuple(attempts),
        queued=tuple(_queued(fact.event) for fact in ordered if isinstance(fact.event, ChatQueued)),
        fell_back=_fell_back(ordered),
    )


def _offered(event: AssignmentOffered) -> Attempt:
    return Attempt(
        attempt=event.attempt,
        agent=event.agent,
        stage=event.why.stage,
        offered_at=event.offered_at,
        expires_at=event.expires_at,
        transferred_by=event.transferred_by,
        why=event.why,
    )


def _settle(
    attempts: list[Attempt],
    agent_id: AgentId,
    number: int,
    fact: Fact,
    outcome: Outcome,
    reason: RescindReason | None = None,
) -> None:
    """Give the latest open offer of that number to that agent its outcome. A transfer may count its
    attempts anew, so a number alone names none."""
    for place in reversed(range(len(attempts))):
        offer = attempts[place]
        if (offer.agent.id, offer.attempt, offer.outcome) == (agent_id, number, "open"):
            change = {"outcome": outcome, "outcome_at": fact.occurred_at, "rescind_reason": reason}
            attempts[place] = offer.model_copy(update=change)
            return


def _queued(event: ChatQueued) -> Queueing:
    return Queueing(
        queued_at=event.queued_at, expires_at=event.expires_at, queue=event.queue, why=event.why
    )


def _fell_back(ordered: list[Fact]) -> FallingBack | None:
    for fact in ordered:
        if isinstance(fact.event, ChatFellBack):
            return FallingBack(at=fact.occurred_at, fallback=fact.event.fallback, why=fact.event.why)
    return None
