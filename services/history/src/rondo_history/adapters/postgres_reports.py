"""Reports, counted by PostgreSQL over the summaries."""

from __future__ import annotations

import json
from collections.abc import Sequence

import asyncpg

from rondo_common.ids import WorkspaceId
from rondo_history.adapters.postgres import Pool, connected
from rondo_history.adapters.queries import read_queries
from rondo_history.domain.report import Grouping, Percentiles, Period, Ratings, ReportRow


class PostgresReports:
    """See :class:`rondo_history.ports.Reports`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._queries = read_queries("reports.sql")

    async def live_chat(
        self, workspace_id: WorkspaceId, period: Period, grouping: Grouping
    ) -> list[ReportRow]:
        """See :class:`Reports`."""
        arguments = (workspace_id, period.start, period.end, period.time_zone, grouping)
        async with connected(self._pool) as connection:
            rows = await connection.fetch(self._queries["live_chat"], *arguments)
        return [_report_row(row) for row in rows]


def _report_row(row: asyncpg.Record) -> ReportRow:
    return ReportRow(
        group=row["name"],
        requested=row["requested"],
        offered=row["offered"],
        accepted=row["accepted"],
        missed=row["missed"],
        declined=row["declined"],
        withdrawn=row["withdrawn"],
        fell_back=json.loads(row["fell_back"]),
        queue_wait_s=_percentiles(row["queue_wait_s"]),
        first_response_s=_percentiles(row["first_response_s"]),
        handling_s=_percentiles(row["handling_s"]),
        rating=Ratings(count=row["rating_count"], average=row["rating_average"]),
    )


def _percentiles(values: Sequence[float | None] | None) -> Percentiles:
    p50, p90, p99 = values or (None, None, None)
    return Percentiles(p50=p50, p90=p90, p99=p99)
