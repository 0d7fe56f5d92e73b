"""What presence promises, on the fake and on the real Redis Functions."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta
from typing import Protocol

import pytest
from redis.asyncio import Redis

from rondo_common.clock import from_milliseconds
from rondo_common.ids import AgentId, WorkspaceId
from rondo_common.redis.keys import presence_key, workspace_key
from rondo_gateway.adapters.redis_effects import gateway_functions
from rondo_gateway.adapters.redis_presence import RedisPresence
from rondo_gateway.ports import Presence
from tests.gateway.fake_presence import FakePresence
from tests.gateway.fake_world import BOB, GRACE, NOON

LEASE_S = 75.0


class ReadPresence(Presence, Protocol):
    """With what the router reads."""

    async def ends_at(self, workspace_id: WorkspaceId, agent_id: AgentId) -> datetime | None: ...

    async def lose(self, workspace_id: WorkspaceId) -> None: ...


class ReadRedisPresence(RedisPresence):
    """The real thing, with what the router reads."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(gateway_functions(redis))
        self.redis = redis

    async def ends_at(self, workspace_id: WorkspaceId, agent_id: AgentId) -> datetime | None:
        score = await self.redis.zscore(presence_key(workspace_id), agent_id)
        return None if score is None else from_milliseconds(int(score))

    async def lose(self, workspace_id: WorkspaceId) -> None:
        keys = [key async for key in self.redis.scan_iter(f"{workspace_key(workspace_id)}:*")]
        await self.redis.delete(*keys)


@pytest.fixture(params=["fake", "redis"])
def presence(request: pytest.FixtureRequest, redis: Redis) -> ReadPresence:
    return FakePresence() if request.param == "fake" else ReadRedisPresence(redis)


@pytest.fixture
def ws() -> WorkspaceId:
    return WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")


def late(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


async def test_who_was_not_there_is_to_be_announced_and_who_was_is_not(
    presence: ReadPresence, ws: WorkspaceId
) -> None:
    assert await presence.renew(ws, GRACE, NOON, LEASE_S)
    await presence.note_announced(ws, GRACE, NOON, LEASE_S)
    assert not await presence.renew(ws, GRACE, late(20), LEASE_S)
    assert await presence.ends_at(ws, GRACE) == late(95)
    assert await presence.ends_at(ws, BOB) is None
    assert await presence.renew(ws, BOB, NOON, LEASE_S)
    assert await presence.renew(WorkspaceId(f"{ws}-2"), GRACE, NOON, LEASE_S)


async def test_renewed_in_time_a_lease_never_ends(presence: ReadPresence, ws: WorkspaceId) -> None:
    await presence.renew(ws, GRACE, NOON, LEASE_S)
    await presence.note_announced(ws, GRACE, NOON, LEASE_S)
    renewals = [await presence.renew(ws, GRACE, late(20 * count), LEASE_S) for count in range(1, 30)]
    assert not any(renewals)
    assert await presence.renew(ws, GRACE, late(20 * 29 + LEASE_S), LEASE_S)


async def test_who_was_gone_for_a_lease_is_announced_anew(presence: ReadPresence, ws: WorkspaceId) -> None:
    await presence.renew(ws, GRACE, NOON, LEASE_S)
    await presence.note_announced(ws, GRACE, NOON, LEASE_S)
    assert await presence.renew(ws, GRACE, late(LEASE_S), LEASE_S)


async def test_whose_lease_is_about_to_end_is_announced_anew(
    presence: ReadPresence, ws: WorkspaceId
) -> None:
    await presence.renew(ws, GRACE, NOON, LEASE_S)
    await presence.note_announced(ws, GRACE, NOON, LEASE_S)
    assert await presence.renew(ws, GRACE, late(LEASE_S - 5), 0, margin_s=5)
    assert not await presence.renew(ws, GRACE, late(LEASE_S - 6), 0, margin_s=5)


async def test_who_could_not_be_announced_is_to_be_announced_still(
    presence: ReadPresence, ws: WorkspaceId
) -> None:
    for seconds in (0, 20, 40):
        assert await presence.renew(ws, GRACE, late(seconds), LEASE_S)
        assert await presence.ends_at(ws, GRACE) == late(seconds + LEASE_S)


async def test_no_device_shortens_what_another_has_renewed(presence: ReadPresence, ws: WorkspaceId) -> None:
    await presence.renew(ws, GRACE, late(10), LEASE_S)
    await presence.note_announced(ws, GRACE, late(10), LEASE_S)
    assert not await presence.renew(ws, GRACE, NOON, LEASE_S)
    await presence.note_announced(ws, GRACE, NOON, LEASE_S)
    assert await presence.ends_at(ws, GRACE) == late(85)
    assert not await presence.renew(ws, GRACE, late(84), LEASE_S)


async def test_whose_lease_is_not_over_is_present(presence: ReadPresence, ws: WorkspaceId) -> None:
    assert await presence.present_at(ws, NOON) == set()
    await presence.renew(ws, GRACE, NOON, LEASE_S)
    await presence.renew(ws, BOB, late(20), LEASE_S)
    assert await presence.present_at(ws, late(LEASE_S - 1)) == {GRACE, BOB}
    assert await presence.present_at(ws, late(LEASE_S)) == {BOB}


async def test_who_was_forgotten_is_announced_anew(presence: ReadPresence, ws: WorkspaceId) -> None:
    await presence.renew(ws, GRACE, NOON, LEASE_S)
    await presence.note_announced(ws, GRACE, NOON, LEASE_S)
    await presence.lose(ws)
    assert await presence.renew(ws, GRACE, late(1), LEASE_S)


async def test_many_renewals_at_once_are_all_taken(presence: ReadPresence, ws: WorkspaceId) -> None:
    agents = [AgentId(f"agent-{number}") for number in range(200)]
    assert all(await asyncio.gather(*(presence.renew(ws, each, NOON, LEASE_S) for each in agents)))
    assert {await presence.ends_at(ws, each) for each in agents} == {late(LEASE_S)}


async def test_leases_are_not_kept_for_ever(redis: Redis, ws: WorkspaceId) -> None:
    presence = ReadRedisPresence(redis)
    await presence.renew(ws, GRACE, NOON, LEASE_S)
    await presence.note_announced(ws, GRACE, NOON, LEASE_S)
    keys = [key async for key in redis.scan_iter(f"{workspace_key(ws)}:*")]
    assert len(keys) == 2
    for key in keys:
        assert await redis.ttl(key) > LEASE_S
