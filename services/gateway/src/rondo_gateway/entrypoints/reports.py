"""The routes to reports."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from pydantic import AwareDatetime

from rondo_common.availability import TimeZone
from rondo_gateway.domain.report import Grouping, Report, as_csv
from rondo_gateway.entrypoints.answers import json_answer
from rondo_gateway.entrypoints.callers import Caller, Gateway
from rondo_gateway.entrypoints.documentation import documented
from rondo_gateway.entrypoints.negotiation import prefers_csv

Moment = AwareDatetime | date
From = Annotated[
    Moment | None, Query(alias="from", description="A time or a day; 30 days before `to` without it")
]
To = Annotated[Moment | None, Query(description="A time or a day, not itself included; else now")]
Zone = Annotated[TimeZone | None, Query(description="In which days begin (IANA); else the workspace's own")]


def report_routes() -> APIRouter:
    """The routes of backends, and of agents whose profile permits it, to reports."""
    routes = APIRouter(tags=["reports"])
    report = documented("apiKey", "agentToken", problems=(422,))
    report["responses"][200] = {
        "description": "The figures, one row a group.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
    routes.add_api_route(
        "/v1/reports/live_chat", live_chat_report, methods=["GET"], response_model=Report, **report
    )
    return routes


async def live_chat_report(
    gateway: Gateway,
    caller: Caller,
    start: From = None,
    to: To = None,
    group_by: Annotated[Grouping, Query()] = Grouping.WORKSPACE,
    time_zone: Zone = None,
    accept: Annotated[str, Header()] = "*/*",
) -> Response:
    """How live chat went: of the conversations requested in a period, as JSON or, with `Accept: text/csv`,
    as CSV. Agents need `analytics_view`, for CSV `analytics_export`."""
    as_file = prefers_csv(accept)
    report = await gateway.reports.live_chat(
        caller, start=start, end=to, grouping=group_by, time_zone=time_zone, exported=as_file
    )
    headers = {"Vary": "Accept"}
    if not as_file:
        return json_answer(report, headers=headers)
    headers["Content-Disposition"] = 'attachment; filename="live_chat.csv"'
    return Response(as_csv(report), headers=headers, media_type="text/csv")
