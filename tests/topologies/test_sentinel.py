"""Behind sentinels: a primary is lost under load, and nothing that was told is lost with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from rondo_common.errors import Unavailable
from rondo_common.ids import WorkspaceId
from rondo_common.redis.connection import connect_redis
from rondo_common.redis.functions import FunctionCall
from rondo_common.tasks import end_tasks
from rondo_local.ports import HOST
from rondo_router.adapters.redis_switchboard import RedisSwitchboard
from tests.common.test_redis_connection import cancel_at_any_moment
from tests.redis_topologies import Pair, running_pair, until
from tests.topologies.test_cluster import counting, notes_key

RETRY_S = 0.05
TOLD_AFTER = 200
DEADLINE_S = 60.0
NOW_MS = 1_800_000_000_000


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A primary, its replica, and a sentinel."""
    with running_pair(Path(tmp_path_factory.mktemp("pair"))) as running:
        yield running


@pytest.fixture
async def redis(pair: Pair) -> AsyncIterator[Redis]:
    """A client of whichever is the primary, whose effects count when the replica has them."""
    client = connect_redis(pair.address, client_name="tests")
    yield client
    await client.aclose()


async def test_a_cancellation_at_any_moment_behind_sentinels_ends_the_task(redis: Redis) -> None:
    await cancel_at_any_moment(redis, "anything")


async def test_a_failover_under_load_loses_nothing_that_was_told_and_decides_nothing_twice(
    pair: Pair, redis: Redis
) -> None:
    functions, name = counting(redis)
    switchboard, workspace_id = RedisSwitchboard(redis), WorkspaceId("w-failover")
    epoch = await switchboard.claim(0, NOW_MS)
    await switchboard.adopt(epoch, 0, [workspace_id])
    told: list[str] = []
    enough = asyncio.Event()

    async def tell() -> None:
        number = 0
        while True:
            try:
                call = FunctionCall(name, (notes_key(workspace_id),), (number,))
                await functions.call(call)
            except Unavailable:
                await asyncio.sleep(RETRY_S)  # As every caller does: the same again.
                continue
            told.append(str(number))
            number += 1
            if number >= TOLD_AFTER:
                enough.set()

    telling = asyncio.create_task(tell())
    try:
        async with asyncio.timeout(DEADLINE_S):
            await enough.wait()
            lost = await pair.primary()
            lost.kill()
            # A replica that took over has none itself: what it is told counts once it has one again.
            survivor = next(each for each in pair.servers if each is not lost)
            async with survivor.client() as one:
                await until(lambda: _is_primary(one), "the replica took over")
            lost.options = [*lost.options, "--replicaof", f"{HOST} {survivor.port}"]
            lost.start()
            enough_again = len(told) + TOLD_AFTER
            await until(lambda: asyncio.sleep(0, len(told) >= enough_again), "it goes on")
    finally:
        await end_tasks([telling])

    noted = await _noted(redis, notes_key(workspace_id))
    # One may have had its effect without its caller having been told.
    assert noted[: len(told)] == told
    assert len(noted) - len(told) <= 1
    assert await switchboard.lost(0, [workspace_id]) == []
    assert await switchboard.claim(0, NOW_MS) > epoch


async def _is_primary(redis: Redis) -> bool:
    return bool((await redis.info("replication"))["role"] == "master")


async def _noted(redis: Any, key: str) -> list[str]:
    found: list[str] = await redis.lrange(key, 0, -1)
    return found
