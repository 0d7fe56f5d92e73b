"""Cursors of live streams: where in a mailbox a reader stands, and whether they can go on from there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

_PATTERN = re.compile(r"(\d{1,20})-(\d{1,20})", re.ASCII)
_PART_MAX = 2**64 - 1


@total_ordering
@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a mailbox, as Redis Streams count: milliseconds and a number within them."""

    milliseconds: int
    number: int

    def __str__(self) -> str:
        return f"{self.milliseconds}-{self.number}"

    def __lt__(self, other: Cursor) -> bool:
        return (self.milliseconds, self.number) < (other.milliseconds, other.number)

    def before(self) -> Cursor:
        """The place right before this one. There is none before the origin."""
        if self.number:
            return Cursor(self.milliseconds, self.number - 1)
        return Cursor(self.milliseconds - 1, _PART_MAX) if self.milliseconds else self


ORIGIN = Cursor(0, 0)
"""Before the first entry of any mailbox."""
END = Cursor(_PART_MAX, _PART_MAX)
"""Behind the last entry of any mailbox."""


def parse_cursor(text: str) -> Cursor:
    """The cursor that ``text`` writes down.

    Raises:
        ValueError: it is none.
    """
    match = _PATTERN.fullmatch(text)
    cursor = None if match is None else Cursor(int(match[1]), int(match[2]))
    if cursor is None or max(cursor.milliseconds, cursor.number) > _PART_MAX:
        raise ValueError(f"{text!r} is not an id of an event of this stream")
    return cursor


@dataclass(frozen=True, slots=True)
class Extent:
    """What a mailbox keeps: its first and last entry, and whether earlier ones were let go."""

    first: Cursor
    last: Cursor
    is_trimmed: bool


def can_resume(cursor: Cursor, extent: Extent | None) -> bool:
    """Whether everything after ``cursor`` is kept. ``extent`` is None for a mailbox that is not there.

    A cursor before the first entry of an untrimmed mailbox was given out by an earlier mailbox of
    that name, which expired; one after the last entry, by one that was lost.
    """
    if extent is None:
        return cursor == ORIGIN
    if cursor == ORIGIN:
        return not extent.is_trimmed
    return extent.first <= cursor <= extent.last
