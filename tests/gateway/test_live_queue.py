"""Who waits is told where they stand, whenever that changes, and by nobody twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI

from rondo_common.conversation import Queue
from rondo_common.ids import ConversationId, EventId
from rondo_common.mailbox import StreamEvent
from rondo_common.redis.keys import conversation_mailbox_key
from rondo_gateway.entrypoints.stream_readers import StreamTimes
from tests.gateway.fake_world import (
    ACME,
    CNV,
    NOON,
    FakeWorld,
    active,
    bearer,
    client_of,
    offered,
    queued,
    requested,
)
from tests.gateway.stream_reader import DEADLINE_S, StreamReader, reading

PATH = f"/v1/conversations/{CNV}/stream"
MAILBOX = conversation_mailbox_key(ACME, CNV)
FIRST, SECOND = ConversationId("cnv_first"), ConversationId("cnv_second")


@pytest.fixture
def app(world: FakeWorld) -> FastAPI:
    return world.app()


def told(kind: str, **data: Any) -> StreamEvent:
    return StreamEvent(id=EventId(kind), type=kind, conversation_id=CNV, occurred_at=NOON, data=data)


def place(position: int, estimated_wait_s: int) -> dict[str, int]:
    return {"position": position, "estimated_wait_s": estimated_wait_s}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0)


async def watched(world: FakeWorld) -> None:
    """The stream listens to the queue and has looked once."""
    await looked_since(world, 0)


async def looked_since(world: FakeWorld, lookups: int) -> None:
    """The stream has looked again."""
    await until(lambda: world.queue.lookups > lookups)


async def test_a_waiting_conversation_is_shown_with_its_place(world: FakeWorld, app: FastAPI) -> None:
    await world.conversations.show(ACME, queued())
    await world.queue.line_up(ACME, [FIRST, CNV], 15.0)
    async with client_of(app) as http:
        shown = await http.get(f"/v1/conversations/{CNV}", headers=bearer(world.visitor_token()))
    assert shown.json()["queue"] == place(2, 30)
    async with reading(app, PATH, bearer(world.visitor_token())) as stream:
        (snapshot,) = await stream.take(1)
    assert snapshot.data["conversation"]["queue"] == place(2, 30)


async def test_one_without_a_place_for_a_moment_is_shown_without(world: FakeWorld, app: FastAPI) -> None:
    await world.conversations.show(ACME, queued())
    async with reading(app, PATH, bearer(world.visitor_token())) as stream:
        (snapshot,) = await stream.take(1)
    assert snapshot.data["conversation"]["queue"] is None


async def test_every_change_of_the_place_or_the_wait_is_told(world: FakeWorld, app: FastAPI) -> None:
    await world.conversations.show(ACME, queued())
    await world.queue.line_up(ACME, [FIRST, SECOND, CNV], 10.0)
    async with reading(app, PATH, bearer(world.visitor_token())) as stream:
        (snapshot,) = await stream.take(1)
        await watched(world)
        for waiting, pace_s, now in (
            ([SECOND, CNV], 10.0, place(2, 20)),
            ([SECOND, CNV], 12.0, place(2, 24)),
            ([CNV, SECOND], 12.0, place(1, 12)),
        ):
            await world.queue.line_up(ACME, waiting, pace_s)
            (heard,) = await stream.take(1)
            assert (heard.type, heard.data) == ("conversation.queued", {"queue": now})
            assert (heard.event["conversation_id"], heard.event["type"]) == (CNV, heard.type)
            assert heard.cursor == snapshot.cursor


async def test_changes_behind_it_are_not_told(world: FakeWorld, app: FastAPI) -> None:
    await world.conversations.show(ACME, queued())
    await world.queue.line_up(ACME, [CNV], 10.0)
    async with reading(app, PATH, bearer(world.visitor_token())) as stream:
        await stream.take(1)
        for behind in ([FIRST], [FIRST, SECOND], [SECOND]):
            looks = world.queue.lookups
            await world.queue.line_up(ACME, [CNV, *behind], 10.0)
            await looked_since(world, looks)
        await world.mailboxes.deliver(MAILBOX, told("assignment.offered"))
        (heard,) = await stream.take(1)
    assert heard.type == "assignment.offered"


async def test_a_place_is_told_at_the_cursor_reached_so_that_nothing_is_missed_after_it(
    world: FakeWorld, app: FastAPI
) -> None:
    await world.conversations.show(ACME, queued())
    await world.queue.line_up(ACME, [FIRST, CNV], 10.0)
    async with reading(app, PATH, bearer(world.visitor_token())) as stream:
        await stream.take(1)
        await watched(world)
        first = await world.mailboxes.deliver(MAILBOX, told("typing"))
        await stream.take(1)
        await world.queue.line_up(ACME, [CNV], 10.0)
        (heard,) = await stream.take(1)
    assert (heard.type, heard.cursor) == ("conversation.queued", str(first))
    await world.mailboxes.deliver(MAILBOX, told("assignment.offered"))
    headers = bearer(world.visitor_token()) | {"Last-Event-ID": heard.cursor}
    async with reading(app, PATH, headers) as stream:
        assert [each.type for each in await stream.take(1)] == ["assignment.offered"]


async def test_who_comes_back_is_told_where_they_stand_now(world: FakeWorld, app: FastAPI) -> None:
    await world.conversations.show(ACME, queued())
    await world.queue.line_up(ACME, [FIRST, CNV], 10.0)
    entry = await world.mailboxes.deliver(MAILBOX, told("conversation.queued", queue=place(2, 20)))
    await world.queue.line_up(ACME, [CNV], 10.0)
    headers = bearer(world.visitor_token()) | {"Last-Event-ID": str(entry)}
    async with reading(app, PATH, headers) as stream:
        (heard,) = await stream.take(1)
    assert (heard.type, heard.data["queue"]) == ("conversation.queued", place(1, 10))


async def test_an_older_place_that_is_told_late_is_set_right(world: FakeWorld, app: FastAPI) -> None:
    await world.conversations.show(ACME, queued())
    await world.queue.line_up(ACME, [CNV], 10.0)
    async with reading(app, PATH, bearer(world.visitor_token())) as stream:
        await stream.take(1)
        await watched(world)
        await world.mailboxes.deliver(MAILBOX, told("conversation.queued", queue=place(3, 30)))
        heard = await stream.take(2)
    assert [each.data["queue"] for each in heard] == [place(3, 30), place(1, 10)]


async def test_one_that_comes_to_wait_is_followed_from_then_on(world: FakeWorld, app: FastAPI) -> None:
    await world.conversations.show(ACME, requested())
    async with reading(app, PATH, bearer(world.visitor_token())) as stream:
        await stream.take(1)
        await world.conversations.show(ACME, queued())
        await world.queue.line_up(ACME, [FIRST, CNV], 10.0)
        await world.mailboxes.deliver(MAILBOX, told("conversation.queued", queue=place(2, 20)))
        places = [each.data["queue"] for each in await stream.take(1)]
        await world.queue.line_up(ACME, [CNV], 10.0)
        while places[-1] != place(1, 10):
            places += [each.data["queue"] for each in await stream.take(1)]
    assert place(2, 20) in places
    assert len(places) <= 3


async def test_after_an_offer_no_place_is_told_any_more(world: FakeWorld, app: FastAPI) -> None:
    await world.conversations.show(ACME, queued())
    await world.queue.line_up(ACME, [FIRST, CNV], 10.0)
    async with reading(app, PATH, bearer(world.visitor_token())) as stream:
        await stream.take(1)
        await watched(world)
        # Both at once: the place was found before it was left.
        await world.queue.line_up(ACME, [CNV], 10.0)
        await world.mailboxes.deliver(MAILBOX, told("assignment.offered"))
        heard = await stream.take(1)
        while heard[-1].type != "assignment.offered":
            heard += await stream.take(1)
        # The view lags and still says queued.
        await world.queue.line_up(ACME, [FIRST, SECOND, CNV], 10.0)
        looks = world.queue.lookups
        await looked_since(world, looks)
        for _ in range(3):  # The stream has the time to tell it, and does not.
            await world.mailboxes.deliver(MAILBOX, told("typing"))
            assert [each.type for each in await stream.take(1)] == ["typing"]


@pytest.mark.parametrize(
    "end",
    ["assignment.accepted", "conversation.fell_back", "conversation.withdrawn", "conversation.ended"],
)
async def test_when_the_waiting_is_over_the_queue_is_no_longer_listened_to(
    world: FakeWorld, app: FastAPI, end: str
) -> None:
    await world.conversations.show(ACME, queued())
    async with reading(app, PATH, bearer(world.visitor_token())) as stream:
        await stream.take(1)
        await until(lambda: world.queue.listeners(ACME) == 1)
        await world.mailboxes.deliver(MAILBOX, told(end))
        await stream.take(1)
        await until(lambda: world.queue.listeners(ACME) == 0)


async def test_who_talks_already_or_leaves_does_not_listen_to_the_queue(
    world: FakeWorld, app: FastAPI
) -> None:
    await world.conversations.show(ACME, active())
    async with reading(app, PATH, bearer(world.visitor_token())) as stream:
        await stream.take(1)
        await world.mailboxes.deliver(MAILBOX, told("typing"))
        await stream.take(1)
        assert world.queue.listeners(ACME) == 0
    await world.conversations.show(ACME, offered())
    async with reading(app, PATH, bearer(world.visitor_token())) as stream:
        await stream.take(1)
        await until(lambda: world.queue.listeners(ACME) == 1)
    await until(lambda: world.queue.listeners(ACME) == 0)


async def test_a_thousand_rings_cost_a_waiting_stream_few_looks(world: FakeWorld) -> None:
    world.times = StreamTimes(queue_look_s=0.2)
    await world.conversations.show(ACME, queued())
    await world.queue.line_up(ACME, [FIRST, CNV], 10.0)
    async with reading(world.app(), PATH, bearer(world.visitor_token())) as stream:
        await stream.take(1)
        await watched(world)
        for number in range(1_000):
            await world.queue.line_up(ACME, [CNV, FIRST] if number % 2 else [FIRST, CNV], 10.0 + number)
            await asyncio.sleep(0)
        heard = await stream.take(1)
        while heard[-1].data["queue"] != Queue(position=1, estimated_wait_s=1009).model_dump():
            heard += await stream.take(1)
    assert world.queue.lookups < 50


async def test_a_redis_that_is_away_only_delays_the_place(world: FakeWorld, app: FastAPI) -> None:
    await world.conversations.show(ACME, queued())
    await world.queue.line_up(ACME, [FIRST, CNV], 10.0)
    world.queue.is_unreachable = True
    async with reading(app, PATH, bearer(world.visitor_token())) as stream:
        await stream.take(1)
        await world.mailboxes.deliver(MAILBOX, told("typing"))
        await stream.take(1)
        await world.queue.line_up(ACME, [CNV], 10.0)
        world.queue.is_unreachable = False
        (heard,) = await stream.take(1)
    assert heard.data["queue"] == place(1, 10)


async def test_a_snapshot_in_the_middle_starts_anew(world: FakeWorld, app: FastAPI) -> None:
    await world.conversations.show(ACME, replace(queued(), state_offset=5))
    await world.queue.line_up(ACME, [FIRST, CNV], 10.0)
    reader = StreamReader(app, PATH, bearer(world.visitor_token()) | {"Last-Event-ID": "9-9"})
    assert (await reader.start())["status"] == 200
    (snapshot,) = await reader.take(1)
    assert (snapshot.data["resumed"], snapshot.data["conversation"]["queue"]) == (False, place(2, 20))
    reader.leave()
    assert reader.task is not None
    async with asyncio.timeout(DEADLINE_S):
        await reader.task
