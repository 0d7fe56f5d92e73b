"""Reports: how live chat went, in figures.

All figures are about the conversations that were requested in a period, whenever they ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rondo_common.conversation import FallbackReason, Value


class Grouping(StrEnum):
    """What a report has one row for.

    A conversation belongs to every agent who was rung for it, and to every team whose turn it was or that
    it was asked for; to one day (in the report's time zone) and to one route.
    """

    WORKSPACE = "workspace"
    AGENT = "agent"
    TEAM = "team"
    DAY = "day"
    ROUTE = "route"


class Percentiles(Value):
    """Seconds that half, nine of ten, and 99 of 100 did not exceed; null where nothing was measured.

    Between two measurements they are interpolated, as PostgreSQL's ``percentile_cont`` does.
    """

    p50: float | None
    p90: float | None
    p99: float | None


class Ratings(Value):
    """How many conversations were rated, and the average score; null where none was."""

    count: int
    average: float | None


class ReportRow(Value):
    """The figures of one group.

    ``requested``, ``withdrawn`` and ``fell_back`` count conversations. ``offered``, ``accepted``,
    ``missed`` and ``declined`` count offers, in a team's or an agent's row their own only.
    """

    group: str
    requested: int
    offered: int
    accepted: int
    missed: int
    """The agent did not answer in time."""
    declined: int
    withdrawn: int
    """The visitor left before anybody accepted."""
    fell_back: dict[FallbackReason, int]
    queue_wait_s: Percentiles
    """From being put into the queue first to leaving it first, whatever for."""
    first_response_s: Percentiles
    """From the first acceptance to the first message an agent wrote. In an agent's row: of the
    conversations that they were the first to accept."""
    handling_s: Percentiles
    """From the first acceptance to the end; in an agent's row as above."""
    rating: Ratings
    """In an agent's row: of the conversations that were theirs when they ended."""


@dataclass(frozen=True, slots=True)
class Period:
    """Conversations requested from ``start`` on and before ``end``. Days are those of ``time_zone``."""

    start: datetime
    end: datetime
    time_zone: str
