"""Live metrics over HTTP: who may see them, the last windows, and the stream."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest

from rondo_common.directory.entries import AgentEntry, Kind
from rondo_common.events import AgentDefined, WorkspaceMetrics
from rondo_common.ids import AgentId, ProfileId
from rondo_common.waits import waits_of
from rondo_gateway.domain.metrics_board import WINDOWS_MAX
from rondo_gateway.entrypoints.stream_readers import StreamTimes
from rondo_gateway.ports import Definition
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    GLOBEX,
    GLOBEX_KEY,
    NOON,
    ROOT_KEY,
    FakeWorld,
    bearer,
    json_of,
)
from tests.gateway.stream_reader import Heard, reading

PATH = "/v1/metrics/live"
STREAM = "/v1/metrics/live/stream"
SALLY = AgentId("sally")


def window(number: int, *, requested: int = 1) -> WorkspaceMetrics:
    """The window that begins ``number`` times ten seconds after noon."""
    start = NOON + timedelta(seconds=10 * number)
    return WorkspaceMetrics(
        window_start=start,
        window_end=start + timedelta(seconds=10),
        requested=requested,
        service_level_s=30.0,
        accept_wait=waits_of([400, 800, 40_000]),
    )


async def hire(world: FakeWorld, profile: str) -> None:
    """Make Sally an agent of acme with a profile."""
    sally = AgentEntry(id=SALLY, name="Sally", email="s@example.com", profile=ProfileId(profile))
    await world.directory.write(ACME, [Definition(Kind.AGENT, SALLY, AgentDefined(agent=sally))])


def starts(heard: list[Heard]) -> list[datetime]:
    return [datetime.fromisoformat(each.data["window_start"]) for each in heard]


async def test_the_last_windows_are_told_by_time_with_percentiles(
    world: FakeWorld, http: httpx.AsyncClient
) -> None:
    for number in (1, 0, 2):
        world.metrics.tell(ACME, window(number))
    body = json_of(await http.get(PATH, headers=bearer(ACME_KEY)), 200)
    assert [each["window_start"] for each in body["data"]] == [
        window(number).model_dump(mode="json")["window_start"] for number in range(3)
    ]
    wait = body["data"][0]["accept_wait"]
    assert (wait["count"], wait["max_s"]) == (3, 40.0)
    assert (wait["p50_s"], wait["p90_s"], wait["p99_s"]) == (1.0, 40.0, 40.0)


async def test_a_correction_stands_in_place_of_the_window(
    world: FakeWorld, http: httpx.AsyncClient
) -> None:
    for each in (window(0), window(1), window(0, requested=5)):
        world.metrics.tell(ACME, each)
    body = json_of(await http.get(PATH, headers=bearer(ACME_KEY)), 200)
    assert [each["requested"] for each in body["data"]] == [5, 1]


async def test_only_so_many_windows_are_kept(world: FakeWorld, http: httpx.AsyncClient) -> None:
    for number in range(WINDOWS_MAX + 5):
        world.metrics.tell(ACME, window(number))
    body = json_of(await http.get(PATH, headers=bearer(ACME_KEY)), 200)
    assert len(body["data"]) == WINDOWS_MAX
    assert datetime.fromisoformat(body["data"][0]["window_start"]) == window(5).window_start


async def test_another_workspace_sees_nothing_of_it(world: FakeWorld, http: httpx.AsyncClient) -> None:
    world.metrics.tell(ACME, window(0))
    assert json_of(await http.get(PATH, headers=bearer(GLOBEX_KEY)), 200) == {"data": []}


@pytest.mark.parametrize("path", [PATH, STREAM])
async def test_an_agent_needs_the_permission_to_see_figures(
    world: FakeWorld, http: httpx.AsyncClient, path: str
) -> None:
    refused = [world.agent_token(), world.visitor_token(), ROOT_KEY]
    for credential in refused:
        json_of(await http.get(path, headers=bearer(credential)), 403)
    json_of(await http.get(path), 401)
    await hire(world, "sales_admin")
    assert (await http.head(STREAM, headers=bearer(world.agent_token(SALLY)))).status_code == 200
    json_of(await http.get(PATH, headers=bearer(world.agent_token(SALLY))), 200)


async def test_while_the_topic_is_not_read_it_is_503(world: FakeWorld, http: httpx.AsyncClient) -> None:
    world.metrics.is_unreachable = True
    json_of(await http.get(PATH, headers=bearer(ACME_KEY)), 503)
    json_of(await http.get(STREAM, headers=bearer(ACME_KEY)), 503)


async def test_a_stream_begins_with_the_last_windows_and_tells_each_new_one(world: FakeWorld) -> None:
    world.metrics.tell(ACME, window(0))
    async with reading(world.app(), STREAM, bearer(ACME_KEY)) as stream:
        (snapshot,) = await stream.take(1)
        assert snapshot.type == "snapshot"
        assert [each["requested"] for each in snapshot.data["data"]] == [1]
        world.metrics.tell(GLOBEX, window(1))
        offset = world.metrics.tell(ACME, window(1, requested=7))
        (told,) = await stream.take(1)
    assert (told.type, told.cursor, told.data["requested"]) == ("workspace.metrics", f"{offset + 1}-0", 7)
    assert told.event["id"] == f"metrics-{offset}"
    assert stream.retry_ms is not None


async def test_a_stream_over_an_empty_log_tells_the_very_first_window(world: FakeWorld) -> None:
    async with reading(world.app(), STREAM, bearer(ACME_KEY)) as stream:
        (snapshot,) = await stream.take(1)
        assert snapshot.data["data"] == []
        world.metrics.tell(ACME, window(0, requested=3))
        (told,) = await stream.take(1)
    assert told.data["requested"] == 3
    headers = bearer(ACME_KEY) | {"Last-Event-ID": snapshot.cursor}
    async with reading(world.app(), STREAM, headers) as stream:
        (again,) = await stream.take(1)
    assert again.event["id"] == told.event["id"]


async def test_a_stream_goes_on_right_after_the_event_it_is_asked_to(world: FakeWorld) -> None:
    offsets = [world.metrics.tell(ACME, window(number)) for number in range(4)]
    headers = bearer(ACME_KEY) | {"Last-Event-ID": f"{offsets[1] + 1}-0"}
    async with reading(world.app(), STREAM, headers) as stream:
        assert starts(await stream.take(2)) == [window(2).window_start, window(3).window_start]


async def test_what_is_no_longer_kept_is_told_as_a_snapshot(world: FakeWorld) -> None:
    first = world.metrics.tell(ACME, window(0))
    for number in range(1, WINDOWS_MAX + 3):
        world.metrics.tell(ACME, window(number))
    headers = bearer(ACME_KEY) | {"Last-Event-ID": f"{first + 1}-0"}
    async with reading(world.app(), STREAM, headers) as stream:
        (snapshot,) = await stream.take(1)
    assert snapshot.data["resumed"] is False
    assert len(snapshot.data["data"]) == WINDOWS_MAX


async def test_a_cursor_that_is_none_is_refused(http: httpx.AsyncClient) -> None:
    json_of(await http.get(STREAM, headers=bearer(ACME_KEY) | {"Last-Event-ID": "yesterday"}), 400)


async def test_a_quiet_stream_beats_and_ends_when_the_permission_does(world: FakeWorld) -> None:
    world.times = StreamTimes(heartbeat_s=0.01)
    await hire(world, "sales_admin")
    async with reading(world.app(), STREAM, bearer(world.agent_token(SALLY))) as stream:
        await stream.take(1)
        await stream.beats(2)
        await hire(world, "live_agent")
        assert await stream.next() is None
