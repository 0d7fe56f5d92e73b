"""Live streams: the state first, then everything, and after a break exactly what was missed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from fastapi import FastAPI

from rondo_common.conversation import Rating
from rondo_common.directory.entries import Kind
from rondo_common.ids import AgentId, ConversationId, EventId
from rondo_common.mailbox import StreamEvent
from rondo_common.redis.keys import agent_mailbox_key, conversation_mailbox_key
from rondo_gateway.entrypoints.stream_readers import StreamTimes
from rondo_gateway.ports import Definition
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    BOB,
    CNV,
    GRACE,
    NOON,
    FakeWorld,
    a_message,
    active,
    bearer,
    client_of,
    ended,
    offered,
    requested,
)
from tests.gateway.stream_reader import DEADLINE_S, Heard, StreamReader, reading

PATH = f"/v1/conversations/{CNV}/stream"
DESK = "/v1/agents/me/stream"
MAILBOX = conversation_mailbox_key(ACME, CNV)
GRACES_MAILBOX = agent_mailbox_key(ACME, GRACE)


@pytest.fixture
def app(world: FakeWorld) -> FastAPI:
    return world.app()


def posted(number: int) -> StreamEvent:
    """The event that tells of a message."""
    return StreamEvent(
        id=EventId(f"e-{number}"),
        type="message.posted",
        conversation_id=CNV,
        occurred_at=NOON,
        data=a_message(number).model_dump(mode="json") | {"client_message_id": f"client-{number}"},
    )


def happened(kind: str) -> StreamEvent:
    return StreamEvent(
        id=EventId(kind), type=kind, conversation_id=CNV, occurred_at=NOON, data={"text": "two\nlines"}
    )


def texts(heard: list[Heard]) -> list[str]:
    return [each.data["text"] for each in heard]


async def reason_of(stream: StreamReader) -> str:
    """Why the stream ends, by its last event, which is no place to go on after."""
    last = await stream.next()
    assert last is not None
    assert (last.type, last.cursor) == ("stream.closed", "")
    return str(last.data["reason"])


async def test_first_comes_the_conversation_with_its_last_fifty_messages(
    world: FakeWorld, app: FastAPI
) -> None:
    await world.conversations.show(ACME, active())
    for number in range(120):
        await world.mailboxes.deliver(MAILBOX, posted(number))
        await world.mailboxes.deliver(MAILBOX, happened("typing"))
    async with reading(app, PATH, bearer(world.visitor_token())) as stream:
        (snapshot,) = await stream.take(1)
    assert snapshot.type == snapshot.event["type"] == "snapshot"
    assert snapshot.event["conversation_id"] == CNV
    assert snapshot.data["conversation"]["status"] == "active"
    assert [each["text"] for each in snapshot.data["messages"]] == [
        f"message {number}" for number in range(70, 120)
    ]
    assert snapshot.data["messages"][0]["conversation_id"] == CNV
    assert snapshot.data["messages"][-1]["client_message_id"] == "client-119"
    assert "resumed" not in snapshot.data
    assert 1_000 <= (stream.retry_ms or 0) <= 3_000


async def test_a_snapshot_tells_nobody_the_ids_that_the_other_sides_page_gave(
    world: FakeWorld, app: FastAPI
) -> None:
    await world.conversations.show(ACME, active())
    await world.mailboxes.deliver(MAILBOX, posted(1))
    async with reading(app, PATH, bearer(world.agent_token())) as stream:
        (snapshot,) = await stream.take(1)
    assert "client_message_id" not in snapshot.data["messages"][0]


async def test_first_comes_what_is_on_the_agents_desk(world: FakeWorld, app: FastAPI) -> None:
    await world.conversations.show(ACME, active(GRACE, ConversationId("cnv_1")))
    await world.conversations.show(ACME, offered(GRACE, ConversationId("cnv_2")))
    await world.conversations.show(ACME, active(BOB, ConversationId("cnv_3")))
    await world.conversations.reserve_message(ACME, ConversationId("cnv_1"), "m-1", a_message(1))
    await world.conversations.mark_posted(ACME, ConversationId("cnv_1"), "m-1", a_message(1), 7)
    for path in (DESK, "/v1/agents/grace/stream"):
        async with reading(app, path, bearer(world.agent_token())) as stream:
            (snapshot,) = await stream.take(1)
        assert snapshot.event["conversation_id"] is None
        assert snapshot.data["availability"] == {
            "available": True,
            "source": "schedule",
            "until": None,
            "next_change_at": None,
        }
        (talk,) = snapshot.data["active_conversations"]
        assert (talk["id"], talk["unread"]) == ("cnv_1", 1)
        assert [each["id"] for each in snapshot.data["open_offers"]] == ["cnv_2"]
        assert snapshot.data["open_offers"][0]["offer"]["agent_id"] == GRACE


async def test_what_was_told_before_it_was_shown_follows_the_snapshot(
    world: FakeWorld, app: FastAPI
) -> None:
    await world.conversations.show(ACME, replace(offered(), state_offset=3))
    await world.mailboxes.deliver(MAILBOX, happened("assignment.offered"), 3)
    for number, offset in ((1, 4), (2, 6)):
        await world.mailboxes.deliver(MAILBOX, posted(number), offset)
    accepted = await world.mailboxes.deliver(MAILBOX, happened("assignment.accepted"), 7)
    async with reading(app, PATH, bearer(ACME_KEY)) as stream:
        snapshot, told = await stream.take(2)
    assert snapshot.data["conversation"]["status"] == "offered"
    assert [each["text"] for each in snapshot.data["messages"]] == ["message 1", "message 2"]
    assert (told.type, told.cursor) == ("assignment.accepted", str(accepted))


async def test_an_agent_is_told_of_an_offer_that_their_snapshot_does_not_have_yet(
    world: FakeWorld, app: FastAPI
) -> None:
    await world.conversations.show(ACME, requested())
    await world.mailboxes.deliver(GRACES_MAILBOX, happened("assignment.offered"), 0)
    async with reading(app, DESK, bearer(world.agent_token())) as stream:
        snapshot, told = await stream.take(2)
    assert snapshot.data["open_offers"] == []
    assert told.type == "assignment.offered"


async def test_what_is_told_of_the_agent_alone_does_not_hold_a_snapshot_back(
    world: FakeWorld, app: FastAPI
) -> None:
    changed = StreamEvent(
        id=EventId("e-1"),
        type="agent.availability_changed",
        conversation_id=None,
        occurred_at=NOON,
        data={"available": False, "source": "toggle", "until": None, "next_change_at": None},
    )
    before = await world.mailboxes.deliver(GRACES_MAILBOX, changed)
    async with reading(app, DESK, bearer(world.agent_token())) as stream:
        (snapshot,) = await stream.take(1)
        await world.mailboxes.deliver(GRACES_MAILBOX, changed.model_copy(update={"id": EventId("e-2")}))
        (told,) = await stream.take(1)
    assert snapshot.cursor == str(before)
    assert (told.type, told.event["conversation_id"]) == ("agent.availability_changed", None)


async def test_a_rating_that_was_told_before_it_was_shown_follows_the_snapshot(
    world: FakeWorld, app: FastAPI
) -> None:
    await world.conversations.show(ACME, ended())
    await world.mailboxes.deliver(MAILBOX, happened("conversation.rated"), log_offset=7)
    async with reading(app, PATH, bearer(world.visitor_token())) as stream:
        snapshot, told = await stream.take(2)
    assert (snapshot.data["conversation"]["rating"], told.type) == (None, "conversation.rated")
    await world.conversations.mark_rated(ACME, CNV, Rating(score=5, rated_at=NOON), 7)
    await world.mailboxes.deliver(MAILBOX, happened("conversation.erased"), log_offset=8)
    async with reading(app, PATH, bearer(world.visitor_token())) as stream:
        snapshot, told = await stream.take(2)
    assert snapshot.data["conversation"]["rating"]["score"] == 5
    assert told.type == "conversation.erased"


async def test_then_comes_everything_as_it_was_delivered(world: FakeWorld, app: FastAPI) -> None:
    await world.conversations.show(ACME, active())
    async with reading(app, PATH, bearer(ACME_KEY)) as stream:
        await stream.take(1)
        for event in (posted(1), happened("typing"), posted(2)):
            cursor = await world.mailboxes.deliver(MAILBOX, event)
            (heard,) = await stream.take(1)
            assert heard == Heard(str(cursor), event.type, json.loads(event.model_dump_json()))


async def test_a_stream_goes_on_right_after_any_of_its_events(world: FakeWorld, app: FastAPI) -> None:
    await world.conversations.show(ACME, active())
    cursors = [await world.mailboxes.deliver(MAILBOX, posted(number)) for number in range(250)]
    for index in (0, 99, 100, 248):
        headers = bearer(ACME_KEY) | {"Last-Event-ID": str(cursors[index])}
        async with reading(app, PATH, headers) as stream:
            heard = await stream.take(249 - index)
        assert texts(heard) == [f"message {number}" for number in range(index + 1, 250)]


async def test_the_place_may_stand_in_the_query_and_so_may_the_credential(
    world: FakeWorld, app: FastAPI
) -> None:
    await world.conversations.show(ACME, active())
    cursors = [await world.mailboxes.deliver(MAILBOX, posted(number)) for number in range(3)]
    query = f"access_token={world.visitor_token()}&last_event_id={cursors[1]}"
    async with reading(app, PATH, {}, query) as stream:
        assert texts(await stream.take(1)) == ["message 2"]


async def test_after_the_snapshot_of_an_empty_mailbox_one_goes_on_from_its_beginning(
    world: FakeWorld, app: FastAPI
) -> None:
    await world.conversations.show(ACME, active())
    async with reading(app, PATH, bearer(ACME_KEY)) as stream:
        (snapshot,) = await stream.take(1)
    await world.mailboxes.deliver(MAILBOX, posted(1))
    headers = bearer(ACME_KEY) | {"Last-Event-ID": snapshot.cursor}
    async with reading(app, PATH, headers) as stream:
        assert texts(await stream.take(1)) == ["message 1"]


@pytest.mark.parametrize("cursor", ["1-0", "0-0", "99999999999-0"])
async def test_a_place_that_is_no_longer_kept_gets_the_state_and_is_told_so(
    world: FakeWorld, app: FastAPI, cursor: str
) -> None:
    await world.conversations.show(ACME, active())
    for number in range(20):
        await world.mailboxes.deliver(MAILBOX, posted(number))
    await world.mailboxes.trim(MAILBOX, 5)
    headers = bearer(ACME_KEY) | {"Last-Event-ID": cursor}
    async with reading(app, PATH, headers) as stream:
        (snapshot,) = await stream.take(1)
        await world.mailboxes.deliver(MAILBOX, posted(20))
        assert texts(await stream.take(1)) == ["message 20"]
    assert (snapshot.type, snapshot.data["resumed"]) == ("snapshot", False)


@pytest.mark.parametrize("cursor", ["x", "1", "1-", f"{2**64}-0"])
async def test_a_place_that_is_none_is_refused(world: FakeWorld, app: FastAPI, cursor: str) -> None:
    await world.conversations.show(ACME, active())
    async with client_of(app) as http:
        answer = await http.get(PATH, headers=bearer(ACME_KEY) | {"Last-Event-ID": cursor})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_reader_too_slow_for_the_mailbox_is_told_so_and_misses_nothing_unnoticed(
    world: FakeWorld, app: FastAPI
) -> None:
    await world.conversations.show(ACME, active())
    async with reading(app, PATH, bearer(ACME_KEY)) as stream:
        await stream.take(1)
        for number in range(1_500):
            await world.mailboxes.deliver(MAILBOX, posted(number))
        await world.mailboxes.trim(MAILBOX, 1_000)
        heard: list[Heard] = []
        while not any(each.type == "snapshot" for each in heard):
            heard += await stream.take(1)
    assert heard[-1].data["resumed"] is False
    assert texts(heard[:-1]) == [f"message {number}" for number in range(len(heard) - 1)]
    assert [each["text"] for each in heard[-1].data["messages"]][-1] == "message 1499"


async def test_a_heartbeat_shows_that_the_connection_lives(world: FakeWorld) -> None:
    world.times = StreamTimes(heartbeat_s=0.02)
    await world.conversations.show(ACME, active())
    async with reading(world.app(), PATH, bearer(ACME_KEY)) as stream:
        await stream.take(1)
        await stream.beats(3)
        await world.mailboxes.deliver(MAILBOX, posted(1))
        assert texts(await stream.take(1)) == ["message 1"]


async def test_a_stream_ends_soon_after_its_reader_lost_the_right_to_read(world: FakeWorld) -> None:
    world.times = StreamTimes(heartbeat_s=0.02)
    app = world.app()
    await world.conversations.show(ACME, active())
    async with (
        reading(app, PATH, bearer(world.agent_token())) as conversation,
        reading(app, DESK, bearer(world.agent_token())) as desk,
        reading(app, DESK, bearer(world.agent_token(BOB))) as bobs,
    ):
        for stream in (conversation, desk, bobs):
            await stream.take(1)
        await world.conversations.show(ACME, active(BOB))
        assert [await reason_of(conversation), await conversation.next()] == ["not_permitted", None]
        await world.directory.write(ACME, [Definition(Kind.AGENT, AgentId(GRACE), None)])
        assert [await reason_of(desk), await desk.next()] == ["not_permitted", None]
        await bobs.beats(2)


async def test_a_stream_outlives_an_absence_of_redis(world: FakeWorld, app: FastAPI) -> None:
    await world.conversations.show(ACME, active())
    async with reading(app, PATH, bearer(ACME_KEY)) as stream:
        await stream.take(1)
        world.mailboxes.is_unreachable = True
        await world.mailboxes.deliver(MAILBOX, posted(1))
        world.mailboxes.is_unreachable = False
        assert texts(await stream.take(1)) == ["message 1"]


async def test_what_redis_lost_meanwhile_is_not_passed_over_in_silence(
    world: FakeWorld, app: FastAPI
) -> None:
    await world.conversations.show(ACME, active())
    await world.mailboxes.deliver(MAILBOX, posted(0))
    async with reading(app, PATH, bearer(ACME_KEY)) as stream:
        await stream.take(1)
        world.mailboxes.is_unreachable = True
        await world.mailboxes.deliver(MAILBOX, posted(1))
        await asyncio.sleep(0)  # The reader looks, and finds Redis away.
        await world.mailboxes.lose(MAILBOX)
        await world.mailboxes.deliver(MAILBOX, posted(2))
        world.mailboxes.is_unreachable = False
        (heard,) = await stream.take(1)
    assert (heard.type, heard.data["resumed"]) == ("snapshot", False)


async def test_while_redis_is_away_no_stream_is_opened(world: FakeWorld, app: FastAPI) -> None:
    world.mailboxes.is_unreachable = True
    async with client_of(app) as http:
        answer = await http.get(DESK, headers=bearer(world.agent_token()))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


async def test_when_the_process_stops_every_reader_is_told_to_come_back(
    world: FakeWorld, app: FastAPI
) -> None:
    stop = asyncio.Event()
    ending = asyncio.create_task(world.open_streams.end_with(stop))
    async with (
        reading(app, DESK, bearer(world.agent_token())) as one,
        reading(app, DESK, bearer(world.agent_token(BOB))) as other,
    ):
        for stream in (one, other):
            await stream.take(1)
        stop.set()
        async with asyncio.timeout(DEADLINE_S):
            await ending
        for stream in (one, other):
            assert await reason_of(stream) == "restarting"
            assert 500 <= (stream.retry_ms or 0) <= 5_000
            assert await stream.next() is None
    async with reading(app, DESK, bearer(world.agent_token())) as late:
        await late.take(1)
        assert [await reason_of(late), await late.next()] == ["restarting", None]


async def test_an_agents_stream_is_the_agents_alone(world: FakeWorld, app: FastAPI) -> None:
    async with client_of(app) as http:
        for credential in (world.agent_token(BOB), ACME_KEY, world.visitor_token()):
            answer = await http.get("/v1/agents/grace/stream", headers=bearer(credential))
            assert answer.status_code == 403
        assert (await http.get(DESK)).status_code == 401
        wrong = await http.get(DESK, params={"access_token": "wrong"})
        assert wrong.status_code == 401


async def test_asking_for_the_head_alone_opens_no_stream(world: FakeWorld, app: FastAPI) -> None:
    async with client_of(app) as http:
        answer = await http.head(DESK, headers=bearer(world.agent_token()))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.content == b""


async def test_the_answer_to_a_stream_lets_proxies_pass_it_on_at_once(
    world: FakeWorld, app: FastAPI
) -> None:
    reader = StreamReader(app, DESK, bearer(world.agent_token()))
    start = await reader.start()
    headers = dict(start["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert headers[b"x-accel-buffering"] == b"no"
    assert headers[b"cache-control"] == b"no-store"
    assert reader.task is not None
    reader.task.cancel()
    await asyncio.gather(reader.task, return_exceptions=True)
