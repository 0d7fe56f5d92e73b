"""Typing and read marks: over HTTP, on the streams of the other side, and kept as far as they must be."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from rondo_common.conversation import Message
from rondo_common.conversation_view import ConversationView
from rondo_common.events import MessagesRead
from rondo_common.ids import MessageId, WorkspaceId
from rondo_common.redis.doorbells import WHISPERS_MAX, Doorbells
from rondo_common.redis.keys import conversation_mailbox_key
from rondo_gateway.adapters.redis_conversations import RedisConversations
from rondo_gateway.adapters.redis_effects import gateway_functions
from rondo_gateway.adapters.redis_mailboxes import RedisMailboxes
from rondo_gateway.ports import Conversations
from tests.gateway.fake_conversations import FakeConversations
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    ADA,
    BOB,
    CNV,
    GRACE,
    FakeWorld,
    a_message,
    active,
    bearer,
    ended,
    json_of,
    offered,
    requested,
)
from tests.gateway.stream_reader import StreamReader, reading

PATH = f"/v1/conversations/{CNV}"
CONVERSATION = f"{PATH}/stream"
AGENT = "/v1/agents/me/stream"
DEADLINE_S = 60.0


async def type_as(http: httpx.AsyncClient, credential: str) -> None:
    answer = await http.post(f"{PATH}/typing", headers=bearer(credential))
    assert answer.status_code == 204, answer.text
    assert answer.content == b""


async def say(http: httpx.AsyncClient, credential: str, text: str) -> str:
    message = {"client_message_id": text, "text": text}
    answer = await http.post(f"{PATH}/messages", headers=bearer(credential), json=message)
    return str(json_of(answer, 201)["id"])


async def read_as(http: httpx.AsyncClient, credential: str, message_id: str) -> httpx.Response:
    return await http.post(f"{PATH}/read", headers=bearer(credential), json={"message_id": message_id})


async def snapshot_of(reader: StreamReader) -> None:
    first = await reader.next()
    assert first is not None
    assert first.type == "snapshot"


# --- typing --------------------------------------------------------------------------------------


async def test_the_agent_sees_the_visitor_type_on_both_streams_and_the_visitor_does_not(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    app = http._transport.app  # type: ignore[attr-defined]  # The same world, so the same bells.
    agent, visitor = bearer(world.agent_token()), bearer(world.visitor_token())
    async with (
        reading(app, AGENT, agent) as inbox,
        reading(app, CONVERSATION, agent) as desk,
        reading(app, CONVERSATION, visitor) as widget,
    ):
        for reader in (inbox, desk, widget):
            await snapshot_of(reader)
        await type_as(http, world.visitor_token())
        for reader in (inbox, desk):
            sign = await reader.next()
            assert sign is not None
            assert (sign.type, sign.cursor) == ("typing", "")
            assert sign.event["conversation_id"] == CNV
            assert sign.data == {"author": {"type": "visitor", "id": ADA}}
        await type_as(http, world.agent_token())
        sign = await widget.next()
        assert sign is not None
        assert sign.data == {"author": {"type": "agent", "id": GRACE}}


async def test_the_backend_types_for_the_visitor_and_sees_both(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    app = http._transport.app  # type: ignore[attr-defined]  # As above.
    async with reading(app, CONVERSATION, bearer(ACME_KEY)) as backend:
        await snapshot_of(backend)
        for credential in (ACME_KEY, world.agent_token()):
            await type_as(http, credential)
        signs = await backend.take(2)
    assert [sign.data["author"]["type"] for sign in signs] == ["visitor", "agent"]


async def test_typing_is_kept_nowhere(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await world.conversations.show(ACME, active())
    await type_as(http, world.visitor_token())
    mailbox = conversation_mailbox_key(ACME, CNV)
    assert world.log.events == []
    assert await world.mailboxes.extent(mailbox) is None
    app = http._transport.app  # type: ignore[attr-defined]  # As above.
    async with reading(app, CONVERSATION, bearer(world.agent_token())) as late:
        await snapshot_of(late)
        await type_as(http, world.agent_token())  # Their own sign, which they are not told.
        await type_as(http, ACME_KEY)
        heard = await late.next()
    assert heard is not None
    assert heard.data["author"]["type"] == "visitor"


@pytest.mark.parametrize("view", [requested(), offered(), ended()])
async def test_only_in_an_active_conversation_does_anybody_type_or_read(
    http: httpx.AsyncClient, world: FakeWorld, view: ConversationView
) -> None:
    await world.conversations.show(ACME, view)
    typing = await http.post(f"{PATH}/typing", headers=bearer(ACME_KEY))
    reading_it = await read_as(http, ACME_KEY, "msg_1")
    for answer in (typing, reading_it):
        assert json_of(answer, 409)["type"] == "urn:rondo:error:conversation-not-active"


async def test_only_its_parties_type_or_read(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await world.conversations.show(ACME, active())
    for credential, status in ((world.agent_token(BOB), 403), ("rk_globex", 404)):
        assert (await http.post(f"{PATH}/typing", headers=bearer(credential))).status_code == status
        assert (await read_as(http, credential, "msg_1")).status_code == status


async def test_an_agent_who_is_only_asked_to_take_over_does_not_type(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    card, offer = active().agent, offered(BOB).offer
    view = active()
    handed_over = ConversationView(CNV, view.status, view.request, agent=card, offer=offer)
    await world.conversations.show(ACME, handed_over)
    answer = await http.post(f"{PATH}/typing", headers=bearer(world.agent_token(BOB)))
    assert answer.status_code == 403


# --- read marks ----------------------------------------------------------------------------------


async def test_what_a_side_has_read_is_told_once_and_never_goes_back(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    first, second = [await say(http, world.visitor_token(), text) for text in ("one", "two")]
    for message_id in (first, second, first, second):
        assert (await read_as(http, world.agent_token(), message_id)).status_code == 204
    assert (await read_as(http, world.visitor_token(), second)).status_code == 204
    assert (await read_as(http, ACME_KEY, first)).status_code == 204
    told = [event for event in world.log.events if isinstance(event, MessagesRead)]
    assert [(event.reader.type, event.reader.id, event.message_id) for event in told] == [
        ("agent", GRACE, first),
        ("agent", GRACE, second),
        ("visitor", ADA, second),
    ]
    assert {event.agent_id for event in told} == {GRACE}


async def test_a_message_that_is_not_there_cannot_be_read(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    assert (await read_as(http, ACME_KEY, "msg_none")).status_code == 404
    for body in ({}, {"message_id": ""}, {"message_id": 1}, {"message_id": "a b"}, {"surprise": "x"}):
        answer = await http.post(f"{PATH}/read", headers=bearer(ACME_KEY), json=body)
        assert answer.status_code == 422


async def test_a_mark_the_log_did_not_confirm_is_told_at_the_retry(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    message_id = await say(http, world.visitor_token(), "one")
    world.log.is_unreachable = True
    assert (await read_as(http, world.agent_token(), message_id)).status_code == 503
    world.log.is_unreachable = False
    assert (await read_as(http, world.agent_token(), message_id)).status_code == 204
    assert isinstance(world.log.events[-1], MessagesRead)


@pytest.fixture(params=["fake", "redis"])
def conversations(request: pytest.FixtureRequest, redis: Redis) -> Conversations:
    if request.param == "fake":
        return FakeConversations()
    return RedisConversations(gateway_functions(redis))


async def test_reading_goes_by_the_order_of_the_log(conversations: Conversations) -> None:
    ws = WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")

    async def posted(number: int, offset: int) -> MessageId:
        message: Message = a_message(number)
        await conversations.mark_posted(ws, CNV, str(number), message, offset)
        await conversations.mark_posted(ws, CNV, str(number), message, offset + 100)  # Published twice.
        return message.id

    late, early = await posted(1, 9), await posted(2, 3)
    assert await conversations.is_read_further(ws, CNV, "agent", MessageId("msg_none")) is None
    assert await conversations.is_read_further(ws, CNV, "agent", early) is True
    await conversations.mark_read(ws, CNV, "agent", late)
    await conversations.mark_read(ws, CNV, "agent", early)
    assert await conversations.is_read_further(ws, CNV, "agent", early) is False
    assert await conversations.is_read_further(ws, CNV, "agent", late) is False
    assert await conversations.is_read_further(ws, CNV, "visitor", early) is True
    assert await conversations.is_read_further(ws, CNV, "agent", await posted(3, 10)) is True


# --- whispers on the real Redis ------------------------------------------------------------------


async def test_a_whisper_rings_those_who_listen_and_is_then_gone(redis: Redis) -> None:
    doorbells = Doorbells(redis)
    mailboxes = RedisMailboxes(redis, doorbells)
    mailbox = f"rondo:{{w-{uuid.uuid4().hex[:12]}}}:mailbox"
    listening = asyncio.create_task(doorbells.run())
    try:
        await _connected(doorbells)
        await mailboxes.whisper(mailbox, "nobody hears this")
        async with mailboxes.listen(mailbox) as first, mailboxes.listen(mailbox) as second:
            for bell in (first, second):
                bell.clear()
            for number in range(WHISPERS_MAX + 3):
                await mailboxes.whisper(mailbox, str(number))
            latest = [str(number) for number in range(3, WHISPERS_MAX + 3)]
            for bell in (first, second):
                assert await _heard_until(bell, latest[-1]) == latest[-1]
                assert list(bell.whispered()) == []
    finally:
        listening.cancel()


async def _connected(doorbells: Doorbells) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not doorbells.is_connected:
            await asyncio.sleep(0.01)


async def _heard_until(bell: Any, last: str) -> str:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            heard: list[str] = list(bell.whispered())
            assert len(heard) <= WHISPERS_MAX
            if heard and heard[-1] == last:
                return heard[-1]
            await bell.wait()
            bell.clear()
