"""An inbox that is open, and every request, keep an agent present."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from rondo_common.events import ConnectAgent
from rondo_gateway.entrypoints.stream_readers import HEARTBEAT_S_MAX, StreamTimes
from rondo_gateway.handlers import presence as keeping
from tests.gateway.fake_world import ACME, ACME_KEY, BOB, GRACE, FakeWorld, active, bearer
from tests.gateway.stream_reader import reading

DESK = "/v1/agents/me/stream"
CNV_PATH = "/v1/conversations/cnv_1"


@pytest.fixture
async def world(world: FakeWorld) -> FakeWorld:
    """A world in which nobody is present yet."""
    await world.presence.lose(ACME)
    world.presence.renewals = 0
    return world


async def test_who_opens_an_inbox_is_present_before_its_first_event(world: FakeWorld) -> None:
    async with reading(world.app(), DESK, bearer(world.agent_token())) as stream:
        offset = await world.directory.newest_offset(ACME)
        assert world.log.events == [ConnectAgent(agent_id=GRACE, directory_offset=offset)]
        assert world.log.envelopes[0].workspace_id == ACME
        lease_end = world.now + timedelta(seconds=world.presence_lease_s)
        assert await world.presence.ends_at(ACME, GRACE) == lease_end
        await stream.take(1)


async def test_another_device_of_an_agent_who_is_there_is_no_news(world: FakeWorld) -> None:
    app = world.app()
    for _ in range(3):
        async with reading(app, DESK, bearer(world.agent_token())) as stream:
            await stream.take(1)
    assert len(world.log.events) == 1


async def test_an_open_inbox_renews_the_lease_with_its_heartbeats(world: FakeWorld) -> None:
    world.times = StreamTimes(heartbeat_s=0.01)
    async with reading(world.app(), DESK, bearer(world.agent_token())) as stream:
        await stream.take(1)
        beats = 0
        for _ in range(10):
            world.now += timedelta(seconds=20)
            renewals = world.presence.renewals
            while world.presence.renewals == renewals:
                beats += 1
                await stream.beats(beats)
    assert len(world.log.events) == 1


async def test_a_stream_of_a_conversation_is_no_inbox_but_a_request(world: FakeWorld) -> None:
    world.times = StreamTimes(heartbeat_s=0.01)
    await world.conversations.show(ACME, active())
    async with reading(world.app(), f"{CNV_PATH}/stream", bearer(world.agent_token())) as stream:
        await stream.take(1)
        await stream.beats(3)
    assert world.presence.renewals == 1


async def test_a_request_makes_present_and_many_renew_once_in_fifteen_seconds(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    for seconds in range(60):
        for _ in range(3):
            answer = await http.get(CNV_PATH, headers=bearer(world.agent_token()))
            assert answer.status_code == 200
        assert world.presence.renewals == 1 + seconds // 15
        world.now += timedelta(seconds=1)
    assert [type(event) for event in world.log.events] == [ConnectAgent]


async def test_requests_of_backends_and_visitors_are_nobodys_presence(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    for credential in (ACME_KEY, world.visitor_token()):
        await http.get(CNV_PATH, headers=bearer(credential))
    assert world.presence.renewals == 0


async def test_who_comes_back_after_their_lease_is_announced_again(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    for _ in range(2):
        await http.get(CNV_PATH, headers=bearer(world.agent_token(BOB)))
        world.now += timedelta(seconds=world.presence_lease_s)
    assert [event.agent_id for event in world.log.events if isinstance(event, ConnectAgent)] == [BOB, BOB]


async def test_a_lease_that_may_be_over_by_another_clock_is_announced_again(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    for seconds in (0, 69, 71):
        await http.get(CNV_PATH, headers=bearer(world.agent_token(BOB)))
        world.now += timedelta(seconds=seconds)
    assert len(world.log.events) == 1
    await http.get(CNV_PATH, headers=bearer(world.agent_token(BOB)))
    assert len(world.log.events) == 2


async def test_an_inbox_opens_without_kafka_and_is_announced_by_a_later_heartbeat(world: FakeWorld) -> None:
    world.times = StreamTimes(heartbeat_s=0.01)
    world.log.is_unreachable = True
    async with reading(world.app(), DESK, bearer(world.agent_token())) as stream:
        await stream.take(1)
        await stream.beats(2)
        assert world.log.events == []
        world.log.is_unreachable = False
        beats = 2
        while not world.log.events:
            beats += 1
            await stream.beats(beats)
        await stream.beats(beats + 3)
    assert [type(event) for event in world.log.events] == [ConnectAgent]


@pytest.mark.parametrize("part", ["presence", "directory"])
async def test_no_request_fails_for_want_of_presence(
    http: httpx.AsyncClient, world: FakeWorld, part: str
) -> None:
    await world.conversations.show(ACME, active())
    getattr(world, part).is_unreachable = True
    answer = await http.get(CNV_PATH, headers=bearer(world.agent_token()))
    assert answer.status_code == 200


async def test_what_is_remembered_of_requests_is_bounded(
    http: httpx.AsyncClient, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "AGENTS_REMEMBERED_MAX", 1)
    for agent_id in (GRACE, BOB, GRACE):
        await http.get(CNV_PATH, headers=bearer(world.agent_token(agent_id)))
    assert world.presence.renewals == 3


@pytest.mark.parametrize(("lease_s", "heartbeat_s"), [(75.0, HEARTBEAT_S_MAX), (60.0, 20.0), (3.0, 1.0)])
def test_heartbeats_come_often_enough_for_any_lease(lease_s: float, heartbeat_s: float) -> None:
    assert StreamTimes.within_lease(lease_s).heartbeat_s == heartbeat_s
