"""What clocks on the wall of a time zone read, and when.

A zone's clock runs in stretches: as long as its offset from UTC stays, the wall clock is UTC and that
much. Where a stretch ends, the wall clock jumps: over a gap (in spring; Apia once left out a whole day)
or back through a fold (in autumn). Walking stretch by stretch makes both come out right by themselves.

Instants are UTC with their zone, wall times are naive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SAMPLE = timedelta(days=1)
"""How far apart offsets are looked at. No zone changes its clock and back within a day."""
SECOND = timedelta(seconds=1)
ZONE_YEARS_CACHED_MAX = 4096
"""All zones there are, for more years than a schedule is ever asked about at once."""
OFFSET_MAX = timedelta(days=1)
"""No wall clock is further from UTC."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``start`` to ``end`` (exclusive) the wall clock reads UTC plus ``offset``."""

    start: datetime
    end: datetime
    offset: timedelta

    def wall(self, instant: datetime) -> datetime:
        """What the wall clock reads (or at ``end``: would have read) at an instant of this stretch."""
        return instant.replace(tzinfo=None) + self.offset

    def instant(self, wall: datetime) -> datetime:
        """When the wall clock reads that in this stretch."""
        return (wall - self.offset).replace(tzinfo=UTC)


def wall_at(time_zone: str, instant: datetime) -> datetime:
    """What the wall clock reads at ``instant``, which may be in any zone."""
    return instant.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None)


def stretches(time_zone: str, start: datetime, end: datetime) -> Iterator[Stretch]:
    """The stretches that cover ``[start, end)``, clipped to it, in order. Both are in UTC.

    Neighbours may have the same offset: a stretch ends with the year.
    """
    for year in range(start.year, end.year + 1):
        for stretch in _stretches_of_year(time_zone, year):
            if stretch.end <= start:
                continue
            if stretch.start >= end:
                return
            yield Stretch(max(stretch.start, start), min(stretch.end, end), stretch.offset)


def first_reaches(time_zone: str, wall: datetime) -> datetime:
    """The instant when the wall clock first reads ``wall``, or passes it in a gap."""
    earliest = wall.replace(tzinfo=UTC) - OFFSET_MAX
    for stretch in stretches(time_zone, earliest, earliest + 4 * OFFSET_MAX):
        if stretch.wall(stretch.end) > wall:
            return max(stretch.start, stretch.instant(wall))
    raise AssertionError(f"No clock is further than {OFFSET_MAX} from UTC, but that of {time_zone} is")


def next_midnight(time_zone: str, instant: datetime) -> datetime:
    """The first instant after ``instant`` of the local date after the one it is on."""
    today = wall_at(time_zone, instant).replace(hour=0, minute=0, second=0, microsecond=0)
    midnight = today + timedelta(days=1)
    for stretch in stretches(time_zone, instant, instant + 4 * OFFSET_MAX):
        if stretch.wall(stretch.end) > midnight:
            return max(stretch.start, stretch.instant(midnight))
    raise AssertionError(f"A day in {time_zone} lasts longer than {3 * OFFSET_MAX}")


@lru_cache(maxsize=ZONE_YEARS_CACHED_MAX)
def _stretches_of_year(time_zone: str, year: int) -> tuple[Stretch, ...]:
    zone = ZoneInfo(time_zone)
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    found: list[Stretch] = []
    began, sample = start, start
    while sample < end:
        following = min(sample + SAMPLE, end)
        offset = _offset(zone, sample)
        if _offset(zone, following) != offset:
            change = _change_between(zone, sample, following)
            found.append(Stretch(began, change, offset))
            began = change
        sample = following
    if began < end:
        found.append(Stretch(began, end, _offset(zone, began)))
    return tuple(found)


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second with the offset of ``after``. Clocks change at whole seconds of UTC."""
    while after - before > SECOND:
        middle = before + (after - before) // (2 * SECOND) * SECOND
        if _offset(zone, middle) == _offset(zone, before):
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None  # noqa: S101 - a ZoneInfo always gives one
    return offset
