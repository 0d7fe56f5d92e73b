"""A broker that keeps connections and answers nothing, as a frozen one does, is given up by readers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError

from rondo_common.kafka import connection
from rondo_common.kafka.connection import KafkaConnection, make_group_consumer, make_reader

GIVEN_UP_WITHIN_S = 30.0
"""Less than the 40 s that aiokafka would wait."""


def in_group(to: KafkaConnection) -> AIOKafkaConsumer:
    return make_group_consumer(to, "group", session_timeout_ms=6_000, rebalance_timeout_ms=30_000)


@contextlib.asynccontextmanager
async def silent_broker() -> AsyncIterator[str]:
    """Where a broker listens that never answers."""

    connections: set[asyncio.StreamWriter] = set()

    def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for each in connections:
            each.close()
            await each.wait_closed()


@pytest.mark.parametrize("make", [make_reader, in_group])
async def test_a_reader_gives_a_silent_broker_up_as_soon_as_it_is_told(
    make: Callable[[KafkaConnection], AIOKafkaConsumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connection.READ_TIMEOUT_MS < GIVEN_UP_WITHIN_S * 1000
    monkeypatch.setattr(connection, "READ_TIMEOUT_MS", 200)
    async with silent_broker() as address:
        consumer = make(KafkaConnection(address, client_id="test"))
        async with asyncio.timeout(GIVEN_UP_WITHIN_S):
            with pytest.raises(KafkaConnectionError):
                await consumer.start()
        await consumer.stop()
