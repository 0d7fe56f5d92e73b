"""Reports over HTTP: who may see them, of which period, as JSON and CSV."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from rondo_common.conversation import FallbackReason
from rondo_common.directory.entries import AgentEntry, Kind, WorkspaceEntry, WorkspaceSettings
from rondo_common.events import AgentDefined, WorkspaceDefined
from rondo_common.ids import AgentId, ProfileId
from rondo_gateway.domain.report import Grouping, Percentiles, Ratings, Report, ReportRow
from rondo_gateway.ports import Definition
from tests.gateway.fake_world import ACME, ACME_KEY, NOON, ROOT_KEY, FakeWorld, bearer, json_of

KEY = bearer(ACME_KEY)
PATH = "/v1/reports/live_chat"
CSV = {"Accept": "text/csv"}
ROW = ReportRow(
    group="acme",
    requested=5,
    offered=4,
    accepted=2,
    missed=1,
    declined=1,
    withdrawn=1,
    fell_back={FallbackReason.NOT_ANSWERED: 2},
    queue_wait_s=Percentiles(p50=None, p90=None, p99=None),
    first_response_s=Percentiles(p50=1.5, p90=2.5, p99=3.0),
    handling_s=Percentiles(p50=60.0, p90=61.0, p99=62.0),
    rating=Ratings(count=2, average=4.5),
)


async def token_of(world: FakeWorld, profile: str) -> dict[str, str]:
    entry = AgentEntry(id=AgentId("x"), name="X", email="x@example.com", profile=ProfileId(profile))
    await world.directory.write(ACME, [Definition(Kind.AGENT, "x", AgentDefined(agent=entry))])
    return bearer(world.agent_token(AgentId("x")))


async def test_a_report_is_json_unless_csv_is_wanted(http: httpx.AsyncClient, world: FakeWorld) -> None:
    world.history.report = Report(data=[ROW])
    answer = json_of(await http.get(PATH, headers=KEY), 200)
    (row,) = answer["data"]
    assert (row["group"], row["fell_back"]) == ("acme", {"not_answered": 2})
    assert row["queue_wait_s"] == {"p50": None, "p90": None, "p99": None}
    assert row["rating"] == {"count": 2, "average": 4.5}
    file = await http.get(PATH, headers={**KEY, **CSV})
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    (line,) = csv.DictReader(file.text.splitlines())
    assert (line["group"], line["requested"], line["fell_back_not_answered"]) == ("acme", "5", "2")
    assert (line["fell_back_queue_full"], line["queue_wait_p50_s"]) == ("0", "")
    assert line["first_response_p90_s"] == "2.5"
    assert (line["rating_count"], line["rating_average"]) == ("2", "4.5")


@pytest.mark.parametrize(
    ("profile", "seen", "exported"),
    [("live_agent", 403, 403), ("marketing_user", 200, 200), ("sales_admin", 200, 200)],
)
async def test_an_agent_sees_reports_if_their_profile_permits_it(
    http: httpx.AsyncClient, world: FakeWorld, profile: str, seen: int, exported: int
) -> None:
    token = await token_of(world, profile)
    assert (await http.get(PATH, headers=token)).status_code == seen
    assert (await http.get(PATH, headers={**token, **CSV})).status_code == exported


async def test_visitors_and_the_operator_see_no_reports(http: httpx.AsyncClient, world: FakeWorld) -> None:
    for credential in (world.visitor_token(), ROOT_KEY):
        assert (await http.get(PATH, headers=bearer(credential))).status_code == 403


async def test_days_are_those_of_the_workspace_unless_another_zone_is_given(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    settings = WorkspaceSettings(time_zone="Europe/Stockholm")
    entry = WorkspaceEntry(id=ACME, name="Acme", settings=settings, created_at=NOON)
    await world.directory.write(ACME, [Definition(Kind.WORKSPACE, ACME, WorkspaceDefined(workspace=entry))])
    query = {"from": "2026-03-29", "to": "2026-03-30", "group_by": "day"}
    json_of(await http.get(PATH, headers=KEY, params=query), 200)
    json_of(await http.get(PATH, headers=KEY, params={**query, "time_zone": "UTC"}), 200)
    (_, local), (_, utc) = world.history.questions
    assert (local.time_zone, local.grouping) == ("Europe/Stockholm", Grouping.DAY)
    # The night on which an hour is left out.
    assert local.end.astimezone(UTC) - local.start.astimezone(UTC) == timedelta(hours=23)
    assert (utc.start, utc.end) == (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC))


async def test_without_a_period_it_is_the_last_thirty_days(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    json_of(await http.get(PATH, headers=KEY), 200)
    ((workspace_id, question),) = world.history.questions
    assert workspace_id == ACME
    assert (question.start, question.end) == (world.now - timedelta(days=30), world.now)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("group_by=moon", "/query/group_by"),
        ("time_zone=Mars%2FBase", "/query/time_zone"),
        ("from=2026-01-02&to=2026-01-01", "/query/to"),
        ("from=2020-01-01&to=2026-01-01", "/query/from"),
        ("to=0001-01-01T00:00:00Z", "/query/to"),
    ],
)
async def test_a_period_that_cannot_be_is_named(http: httpx.AsyncClient, query: str, pointer: str) -> None:
    problem = json_of(await http.get(f"{PATH}?{query}", headers=KEY), 422)
    assert problem["errors"][0]["pointer"] == pointer


async def test_a_report_is_503_while_history_is_away(http: httpx.AsyncClient, world: FakeWorld) -> None:
    world.history.is_unreachable = True
    assert (await http.get(PATH, headers=KEY)).status_code == 503
