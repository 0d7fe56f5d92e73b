"""The internal route to reports."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from rondo_common.availability import TimeZone
from rondo_common.conversation import Value
from rondo_history.domain.report import Grouping, Period, ReportRow
from rondo_history.entrypoints.parameters import WorkspaceInPath
from rondo_history.ports import Reports


class Report(Value):
    """One row a group, by name."""

    data: list[ReportRow]


def report_routes(reports: Reports) -> APIRouter:
    """What is asked about how it went."""
    routes = APIRouter(prefix="/internal/v1/workspaces/{workspace_id}/reports")

    @routes.get("/live_chat", summary="Live chat in figures")
    async def live_chat(
        workspace_id: WorkspaceInPath,
        requested_from: Annotated[AwareDatetime, Query()],
        requested_before: Annotated[AwareDatetime, Query()],
        time_zone: Annotated[TimeZone, Query()] = "UTC",
        group_by: Annotated[Grouping, Query()] = Grouping.WORKSPACE,
    ) -> Report:
        period = Period(requested_from, requested_before, time_zone)
        return Report(data=await reports.live_chat(workspace_id, period, group_by))

    return routes
