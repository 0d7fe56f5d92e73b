"""What only a cluster can do to Rondo: calls over several nodes, slots that move, a lost primary."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from rondo_common.errors import Lost
from rondo_common.ids import AgentId, EventId, WorkspaceId
from rondo_common.redis.connection import connect_redis
from rondo_common.redis.doorbells import Doorbells
from rondo_common.redis.functions import OTHER_VERSIONS_MAX, FunctionCall, FunctionLibrary
from rondo_common.redis.keys import workspace_key
from rondo_common.tasks import end_tasks
from rondo_router.adapters.redis_switchboard import RedisSwitchboard
from rondo_router.domain.instruction import CheckPresence, Instruction
from tests.common.test_redis_connection import cancel_at_any_moment
from tests.redis_topologies import Cluster, Node, until

WORKSPACES = 12
"""So many that no third of the slots is without one."""
PARTITION = 7
NOW_MS = 1_800_000_000_000
DEADLINE_S = 60.0


@pytest.fixture
async def owner(cluster: Cluster) -> AsyncIterator[Redis]:
    """A client of the whole cluster that may do everything."""
    client = connect_redis(cluster.address(), client_name="tests")
    yield client
    await client.aclose()


def counting(redis: Redis) -> tuple[FunctionLibrary, str]:
    """A library of one function, which notes what it is told at the end of a list, once, and rings."""
    name = f"note_{uuid.uuid4().hex[:12]}"
    source = f"""#!lua name={name}
