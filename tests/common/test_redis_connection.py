"""Redis' failures, told apart."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from rondo_common.errors import Unavailable
from rondo_common.redis.connection import connect_redis, redis_errors


async def test_a_connection_closed_between_a_command_and_its_writing_is_redis_out_of_reach(
    redis_url: str,
) -> None:
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


async def test_a_defect_of_ours_stays_one(redis: Redis) -> None:
    client: Any = redis
    with pytest.raises(AttributeError), redis_errors():
        await client.no_such_command()
