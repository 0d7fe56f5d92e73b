"""A visitor's stream shows that they are there: over HTTP, and on the fake and the real Redis Functions."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Protocol

import pytest
from redis.asyncio import Redis

from rondo_common.clock import from_milliseconds
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_common.redis.keys import visitor_presence_key
from rondo_gateway.adapters.redis_effects import gateway_functions
from rondo_gateway.adapters.redis_visitor_presence import RedisVisitorPresence
from rondo_gateway.entrypoints.stream_readers import StreamTimes
from rondo_gateway.handlers.visitor_streams import SEEN_AHEAD
from rondo_gateway.ports import VisitorPresence
from tests.gateway.fake_visitor_presence import FakeVisitorPresence
from tests.gateway.fake_world import ACME, ACME_KEY, CNV, NOON, FakeWorld, active, bearer, requested
from tests.gateway.stream_reader import StreamReader, reading

SOON = NOON + timedelta(seconds=45)
LATER = NOON + timedelta(seconds=65)
STREAM = f"/v1/conversations/{CNV}/stream"


class LookedAt(VisitorPresence, Protocol):
    """With the router's part."""

    async def seen_until(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> datetime | None: ...


class LookedAtOnRedis(RedisVisitorPresence):
    """The real thing, with the router's part."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(gateway_functions(redis))
        self.redis = redis

    async def seen_until(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> datetime | None:
        seen = await self.redis.zscore(visitor_presence_key(workspace_id), conversation_id)
        return None if seen is None else from_milliseconds(int(seen))


@pytest.fixture(params=["fake", "redis"])
def presence(request: pytest.FixtureRequest, redis: Redis) -> LookedAt:
    return FakeVisitorPresence() if request.param == "fake" else LookedAtOnRedis(redis)


@pytest.fixture
def ws() -> WorkspaceId:
    return WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")


async def test_who_never_opened_a_stream_was_never_seen(presence: LookedAt, ws: WorkspaceId) -> None:
    assert await presence.seen_until(ws, CNV) is None


async def test_an_open_stream_is_seen_a_little_ahead_and_a_closed_one_until_it_closed(
    presence: LookedAt, ws: WorkspaceId
) -> None:
    await presence.see(ws, CNV, "s1", NOON, SOON)
    assert await presence.seen_until(ws, CNV) == SOON
    await presence.leave(ws, CNV, "s1", NOON + timedelta(seconds=3))
    assert await presence.seen_until(ws, CNV) == NOON + timedelta(seconds=3)


async def test_only_the_last_stream_to_close_makes_a_visitor_gone(
    presence: LookedAt, ws: WorkspaceId
) -> None:
    await presence.see(ws, CNV, "s1", NOON, SOON)
    await presence.see(ws, CNV, "s2", NOON, LATER)
    await presence.leave(ws, CNV, "s1", NOON)
    assert await presence.seen_until(ws, CNV) == LATER
    await presence.leave(ws, CNV, "s1", NOON)
    assert await presence.seen_until(ws, CNV) == LATER
    await presence.leave(ws, CNV, "s2", NOON)
    assert await presence.seen_until(ws, CNV) == NOON


async def test_a_stream_whose_gateway_died_keeps_nobody_there_for_long(
    presence: LookedAt, ws: WorkspaceId
) -> None:
    await presence.see(ws, CNV, "dead", NOON, SOON)
    await presence.see(ws, CNV, "s2", NOON, LATER)
    await presence.leave(ws, CNV, "s2", LATER)
    assert await presence.seen_until(ws, CNV) == LATER


async def test_conversations_are_seen_apart(presence: LookedAt, ws: WorkspaceId) -> None:
    await presence.see(ws, CNV, "s1", NOON, SOON)
    assert await presence.seen_until(ws, ConversationId("cnv_2")) is None
    assert await presence.seen_until(WorkspaceId(f"{ws}-2"), CNV) is None


# --- over HTTP -----------------------------------------------------------------------------------


async def test_a_visitors_stream_is_seen_while_it_is_open_and_left_when_it_closes(
    world: FakeWorld,
) -> None:
    await world.conversations.show(ACME, requested())
    world.times = StreamTimes(heartbeat_s=0.01, redis_retry_s=0.01)
    async with reading(world.app(), STREAM, bearer(world.visitor_token())) as reader:
        await reader.next()
        assert await world.visitors.seen_until(ACME, CNV) == NOON + SEEN_AHEAD
        world.now += timedelta(seconds=20)
        await reader.beats(8)
        assert await world.visitors.seen_until(ACME, CNV) == world.now + SEEN_AHEAD
    assert await world.visitors.seen_until(ACME, CNV) == world.now


async def test_nobody_elses_stream_shows_the_visitor(world: FakeWorld) -> None:
    await world.conversations.show(ACME, active())
    for credential in (ACME_KEY, world.agent_token()):
        async with reading(world.app(), STREAM, bearer(credential)) as reader:
            await reader.next()
    assert await world.visitors.seen_until(ACME, CNV) is None


async def test_a_stream_stays_while_nobody_can_be_told_that_it_does(world: FakeWorld) -> None:
    await world.conversations.show(ACME, requested())
    world.times = StreamTimes(heartbeat_s=0.01, redis_retry_s=0.01)
    async with reading(world.app(), STREAM, bearer(world.visitor_token())) as reader:
        await reader.next()
        world.visitors.is_unreachable = True
        await reader.beats(4)
        world.visitors.is_unreachable = False
        world.now += timedelta(seconds=30)
        await reader.beats(12)
        assert await world.visitors.seen_until(ACME, CNV) == world.now + SEEN_AHEAD


async def test_a_stream_that_cannot_be_noted_does_not_begin(world: FakeWorld) -> None:
    await world.conversations.show(ACME, requested())
    world.visitors.is_unreachable = True
    reader = StreamReader(world.app(), STREAM, bearer(world.visitor_token()))
    assert (await reader.start())["status"] == 503
    reader.leave()
