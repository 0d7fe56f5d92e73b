"""Reports: what may be asked for, and how one looks as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from rondo_common.conversation import FallbackReason
from rondo_gateway.domain.refusals import Invalid

PERIOD_DAYS_DEFAULT = 30
PERIOD_DAYS_MAX = 366

COUNTS = ("requested", "offered", "accepted", "missed", "declined", "withdrawn")
DURATIONS = ("queue_wait_s", "first_response_s", "handling_s")
PERCENTILES = ("p50", "p90", "p99")


class Grouping(StrEnum):
    """What a report has one row for."""

    WORKSPACE = "workspace"
    AGENT = "agent"
    TEAM = "team"
    DAY = "day"
    ROUTE = "route"


class _Read(BaseModel):
    """What history answers; a newer one may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Percentiles(_Read):
    """Seconds that half, nine of ten, and 99 of 100 did not exceed; null where nothing was measured."""

    p50: float | None
    p90: float | None
    p99: float | None


class Ratings(_Read):
    """How many conversations were rated, and the average score; null where none was."""

    count: int
    average: float | None


class ReportRow(_Read):
    """The figures of one group: about the conversations requested in the period, whenever they ended.

    `requested`, `withdrawn` and `fell_back` count conversations; `offered`, `accepted`, `missed` (not
    answered in time) and `declined` count offers, in an agent's or a team's row their own only.
    `queue_wait_s`: from being queued first to leaving the queue first. `first_response_s`: from the first
    acceptance to an agent's first message. `handling_s`: from the first acceptance to the end. In an
    agent's row, these two are of the conversations they were the first to accept, and `rating` is of those
    that were theirs when they ended.
    """

    group: str
    requested: int
    offered: int
    accepted: int
    missed: int
    declined: int
    withdrawn: int
    fell_back: dict[FallbackReason, int]
    queue_wait_s: Percentiles
    first_response_s: Percentiles
    handling_s: Percentiles
    rating: Ratings = Ratings(count=0, average=None)


class Report(_Read):
    """One row for each group that any conversation of the period belongs to, by name."""

    data: list[ReportRow]


@dataclass(frozen=True, slots=True)
class ReportQuestion:
    """From ``start`` on and before ``end``; days are those of ``time_zone``."""

    start: datetime
    end: datetime
    time_zone: str
    grouping: Grouping


def question_of(
    start: datetime | date | None,
    end: datetime | date | None,
    grouping: Grouping,
    time_zone: str,
    now: datetime,
) -> ReportQuestion:
    """What is asked for. A day alone means its first moment in ``time_zone``; without an end, until now;
    without a start, the 30 days before the end.

    Raises:
        Invalid: the period ends before it starts, or is longer than a year.
    """
    until = now if end is None else _moment(end, time_zone)
    since = _earlier(until) if start is None else _moment(start, time_zone)
    if since >= until:
        raise Invalid("/query/to", "must be later than from")
    if until - since > timedelta(days=PERIOD_DAYS_MAX):
        raise Invalid("/query/from", f"a report spans at most {PERIOD_DAYS_MAX} days; ask for less")
    return ReportQuestion(since, until, time_zone, grouping)


def as_csv(report: Report) -> str:
    """The report as CSV (RFC 4180): a line a group, empty where nothing was measured."""
    text = io.StringIO()
    writer = csv.writer(text)
    durations = [(name, each) for name in DURATIONS for each in PERCENTILES]
    writer.writerow(
        [
            "group",
            *COUNTS,
            *(f"fell_back_{reason}" for reason in FallbackReason),
            *(f"{name.removesuffix('_s')}_{each}_s" for name, each in durations),
            "rating_count",
            "rating_average",
        ]
    )
    for row in report.data:
        writer.writerow(
            [
                row.group,
                *(getattr(row, name) for name in COUNTS),
                *(row.fell_back.get(reason, 0) for reason in FallbackReason),
                *(getattr(getattr(row, name), each) for name, each in durations),
                row.rating.count,
                row.rating.average,
            ]
        )
    return text.getvalue()


def _moment(value: datetime | date, time_zone: str) -> datetime:
    if isinstance(value, datetime):
        return value
    return datetime.combine(value, time(), ZoneInfo(time_zone))


def _earlier(end: datetime) -> datetime:
    try:
        return end - timedelta(days=PERIOD_DAYS_DEFAULT)
    except OverflowError:
        raise Invalid("/query/to", "is too early") from None
