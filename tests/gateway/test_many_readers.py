"""Readers on real connections: slow ones cost little and are told, idle ones cost nearly nothing."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter

import pytest

from rondo_common.ids import ConversationId, EventId
from rondo_common.mailbox import StreamEvent
from rondo_common.redis.keys import conversation_mailbox_key
from rondo_gateway.entrypoints import event_outlets, sockets
from tests.gateway.fake_world import ACME, ACME_KEY, CNV, NOON, FakeWorld, active
from tests.gateway.served import DEADLINE_S, Served, heard, served

PATH = f"/v1/conversations/{CNV}/stream"
MAILBOX = conversation_mailbox_key(ACME, CNV)
READERS = 100
FLOOD = 300
FLOOD_BYTES = 16_000


def large(number: int) -> StreamEvent:
    return StreamEvent(
        id=EventId(f"e-{number}"),
        type="message.posted",
        conversation_id=ConversationId(CNV),
        occurred_at=NOON,
        data={"text": "x" * FLOOD_BYTES},
    )


async def _opened(reader: asyncio.StreamReader) -> None:
    async with asyncio.timeout(DEADLINE_S):
        await reader.readuntil(b"event: snapshot")


async def _until_closed(world: FakeWorld) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while len(world.open_streams):
            await asyncio.sleep(0.01)


async def test_who_does_not_read_is_cut_off_with_a_last_event_and_the_others_hear_all(
    world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_outlets, "STALLED_S_MAX", 0.2)
    await world.conversations.show(ACME, active())
    async with served(world) as gateway:
        slow, slow_writer = await gateway.stream(PATH, ACME_KEY, buffer_bytes=4_096)
        quick, quick_writer = await gateway.stream(PATH, ACME_KEY)
        await _opened(slow)
        await _opened(quick)
        for number in range(FLOOD):
            await world.mailboxes.deliver(MAILBOX, large(number))
        async with asyncio.timeout(DEADLINE_S):
            for _ in range(FLOOD):
                await quick.readuntil(b"event: message.posted")
        quick_writer.close()
        await quick_writer.wait_closed()
        await _until_closed(world)
        rest = await _read_all(slow)
        slow_writer.close()
        await slow_writer.wait_closed()
    ids = rest.count(b"event: message.posted")
    assert 0 < ids < FLOOD
    assert b"event: stream.closed" in rest
    assert rest.index(b"event: stream.closed") > rest.rindex(b"event: message.posted")
    assert b'"reason":"too_slow"' in rest
    assert rest.endswith(b"0\r\n\r\n")


async def test_a_socket_that_does_not_read_is_closed_with_1013(
    world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "STALLED_S_MAX", 0.2)
    await world.conversations.show(ACME, active())
    async with served(world) as gateway:
        path = PATH.replace("stream", "socket")
        connection = await gateway.socket(path, ACME_KEY)
        await heard(connection)
        connection.transport.pause_reading()
        for number in range(10 * FLOOD):
            await world.mailboxes.deliver(MAILBOX, large(number))
        await _until_closed(world)
        connection.transport.resume_reading()
        last = await heard(connection)
        while last["type"] != "stream.closed":
            last = await heard(connection)
        await connection.wait_closed()
        assert connection.close_code == 1013
        assert last["data"]["reason"] == "too_slow"


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(DEADLINE_S):
        return await reader.read()


async def test_an_idle_reader_keeps_neither_a_request_nor_a_stack_of_middleware(world: FakeWorld) -> None:
    await world.conversations.show(ACME, active())
    async with served(world) as gateway:
        first, writer = await gateway.stream(PATH, ACME_KEY)
        await _opened(first)
        before = _objects()
        opened = [await gateway.stream(PATH, ACME_KEY) for _ in range(READERS)]
        for reader, _ in opened:
            await _opened(reader)
        grown = _objects() - before
        each = {name: count / READERS for name, count in grown.items()}
        for gone in ("Request", "HttpToolsProtocol", "HoldingHttpProtocol", "RequestResponseCycle"):
            assert each.get(gone, 0) < 0.1, gone
        assert each["HeldConnection"] == 1
        # A task and its coroutines for each; the rest of them are the client's.
        assert each["Task"] <= 1.1
        assert each["coroutine"] <= 8
        for _, each_writer in [*opened, (first, writer)]:
            each_writer.close()
            await each_writer.wait_closed()
        await _until_closed(world)


def _objects() -> Counter[str]:
    gc.collect()
    return Counter(type(each).__name__ for each in gc.get_objects())


async def test_a_stopping_gateway_tells_every_reader_to_come_back_at_another_time(world: FakeWorld) -> None:
    await world.conversations.show(ACME, active())
    async with served(world) as gateway:
        opened = [await gateway.stream(PATH, ACME_KEY) for _ in range(20)]
        for reader, _ in opened:
            await _opened(reader)
        gateway.stop.set()
        texts = [await _read_all(reader) for reader, _ in opened]
        for _, writer in opened:
            writer.close()
            await writer.wait_closed()
    waits = {_retry_of(text) for text in texts}
    assert len(waits) > 10
    assert all(500 <= each <= 5_000 for each in waits)


def _retry_of(text: bytes) -> int:
    head, _, rest = text.rpartition(b"retry: ")
    assert head
    assert b'"reason":"restarting"' in rest
    assert rest.endswith(b"0\r\n\r\n")
    return int(rest.split(b"\n", 1)[0])


async def test_a_reader_who_leaves_leaves_nothing_behind(world: FakeWorld) -> None:
    await world.conversations.show(ACME, active())
    async with served(world) as gateway:
        await _come_and_go(gateway)
        await _until_closed(world)
        before = _objects()
        for _ in range(20):
            await _come_and_go(gateway)
        await _until_closed(world)
        assert _objects()["HeldConnection"] <= before["HeldConnection"]


async def _come_and_go(gateway: Served) -> None:
    reader, writer = await gateway.stream(PATH, ACME_KEY)
    await _opened(reader)
    writer.close()
    await writer.wait_closed()
