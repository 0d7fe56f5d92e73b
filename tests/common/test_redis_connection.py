"""Redis' failures, told apart; and cancellations, which are not lost on the way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rondo_common.errors import Unavailable
from rondo_common.redis.connection import connect_redis, redis_errors

LOOP_TURNS_OF_A_COMMAND = 20
DEADLINE_S = 60.0


async def test_a_connection_closed_in_the_middle_of_a_command_is_redis_out_of_reach(redis_url: str) -> None:
    client: Any = connect_redis(redis_url, client_name="tests")
    async with client, client.pubsub() as pubsub:
        await pubsub.subscribe("one")

        async def subscribe() -> None:
            with redis_errors():
                await pubsub.subscribe("other")

        subscribing = asyncio.create_task(subscribe())
        while not subscribing.done():
            await pubsub.connection.disconnect(nowait=True)
            await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="redis"):
            await subscribing


async def cancel_at_any_moment(client: Any, key: str) -> None:
    """A task that asks for ``key`` again and again ends when it is cancelled, whenever that is."""

    async def ask() -> None:
        while True:
            await client.get(key)

    await client.ping()
    for turns in range(LOOP_TURNS_OF_A_COMMAND):
        asking = asyncio.create_task(ask())
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.gather(asking, return_exceptions=True)


async def test_a_cancellation_at_any_moment_of_a_command_ends_the_task(redis_url: str) -> None:
    client: Any = connect_redis(redis_url, client_name="tests")
    async with client:
        await cancel_at_any_moment(client, "anything")


async def test_a_server_that_takes_nothing_more_is_out_of_reach_in_time() -> None:
    stuck = asyncio.Event()

    async def take_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stuck.wait()
        writer.close()

    async with await asyncio.start_server(take_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"redis://127.0.0.1:{port}/0"
        client: Any = connect_redis(url, client_name="tests", socket_timeout_s=0.2)
        async with client:
            with pytest.raises(Unavailable), redis_errors():
                await client.set("large", "x" * 50_000_000)
        stuck.set()
