"""Live streams over WebSocket: the events of the stream, and commands with an answer each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rondo_common.answers import Answer
from rondo_common.events import AcceptChat, MessagePosted
from rondo_common.ids import AgentId, CommandId, EventId
from rondo_common.mailbox import StreamEvent
from rondo_common.redis.keys import conversation_mailbox_key
from rondo_gateway.entrypoints.stream_readers import StreamTimes
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    BOB,
    CNV,
    GLOBEX,
    NOON,
    FakeWorld,
    a_message,
    active,
    offered,
)
from tests.gateway.served import Served, asked, heard, served

SOCKET = f"/v1/conversations/{CNV}/socket"
DESK = "/v1/agents/me/socket"
MAILBOX = conversation_mailbox_key(ACME, CNV)
SHOP = "https://shop.example"


@pytest.fixture
async def gateway(world: FakeWorld) -> AsyncIterator[Served]:
    await world.conversations.show(ACME, active())
    async with served(world) as running:
        yield running


def posted(number: int) -> StreamEvent:
    return StreamEvent(
        id=EventId(f"e-{number}"),
        type="message.posted",
        conversation_id=CNV,
        occurred_at=NOON,
        data=a_message(number).model_dump(mode="json"),
    )


def saying(text: str, name: object = 1, **fields: object) -> dict[str, Any]:
    return {"id": name, "type": "message", "data": {"client_message_id": text, "text": text}, **fields}


async def test_it_tells_what_the_stream_tells_and_goes_on_after_any_cursor(
    world: FakeWorld, gateway: Served
) -> None:
    async with gateway.socket(SOCKET, world.visitor_token()) as connection:
        snapshot = await heard(connection)
        assert (snapshot["type"], snapshot["data"]["conversation"]["id"]) == ("snapshot", CNV)
        cursors = [str(await world.mailboxes.deliver(MAILBOX, posted(number))) for number in range(5)]
        told = [await heard(connection) for _ in range(5)]
    assert [each["cursor"] for each in told] == cursors
    assert told[0] == {"cursor": cursors[0], **posted(0).model_dump(mode="json")}
    query = f"{SOCKET}?access_token={world.visitor_token()}&last_event_id={cursors[1]}"
    async with gateway.socket(query) as connection:
        assert [(await heard(connection))["cursor"] for _ in range(3)] == cursors[2:]


async def test_a_message_is_posted_once_however_often_it_is_sent(world: FakeWorld, gateway: Served) -> None:
    async with gateway.socket(SOCKET, world.visitor_token()) as connection:
        answers = [await asked(connection, saying("hello", name)) for name in ("a", 2, "c")]
    assert [(each["id"], each["ok"]) for each in answers] == [("a", True), (2, True), ("c", True)]
    assert len({each["result"]["id"] for each in answers}) == 1
    assert answers[0]["result"]["text"] == "hello"
    assert len({event.message.id for event in world.log.events if isinstance(event, MessagePosted)}) == 1


async def test_the_fields_may_stand_beside_the_type(world: FakeWorld, gateway: Served) -> None:
    frame = {"id": "1", "type": "message", "client_message_id": "m", "text": "hi"}
    async with gateway.socket(SOCKET, world.visitor_token()) as connection:
        assert (await asked(connection, frame))["result"]["text"] == "hi"


async def test_an_agent_works_on_one_socket(world: FakeWorld, gateway: Served) -> None:
    await world.conversations.show(ACME, offered())

    async def decide(_: CommandId) -> Answer:
        await world.conversations.show(ACME, active())
        return Answer()

    world.answers.decide = decide
    async with gateway.socket(DESK, world.agent_token()) as connection:
        assert (await heard(connection))["data"]["open_offers"][0]["id"] == CNV
        accepted = await asked(connection, {"id": 1, "type": "accept", "conversation_id": CNV})
        assert accepted["result"]["status"] == "active"
        about = {"conversation_id": CNV}
        said = await asked(connection, saying("hello", 2, **about))
        assert said["result"]["author"]["type"] == "agent"
        assert await asked(connection, {"id": 3, "type": "typing", **about}) == {
            "id": 3,
            "ok": True,
            "result": None,
        }
        assert (await asked(connection, {"id": 4, "type": "ping"}))["ok"]
    assert [event.agent_id for event in world.log.events if isinstance(event, AcceptChat)] == ["grace"]


async def test_a_refusal_is_the_problem_that_http_would_tell(world: FakeWorld, gateway: Served) -> None:
    async with gateway.socket(SOCKET, world.visitor_token()) as connection:
        forbidden = await asked(connection, {"id": 1, "type": "accept"})
        assert (forbidden["ok"], forbidden["problem"]["status"]) == (False, 403)
        long = await asked(connection, saying("x" * 4_001))
        assert long["problem"]["status"] == 422
        assert {each["pointer"] for each in long["problem"]["errors"]} == {"/client_message_id", "/text"}
        unknown = {"id": 1, "type": "read", "data": {"message_id": "msg_unknown"}}
        assert (await asked(connection, unknown))["problem"]["type"] == "urn:rondo:error:not-found"
        world.log.is_unreachable = True
        away = await asked(connection, saying("away"))
        assert (away["problem"]["status"], away["problem"]["retry_after_s"]) == (503, 2)
        world.log.is_unreachable = False
        assert (await asked(connection, saying("away")))["ok"]


@pytest.mark.parametrize(
    ("frame", "name", "status"),
    [
        ("{", None, 400),
        ("[1]", None, 400),
        ("[" * 20_000, None, 400),
        (b"\xff\x00", None, 400),
        ("{}", None, 422),
        ({"id": True, "type": "ping"}, None, 422),
        ({"id": "x" * 65, "type": "ping"}, None, 422),
        ({"id": "a"}, "a", 422),
        ({"id": "a", "type": ["ping"]}, "a", 422),
        ({"id": "a", "type": "end"}, "a", 422),
        ({"id": "a", "type": "ping", "extra": 1}, "a", 422),
        ({"id": "a", "type": "message", "data": []}, "a", 422),
        ({"id": "a", "type": "message", "data": {}, "text": "x"}, "a", 422),
        ({"id": "a", "type": "typing", "conversation_id": "cnv_2"}, "a", 422),
        ({"id": "\ud800", "type": "message", "data": {"text": "\ud800"}}, "\ud800", 422),
    ],
)
async def test_a_frame_that_makes_no_sense_is_answered_and_the_socket_goes_on(
    world: FakeWorld, gateway: Served, frame: object, name: object, status: int
) -> None:
    async with gateway.socket(SOCKET, world.visitor_token()) as connection:
        refused = await asked(connection, frame)
        assert (refused["id"], refused["ok"], refused["problem"]["status"]) == (name, False, status)
        assert (await asked(connection, {"id": "b", "type": "ping"}))["ok"]


async def test_who_may_not_have_it_is_told_why_and_closed_with_1008(
    world: FakeWorld, gateway: Served
) -> None:
    expected = {
        "": 401,
        "wrong": 401,
        world.visitor_token(workspace_id=GLOBEX): 404,
        world.agent_token(BOB): 403,
    }
    for token, status in expected.items():
        async with gateway.socket(SOCKET, token) as connection:
            last = await heard(connection)
            assert (last["type"], last["data"]["problem"]["status"]) == ("stream.closed", status)
            with pytest.raises(ConnectionClosed) as closed:
                await heard(connection)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1008


async def test_who_loses_the_right_is_closed_with_1008(world: FakeWorld) -> None:
    world.times = StreamTimes(heartbeat_s=0.02)
    await world.conversations.show(ACME, active())
    async with served(world) as gateway, gateway.socket(SOCKET, world.agent_token()) as connection:
        await heard(connection)
        await world.conversations.show(ACME, active(AgentId(BOB)))
        assert (await heard(connection))["data"]["reason"] == "not_permitted"
        with pytest.raises(ConnectionClosed) as closed:
            await heard(connection)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


async def test_when_the_process_stops_it_is_closed_with_1012(gateway: Served) -> None:
    async with gateway.socket(SOCKET, ACME_KEY) as connection:
        await heard(connection)
        gateway.stop.set()
        assert (await heard(connection))["data"]["reason"] == "restarting"
        with pytest.raises(ConnectionClosed) as closed:
            await heard(connection)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012


async def test_a_frame_that_is_too_large_ends_it_with_1009(world: FakeWorld, gateway: Served) -> None:
    async with gateway.socket(SOCKET, world.visitor_token()) as connection:
        await heard(connection)
        await connection.send("x" * 70_000)
        with pytest.raises(ConnectionClosed) as closed:
            await heard(connection)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_a_foreign_page_is_refused_at_the_handshake(world: FakeWorld, gateway: Served) -> None:
    await world.settle(allowed_origins=[SHOP])
    async with gateway.socket(SOCKET, world.visitor_token(), Origin=SHOP) as connection:
        assert (await heard(connection))["type"] == "snapshot"
    with pytest.raises(InvalidStatus) as refused:
        async with gateway.socket(SOCKET, world.visitor_token(), Origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_a_visitors_socket_shows_that_they_are_there_and_an_agents_renews_presence(
    world: FakeWorld, gateway: Served
) -> None:
    async with gateway.socket(SOCKET, world.visitor_token()) as connection:
        await heard(connection)
        until = await world.visitors.seen_until(ACME, CNV)
        assert until is not None
        assert until > world.now
    async with gateway.socket(DESK, world.agent_token()) as connection:
        await heard(connection)
        assert len(world.open_streams) == 1


async def test_no_token_stands_in_the_log(
    world: FakeWorld, gateway: Served, caplog: pytest.LogCaptureFixture
) -> None:
    token = world.visitor_token()
    with caplog.at_level("DEBUG", "uvicorn"):
        async with gateway.socket(f"{SOCKET}?access_token={token}") as connection:
            assert (await heard(connection))["type"] == "snapshot"
    assert token not in caplog.text
