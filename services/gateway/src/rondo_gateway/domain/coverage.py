"""Hours of the week that nobody covers, by the agents' schedules."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rondo_common.availability import Weekday, schedule_spans
from rondo_common.directory.entries import AgentEntry

WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_WEEKDAYS = tuple(Weekday)

Span = tuple[datetime, datetime]


def uncovered_hours(agents: Iterable[AgentEntry], time_zone: str, now: datetime) -> list[str] | None:
    """The spans of the 7 days from ``now`` on in which none of the agents is available by schedule.

    As clocks in ``time_zone`` show them, from Monday on: ``mon 00:00–08:00``, ``fri 18:00–mon 08:00``.
    None when that is all of the week; empty when there is no such span. A span that goes on where
    the 7 days end and begin is one.
    """
    start = now.replace(second=0, microsecond=0)
    end = start + WEEK
    gaps = _gaps(agents, start, end)
    if gaps == [(start, end)]:
        return None
    zone = ZoneInfo(time_zone)
    spans = [(_wall(begins, zone), _wall(ends, zone)) for begins, ends in gaps]
    if len(gaps) > 1 and gaps[0][0] == start and gaps[-1][1] == end:
        spans = [*spans[1:-1], (spans[-1][0], spans[0][1] + WEEK)]
    return [_text(*each) for each in sorted(spans, key=_since_monday)]


def _gaps(agents: Iterable[AgentEntry], start: datetime, end: datetime) -> list[Span]:
    """What the schedules leave open, in order."""
    schedules = {(each.schedule, each.time_zone) for each in agents}
    covered = sorted(
        span for schedule, zone in schedules for span in schedule_spans(schedule, zone, start, end)
    )
    gaps: list[Span] = []
    reached = start
    for begins, ends in covered:
        if begins > reached:
            gaps.append((reached, begins))
        reached = max(reached, ends)
    return gaps if reached >= end else [*gaps, (reached, end)]


def _wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _since_monday(span: Span) -> timedelta:
    begins, _ = span
    midnight = begins.replace(hour=0, minute=0)
    return begins.weekday() * _DAY + (begins - midnight)


def _text(begins: datetime, ends: datetime) -> str:
    # A day ends at 24:00, and not where the next one begins.
    last_day, closes = ends.date(), f"{ends:%H:%M}"
    if closes == "00:00":
        last_day, closes = last_day - _DAY, "24:00"
    opens = f"{_WEEKDAYS[begins.weekday()]} {begins:%H:%M}"
    return (
        f"{opens}–{closes}"
        if last_day == begins.date()
        else f"{opens}–{_WEEKDAYS[last_day.weekday()]} {closes}"
    )