redis.register_function('{name}', function(keys, args)
  if redis.call('LPOS', keys[1], args[1]) then return 'again' end
  redis.call('RPUSH', keys[1], args[1])
  redis.call('PUBLISH', keys[1], args[1])
  return args[1]
end)
"""
    return FunctionLibrary(redis, source), name


def workspaces() -> list[WorkspaceId]:
    """Some that no other test has."""
    return [WorkspaceId(f"w-{uuid.uuid4().hex[:12]}") for _ in range(WORKSPACES)]


def notes_key(workspace_id: WorkspaceId) -> str:
    return workspace_key(workspace_id, "notes")


async def workspace_at(cluster: Cluster, node: Node, among: list[WorkspaceId]) -> WorkspaceId:
    """One whose keys are on a node."""
    for each in among:
        if await cluster.owner_of(workspace_key(each)) is node:
            return each
    raise AssertionError("none of them is there")


async def test_calls_for_several_workspaces_travel_together_and_each_keeps_its_order(owner: Redis) -> None:
    functions, name = counting(owner)
    some = workspaces()
    calls = [FunctionCall(name, (notes_key(each),), (number,)) for number in range(20) for each in some]

    answers = await functions.call_all(calls)

    assert answers == [str(call.arguments[0]) for call in calls]
    for each in some:
        assert await _noted(owner, each) == [str(number) for number in range(20)]


async def test_calls_follow_a_slot_that_moves_and_take_effect_once_and_in_order(
    cluster: Cluster, owner: Redis
) -> None:
    functions, name = counting(owner)
    (workspace_id, *_) = workspaces()
    key, told = notes_key(workspace_id), 0
    moved = asyncio.Event()

    async def tell() -> int:
        number = 0
        while not moved.is_set() or number % 10:
            calls = [FunctionCall(name, (key,), (number + each,)) for each in range(10)]
            await functions.call_all(calls)
            number += 10
        return number

    telling = asyncio.create_task(tell())
    try:
        for node in cluster.nodes:
            if await cluster.owner_of(key) is not node:
                await cluster.move(key, node)
    finally:
        moved.set()
        told = await telling
    assert await _noted(owner, workspace_id) == [str(number) for number in range(told)]


async def test_a_bell_is_heard_whichever_node_it_is_rung_on(cluster: Cluster, owner: Redis) -> None:
    functions, name = counting(owner)
    client = connect_redis(cluster.address(), client_name="tests")
    bells = Doorbells(client)
    listening = asyncio.create_task(bells.run())
    some = workspaces()
    try:
        for node in cluster.nodes:
            key = notes_key(await workspace_at(cluster, node, some))
            await until(lambda: asyncio.sleep(0, bells.is_connected), "bells are heard")
            async with bells.listen(key) as bell, asyncio.timeout(DEADLINE_S):
                heard: tuple[str, ...] = ()
                await functions.call(FunctionCall(name, (key,), ("ding",)))
                while "ding" not in heard:
                    await bell.wait()
                    bell.clear()
                    heard += bell.whispered()
    finally:
        await end_tasks([listening])
        await client.aclose()


async def test_a_cancellation_at_any_moment_on_a_cluster_ends_the_task(owner: Redis) -> None:
    await cancel_at_any_moment(owner, "anything")


async def test_a_primary_that_lost_everything_is_noticed_workspace_by_workspace(
    cluster: Cluster, owner: Redis
) -> None:
    switchboard = RedisSwitchboard(owner)
    some = workspaces()
    epoch = await switchboard.claim(PARTITION, NOW_MS)
    await switchboard.adopt(epoch, PARTITION, some)
    assert await switchboard.lost(PARTITION, some) == []

    home = await _home(cluster)
    away = next(each for each in cluster.nodes if each is not home)
    there = [each for each in some if await cluster.owner_of(workspace_key(each)) is away]
    await cluster.lose_data_of(away)

    assert there
    assert set(await switchboard.lost(PARTITION, some)) == set(there)
    with pytest.raises(Lost):
        await switchboard.decide(epoch, [_instruction(there[0])], NOW_MS)
    kept = next(each for each in some if each not in there)
    await switchboard.decide(epoch, [_instruction(kept)], NOW_MS)

    await switchboard.adopt(epoch, PARTITION, there)
    assert await switchboard.lost(PARTITION, some) == []


async def test_where_a_partitions_own_keys_are_lost_its_workspaces_are_not_and_epochs_go_on(
    cluster: Cluster, owner: Redis
) -> None:
    switchboard = RedisSwitchboard(owner)
    some = workspaces()
    before = await switchboard.claim(PARTITION, NOW_MS)
    await switchboard.adopt(before, PARTITION, some)
    home = await _home(cluster)
    kept = [each for each in some if await cluster.owner_of(workspace_key(each)) is not home]

    await cluster.lose_data_of(home)

    assert await switchboard.lost(PARTITION, kept) == []
    # Somebody new is adopted: it must not hide that the others were.
    new = await workspace_at(cluster, home, workspaces())
    await switchboard.adopt(before, PARTITION, [new])
    gone = await cluster.owner_of(workspace_key(kept[0]))
    await cluster.lose_data_of(gone)
    assert kept[0] in await switchboard.lost(PARTITION, kept)

    await cluster.lose_data_of(home)
    assert await switchboard.claim(PARTITION, NOW_MS + 1_000) > before


async def _home(cluster: Cluster) -> Node:
    """Where the partition's own keys are."""
    return await cluster.owner_of(f"rondo:epoch:{{{PARTITION}}}")


def _instruction(workspace_id: WorkspaceId) -> Instruction:
    return Instruction(workspace_id, EventId("cause"), CheckPresence(AgentId("nobody")))


async def _noted(redis: Any, workspace_id: WorkspaceId) -> list[str]:
    found: list[str] = await redis.lrange(notes_key(workspace_id), 0, -1)
    return found


async def test_old_versions_of_a_library_are_removed_from_every_primary(
    cluster: Cluster, owner: Redis
) -> None:
    name = f"aged_{uuid.uuid4().hex[:12]}x"
    for version in range(OTHER_VERSIONS_MAX + 3):
        source = f"#!lua name={name}\nredis.register_function('{name}', function() return {version} end)\n"
        await FunctionLibrary(owner, source).load()
    for node in cluster.nodes:
        async with node.client() as redis:
            assert len(await redis.function_list(f"{name}*")) == OTHER_VERSIONS_MAX + 1
