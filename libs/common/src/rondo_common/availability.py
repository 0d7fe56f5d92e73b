"""Availability: when an agent may be offered chats, by schedule and toggle.

**By schedule** an agent is available at an instant when the wall clock in their zone (UTC when none is
set) then stands inside a block. It is the wall clock that counts, instant by instant: what of a block
falls into the gap of a spring night does not happen, and where an autumn night runs through an hour
twice, both count. Without a schedule they always are, with an empty one they never are.

**The toggle** overrides the schedule both ways. It holds until the first of: the start of the next
schedule block, also of one that adjoins the block before; and, when it says *available*, midnight in
the agent's zone. A block starts when the wall clock first reads its ``from``, or passes it in a gap. A
toggle that has ended is as if it had never been.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from rondo_common.conversation import Value
from rondo_common.wall_clock import Stretch, first_reaches, next_midnight, stretches, wall_at

HORIZON = timedelta(days=16)
"""A schedule that does not change for so long never does: it repeats every week, daylight saving may
leave out a block once, and no clock is ever put forward by more than a day."""
DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
SCHEDULES_CACHED_MAX = 1024
"""Agents of a workspace mostly share a few."""

Span = tuple[datetime, datetime]
"""From an instant (inclusive) to another (exclusive), in UTC."""


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known_time_zone(name: str) -> str:
    if name not in _time_zones():
        raise PydanticCustomError("time_zone", "must be an IANA time zone such as Europe/Stockholm")
    return name


TimeZone = Annotated[str, AfterValidator(_known_time_zone)]
"""The name of an IANA time zone."""


class Weekday(StrEnum):
    """A day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A time of day, ``HH:MM``."""


class ScheduleBlock(Value):
    """From a time of day (inclusive) to another (exclusive); one at or before it is on the next day."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    weekday: Weekday
    from_: ClockTime = Field(alias="from")
    to: ClockTime


Schedule = tuple[ScheduleBlock, ...]
"""The blocks of a week, in any order; they may overlap."""


class Toggle(Value):
    """What the agent switched to, and when."""

    available: bool
    set_at: datetime


class Availability(Value):
    """Whether an agent is available, why, and what comes next."""

    available: bool
    source: Literal["schedule", "toggle"]
    until: datetime | None = None
    """When the present source's say ends; None: not by itself."""
    next_change_at: datetime | None = None
    """When ``available`` changes by itself; None: never."""


ALWAYS = Availability(available=True, source="schedule")
NEVER = Availability(available=False, source="schedule")


def availability_at(
    schedule: Schedule | None, time_zone: str | None, toggle: Toggle | None, now: datetime
) -> Availability:
    """Whether such an agent is available at ``now``, and what comes next."""
    if toggle is not None:
        end = holds_until(toggle, schedule, time_zone)
        if end is None or now < end:
            return _by_toggle(toggle, end, schedule, time_zone)
    return _by_schedule(schedule, time_zone, now)


def holds_until(toggle: Toggle, schedule: Schedule | None, time_zone: str | None) -> datetime | None:
    """When the toggle ends by itself; None: only when it is switched back."""
    zone = time_zone or "UTC"
    set_at = toggle.set_at.astimezone(UTC)
    ends = [next_midnight(zone, set_at)] if toggle.available else []
    if schedule:
        ends.append(next(start for start in _starts(schedule, zone, set_at) if start > set_at))
    return min(ends, default=None)


def schedule_spans(
    schedule: Schedule | None, time_zone: str | None, start: datetime, end: datetime
) -> list[Span]:
    """When the schedule says available in ``[start, end)``: clipped to it, in order, and none adjoin."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if schedule is None:
        return [(start, end)] if start < end else []
    return list(_merged(_pieces(schedule, time_zone or "UTC", start, end)))


def _by_toggle(
    toggle: Toggle, end: datetime | None, schedule: Schedule | None, time_zone: str | None
) -> Availability:
    change = end
    if end is not None:
        after = _by_schedule(schedule, time_zone, end)
        if after.available == toggle.available:
            change = after.next_change_at
    return Availability(available=toggle.available, source="toggle", until=end, next_change_at=change)


def _by_schedule(schedule: Schedule | None, time_zone: str | None, now: datetime) -> Availability:
    if not schedule:
        return ALWAYS if schedule is None else NEVER
    now = now.astimezone(UTC)
    horizon = now + HORIZON
    span = next(_merged(_pieces(schedule, time_zone or "UTC", now, horizon)), None)
    if span is None:
        return NEVER
    start, end = span
    is_available = start == now
    change = end if is_available else start
    until = None if change == horizon else change
    return Availability(available=is_available, source="schedule", until=until, next_change_at=until)


def _merged(pieces: Iterator[Span]) -> Iterator[Span]:
    """Pieces in order, with those that adjoin as one."""
    span: Span | None = None
    for piece in pieces:
        if span is not None and span[1] == piece[0]:
            span = span[0], piece[1]
            continue
        if span is not None:
            yield span
        span = piece
    if span is not None:
        yield span


def _pieces(schedule: Schedule, time_zone: str, start: datetime, end: datetime) -> Iterator[Span]:
    week = _week(schedule)
    for stretch in stretches(time_zone, start, end):
        for wall_from, wall_to in _read_in(stretch, week):
            yield stretch.instant(wall_from), stretch.instant(wall_to)


def _read_in(stretch: Stretch, week: tuple[tuple[timedelta, timedelta], ...]) -> Iterator[Span]:
    """What of a week's blocks, week after week, the wall clock reads in a stretch, in wall time."""
    first, last = stretch.wall(stretch.start), stretch.wall(stretch.end)
    monday = _midnight(first) - first.weekday() * DAY
    while monday < last:
        for begins, ends in week:
            wall_from, wall_to = max(monday + begins, first), min(monday + ends, last)
            if wall_from < wall_to:
                yield wall_from, wall_to
        monday += WEEK


@lru_cache(maxsize=SCHEDULES_CACHED_MAX)
def _week(schedule: Schedule) -> tuple[tuple[timedelta, timedelta], ...]:
    """The blocks as parts of the week, from Monday 00:00 on: in order, apart, none over the week's end."""
    parts: list[tuple[timedelta, timedelta]] = []
    for block in schedule:
        begins = _DAYS[block.weekday] * DAY + _time_of_day(block.from_)
        ends = _DAYS[block.weekday] * DAY + _time_of_day(block.to)
        if ends <= begins:
            ends += DAY
        parts.append((begins, min(ends, WEEK)))
        if ends > WEEK:
            parts.append((timedelta(0), ends - WEEK))
    united: list[tuple[timedelta, timedelta]] = []
    for begins, ends in sorted(parts):
        if united and begins <= united[-1][1]:
            united[-1] = united[-1][0], max(united[-1][1], ends)
        else:
            united.append((begins, ends))
    return tuple(united)


def _starts(schedule: Schedule, time_zone: str, instant: datetime) -> Iterator[datetime]:
    """When blocks start, in order, from the local date of ``instant`` on. A week has them all."""
    today = _midnight(wall_at(time_zone, instant))
    for ahead in range(9):
        day = today + ahead * DAY
        for time in sorted(block.from_ for block in schedule if _DAYS[block.weekday] == day.weekday()):
            yield first_reaches(time_zone, day + _time_of_day(time))


def _midnight(wall: datetime) -> datetime:
    return wall.replace(hour=0, minute=0, second=0, microsecond=0)


def _time_of_day(text: str) -> timedelta:
    return timedelta(hours=int(text[:2]), minutes=int(text[3:]))


_DAYS = {weekday: number for number, weekday in enumerate(Weekday)}
