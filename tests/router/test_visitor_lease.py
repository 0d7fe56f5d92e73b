"""A visitor who is gone no longer waits, on the real Redis Functions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from redis.asyncio import Redis

from rondo_common.conversation import Party, Status
from rondo_common.directory.entries import QueueSettings, WorkspaceSettings
from rondo_common.events import ChatWithdrawn
from tests.router.waiting_room import GRACE, START, WaitingRoom, open_waiting_room

PATIENT = WorkspaceSettings(
    offer_timeout_s=600, queue=QueueSettings(enabled=True, max_wait_s=3600), visitor_lease_s=60
)


@pytest.fixture
async def room(redis: Redis) -> WaitingRoom:
    return await open_waiting_room(redis, GRACE)


@pytest.fixture
async def crowded(redis: Redis) -> WaitingRoom:
    """Nobody to answer: whoever asks waits in the queue."""
    return await open_waiting_room(redis)


async def test_who_left_is_withdrawn_a_lease_after_their_last_stream_closed(room: WaitingRoom) -> None:
    await room.ask(PATIENT)
    await room.pass_time(7)
    await room.see_visitor(until=room.now)
    assert await room.pass_time(1000) == [(67, "rescinded"), (67, "withdrawn")]
    event = room.log[-1].envelope.event
    assert isinstance(event, ChatWithdrawn)
    assert event.by == Party(type="system", id="rondo")
    assert await room.timers() == []


async def test_who_left_the_queue_frees_the_place(crowded: WaitingRoom) -> None:
    await crowded.ask(PATIENT)
    assert await crowded.status() is Status.QUEUED
    await crowded.see_visitor(until=START)
    assert await crowded.pass_time(1000) == [(60, "withdrawn")]
    assert await crowded.redis.zcard(f"rondo:{{{crowded.workspace_id}}}:queue") == 0
    assert "visitor" not in await crowded.timers()


async def test_who_never_opened_a_stream_waits_on(room: WaitingRoom) -> None:
    await room.ask(PATIENT)
    assert await room.pass_time(599) == []
    assert await room.status() is Status.OFFERED


async def test_who_has_a_stream_open_waits_on_and_is_missed_in_time_once_it_closes(
    room: WaitingRoom,
) -> None:
    await room.ask(PATIENT)
    for _ in range(9):  # Each heartbeat of the stream.
        await room.see_visitor(until=room.now + timedelta(seconds=45))
        assert await room.pass_time(20) == []
    await room.pass_time(3)
    await room.see_visitor(until=room.now)
    assert await room.pass_time(1000) == [(243, "rescinded"), (243, "withdrawn")]


async def test_a_gateway_that_died_is_missed_by_its_heartbeat(room: WaitingRoom) -> None:
    await room.ask(PATIENT)
    await room.see_visitor(until=START + timedelta(seconds=45))
    assert await room.pass_time(1000) == [(105, "rescinded"), (105, "withdrawn")]


async def test_who_comes_back_within_the_lease_waits_on(room: WaitingRoom) -> None:
    await room.ask(PATIENT)
    await room.see_visitor(until=START)
    await room.pass_time(59)
    await room.see_visitor(until=room.now + timedelta(seconds=400))
    assert await room.pass_time(400) == []


async def test_an_active_chat_has_no_lease(room: WaitingRoom) -> None:
    await room.ask(PATIENT)
    await room.see_visitor(until=START)
    await room.accept()
    assert await room.timers() == ["idle"]
    await room.pass_time(300)
    assert await room.status() is Status.ACTIVE


async def test_without_a_lease_nobody_looks(room: WaitingRoom) -> None:
    await room.ask(PATIENT.model_copy(update={"visitor_lease_s": 0}))
    await room.see_visitor(until=START)
    assert await room.timers() == ["offer"]
    assert await room.pass_time(599) == []


async def test_after_a_loss_a_visitor_has_a_whole_lease_to_be_seen_again(room: WaitingRoom) -> None:
    await room.ask(PATIENT)
    await room.see_visitor(until=START)
    await room.pass_time(30)
    await room.forget(PATIENT)
    assert await room.timers() == ["offer", "visitor"]
    await room.pass_time(10)
    await room.see_visitor(until=room.now)
    assert await room.pass_time(500) == [(100, "rescinded"), (100, "withdrawn")]
