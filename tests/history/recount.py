"""An independent recount of a report, straight from the events as they stand on the topics."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rondo_common.conversation import TeamRoute
from rondo_common.events import (
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    AssignmentTimedOut,
    ChatEnded,
    ChatFellBack,
    ChatQueued,
    ChatRequested,
    ChatWithdrawn,
    ConversationRated,
    MessagePosted,
)
from rondo_history.domain.fact import Fact
from rondo_history.domain.report import Grouping, Period

Figures = dict[str, Any]


def recounted(
    conversations: Iterable[list[Fact]], workspace: str, period: Period, by: Grouping
) -> dict[str, Figures]:
    """The rows by their group's name. Each conversation's facts are in order."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    fallbacks: dict[str, Counter[str]] = defaultdict(Counter)
    waits: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    scores: dict[str, list[int]] = defaultdict(list)
    for facts in conversations:
        asked = next(fact.event for fact in facts if isinstance(fact.event, ChatRequested))
        if not period.start <= asked.request.requested_at < period.end:
            continue
        groups = _groups(facts, asked, workspace, period, by)
        for fact in facts:
            _count_offer(counts, fact, facts, groups, by)
        for name in groups:
            counts[name]["requested"] += 1
            counts[name]["withdrawn"] += any(isinstance(fact.event, ChatWithdrawn) for fact in facts)
            for fact in facts:
                if isinstance(fact.event, ChatFellBack):
                    fallbacks[name][fact.event.fallback.reason] += 1
            for what, seconds in _durations(facts, name, by).items():
                waits[name][what].append(seconds)
            scores[name] += _score(facts, name, by)
    return {
        name: {
            **{each: counts[name][each] for each in _COUNTS},
            "fell_back": dict(fallbacks[name]),
            **{each: _percentiles(waits[name][each]) for each in _DURATIONS},
            "rating": {
                "count": len(scores[name]),
                "average": sum(scores[name]) / len(scores[name]) if scores[name] else None,
            },
        }
        for name in counts
        if counts[name]["requested"]
    }


_COUNTS = ("requested", "offered", "accepted", "missed", "declined", "withdrawn")
_DURATIONS = ("queue_wait_s", "first_response_s", "handling_s")


def _groups(
    facts: list[Fact], asked: ChatRequested, workspace: str, period: Period, by: Grouping
) -> set[str]:
    request = asked.request
    offers = [fact.event for fact in facts if isinstance(fact.event, AssignmentOffered)]
    match by:
        case Grouping.WORKSPACE:
            return {workspace}
        case Grouping.AGENT:
            return {offer.agent.id for offer in offers}
        case Grouping.TEAM:
            pools = {offer.why.pool or "" for offer in offers}
            teams = {pool.removeprefix("team:") for pool in pools if pool.startswith("team:")}
            return teams | ({request.route.team_id} if isinstance(request.route, TeamRoute) else set())
        case Grouping.DAY:
            return {request.requested_at.astimezone(ZoneInfo(period.time_zone)).date().isoformat()}
        case Grouping.ROUTE:
            return {request.route.type}


def _count_offer(
    counts: Mapping[str, Counter[str]], fact: Fact, facts: list[Fact], groups: set[str], by: Grouping
) -> None:
    match fact.event:
        case AssignmentOffered():
            what = "offered"
        case AssignmentAccepted():
            what = "accepted"
        case AssignmentTimedOut():
            what = "missed"
        case AssignmentDeclined():
            what = "declined"
        case _:
            return
    offer = next(
        each.event
        for each in facts
        if isinstance(each.event, AssignmentOffered) and each.event.attempt == fact.event.attempt
    )
    for name in groups:
        is_theirs = {
            Grouping.AGENT: offer.agent.id == name,
            Grouping.TEAM: offer.why.pool == f"team:{name}",
        }.get(by, True)
        counts[name][what] += is_theirs


def _durations(facts: list[Fact], name: str, by: Grouping) -> dict[str, float]:
    found: dict[str, float] = {}
    queued = next((fact.event.queued_at for fact in facts if isinstance(fact.event, ChatQueued)), None)
    ends = (AssignmentOffered, ChatFellBack, ChatWithdrawn, ChatEnded)
    if queued is not None:
        place = next(n for n, fact in enumerate(facts) if isinstance(fact.event, ChatQueued))
        left = next((each.occurred_at for each in facts[place:] if isinstance(each.event, ends)), None)
        if left is not None:
            found["queue_wait_s"] = (left - queued).total_seconds()
    accepted = [fact for fact in facts if isinstance(fact.event, AssignmentAccepted)]
    if not accepted:
        return found
    first = accepted[0]
    assert isinstance(first.event, AssignmentAccepted)
    if by is Grouping.AGENT and first.event.agent.id != name:
        return found
    answer: datetime | None = None
    for fact in facts[facts.index(first) :]:
        if isinstance(fact.event, MessagePosted) and fact.event.message.author.type == "agent":
            answer = answer or fact.event.message.sent_at
        if isinstance(fact.event, ChatEnded):
            found["handling_s"] = (fact.occurred_at - first.occurred_at).total_seconds()
    if answer is not None:
        found["first_response_s"] = (answer - first.occurred_at).total_seconds()
    return found


def _score(facts: list[Fact], name: str, by: Grouping) -> list[int]:
    """The last rating's score, if it is the group's."""
    ratings = [fact.event for fact in facts if isinstance(fact.event, ConversationRated)]
    return [each.rating.score for each in ratings[-1:] if by is not Grouping.AGENT or each.agent_id == name]


def _percentiles(values: list[float]) -> dict[str, float | None]:
    ordered = sorted(values)

    def at(fraction: float) -> float | None:
        if not ordered:
            return None
        place = fraction * (len(ordered) - 1)
        low, high = math.floor(place), math.ceil(place)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

    return {"p50": at(0.5), "p90": at(0.9), "p99": at(0.99)}
