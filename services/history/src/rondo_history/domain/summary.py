"""Summaries: where a conversation stands and how it went, folded from its facts one by one.

The list of conversations and the reports are read from summaries. A summary follows from the facts
alone, so it can be made anew from them at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from rondo_common.conversation import (
    AgentCard,
    Ended,
    Fallback,
    Offer,
    Queue,
    Rating,
    Request,
    Route,
    Status,
    Value,
    Visitor,
)
from rondo_common.events import (
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    AssignmentRescinded,
    AssignmentTimedOut,
    ChatEnded,
    ChatFellBack,
    ChatQueued,
    ChatRequested,
    ChatTransferred,
    ChatWithdrawn,
    ConversationEvent,
    ConversationRated,
    MessagePosted,
    TransferReturned,
)
from rondo_common.ids import AgentId, EventId, VisitorId
from rondo_common.topics import CHAT_REQUESTS
from rondo_history.domain.fact import Fact, in_log_order

ERASED_VISITOR = VisitorId("erased")
"""Stands for every visitor whose personal data was erased."""


class Outcome(StrEnum):
    """What became of an offer."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    RESCINDED = "rescinded"


class Ring(Value):
    """One offer: who was rung, from which pool, and what became of it."""

    agent_id: AgentId
    attempt: int
    pool: str | None = None
    offered_at: datetime
    outcome: Outcome = Outcome.OPEN


class Summary(Value):
    """One conversation at a glance. Times are the facts' own."""

    status: Status = Status.REQUESTED
    request: Request | None = None
    """None as long as no fact tells what was asked for: then the conversation is not known yet."""
    agent: AgentCard | None = None
    offer: Offer | None = None
    queue: Queue | None = None
    """The place in the queue as it was when the visitor was put there."""
    ended: Ended | None = None
    fallback: Fallback | None = None
    agent_ids: tuple[AgentId, ...] = ()
    """Everybody who accepted it, or had it handed over, in that order."""
    rings: tuple[Ring, ...] = ()
    first_at: datetime | None = None
    last_at: datetime | None = None
    log_offset: int = -1
    """The latest offset of ``rondo.conversations`` it was folded from."""
    message_count: int = 0
    last_message_at: datetime | None = None
    queued_at: datetime | None = None
    """When the visitor was first put into the queue, and when they first left it."""
    dequeued_at: datetime | None = None
    accepted_at: datetime | None = None
    """When an agent first accepted, and when one of them first wrote."""
    responded_at: datetime | None = None
    closed_at: datetime | None = None
    rating: Rating | None = None
    """The visitor's latest."""
    rated_agent_id: AgentId | None = None
    """Who had the conversation that was rated, when it ended."""
    erased_by: EventId | None = None
    """The event that asked to erase the visitor's personal data; None: it is all here."""


def summary_of(facts: Iterable[Fact]) -> Summary:
    """The summary that all the facts of one conversation make, in whatever order they are given."""
    summary = Summary()
    for fact in in_log_order(facts):
        summary = after(summary, fact)
    return summary


def comes_next(summary: Summary, fact: Fact) -> bool:
    """Whether the fact stands behind all that the summary was folded from, so that it can be added.

    A request may be added at any time: all it tells is what was asked for.
    """
    return fact.place.topic == CHAT_REQUESTS.name or fact.place.offset > summary.log_offset


def after(summary: Summary, fact: Fact) -> Summary:
    """The summary once the fact happened too. Facts come in the order of the log, each once."""
    moments = [each for each in (summary.first_at, summary.last_at, fact.occurred_at) if each is not None]
    changes: dict[str, Any] = {"first_at": min(moments), "last_at": max(moments)}
    if fact.place.topic != CHAT_REQUESTS.name:
        changes["log_offset"] = fact.place.offset
    changes |= _changes(summary, fact.event, fact.occurred_at)
    if summary.queued_at is not None and summary.dequeued_at is None and _leaves_queue(fact.event):
        changes["dequeued_at"] = fact.occurred_at
    if summary.erased_by is not None:
        changes |= _without_person(changes)
    return summary.model_copy(update=changes)


def erased(summary: Summary, by: EventId) -> Summary:
    """The summary without anything about the visitor as a person; its figures stay."""
    known = {"request": summary.request, "rating": summary.rating}
    return summary.model_copy(update={**_without_person(known), "erased_by": by})


def _without_person(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a summary's fields that tell of the visitor as a person, without that."""
    changed: dict[str, Any] = {}
    if fields.get("request") is not None:
        changed["request"] = without_person(fields["request"])
    if fields.get("rating") is not None:
        changed["rating"] = fields["rating"].model_copy(update={"comment": None})
    return changed


def without_person(request: Request) -> Request:
    """What was asked for, but not by whom, from where, or with which answers."""
    return Request(
        visitor=Visitor(id=ERASED_VISITOR),
        route=request.route,
        priority=request.priority,
        requested_at=request.requested_at,
    )


def route_of(summary: Summary) -> Route | None:
    """The route that was asked for, if that is known."""
    return None if summary.request is None else summary.request.route


def _leaves_queue(event: ConversationEvent) -> bool:
    return isinstance(event, AssignmentOffered | ChatFellBack | ChatWithdrawn | ChatEnded)


def _changes(summary: Summary, event: ConversationEvent, at: datetime) -> dict[str, Any]:  # noqa: C901, PLR0912 - a table
    match event:
        case ChatRequested():
            return {"request": event.request}
        case AssignmentOffered():
            return _offered(summary, event)
        case AssignmentAccepted():
            return {
                **_settled(summary, event.attempt, Outcome.ACCEPTED),
                **_with_agent(summary, event.agent),
                "accepted_at": summary.accepted_at or at,
            }
        case AssignmentDeclined():
            return _settled(summary, event.attempt, Outcome.DECLINED)
        case AssignmentTimedOut():
            return _settled(summary, event.attempt, Outcome.TIMED_OUT)
        case AssignmentRescinded():
            return _settled(summary, event.attempt, Outcome.RESCINDED)
        case ChatQueued():
            return {
                "status": Status.QUEUED,
                "request": event.request,
                "queue": event.queue,
                "queued_at": summary.queued_at or event.queued_at,
            }
        case ChatTransferred():
            return _with_agent(summary, event.to_agent)
        case TransferReturned():
            return {"status": Status.ACTIVE, "offer": None}
        case ChatFellBack():
            final = {"request": event.request, "fallback": event.fallback}
            return {**_final(Status.FELL_BACK, at), **final}
        case ChatWithdrawn():
            return _final(Status.WITHDRAWN, at)
        case ChatEnded():
            return {
                **_final(Status.ENDED, at),
                "ended": Ended(reason=event.reason, by=event.by, at=at),
            }
        case MessagePosted():
            return _said(summary, event)
        case ConversationRated():
            return {"rating": event.rating, "rated_agent_id": event.agent_id}
    return {}


def _offered(summary: Summary, event: AssignmentOffered) -> dict[str, Any]:
    ring = Ring(
        agent_id=event.agent.id, attempt=event.attempt, pool=event.why.pool, offered_at=event.offered_at
    )
    offer = Offer(
        agent_id=event.agent.id,
        attempt=event.attempt,
        offered_at=event.offered_at,
        expires_at=event.expires_at,
    )
    changes: dict[str, Any] = {"rings": (*summary.rings, ring), "offer": offer, "request": event.request}
    if event.transferred_by is None:
        changes |= {"status": Status.OFFERED, "agent": None, "queue": None}
    return changes


def _settled(summary: Summary, attempt: int, outcome: Outcome) -> dict[str, Any]:
    """The open offer of that attempt has its outcome."""
    rings = tuple(
        each.model_copy(update={"outcome": outcome})
        if each.attempt == attempt and each.outcome is Outcome.OPEN
        else each
        for each in summary.rings
    )
    return {"rings": rings, "offer": None}


def _with_agent(summary: Summary, agent: AgentCard) -> dict[str, Any]:
    known = agent.id in summary.agent_ids
    return {
        "status": Status.ACTIVE,
        "agent": agent,
        "offer": None,
        "queue": None,
        "agent_ids": summary.agent_ids if known else (*summary.agent_ids, agent.id),
    }


def _final(status: Status, at: datetime) -> dict[str, Any]:
    return {"status": status, "offer": None, "queue": None, "closed_at": at}


def _said(summary: Summary, event: MessagePosted) -> dict[str, Any]:
    message = event.message
    changes: dict[str, Any] = {
        "message_count": summary.message_count + 1,
        "last_message_at": message.sent_at,
    }
    answers = message.author.type == "agent" and summary.accepted_at is not None
    if answers and summary.responded_at is None:
        changes["responded_at"] = message.sent_at
    return changes
