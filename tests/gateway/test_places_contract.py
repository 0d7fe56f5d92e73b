"""What the giving of places promises, on the fake and on the real Redis Function."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from rondo_common.ids import WorkspaceId
from rondo_gateway.adapters.redis_effects import gateway_functions
from rondo_gateway.adapters.redis_places import RedisPlaces, last_place_key
from rondo_gateway.ports import Places
from tests.gateway.fake_places import FakePlaces


@dataclass
class Subject:
    """The places of two gateways, and what makes both forget."""

    one: Places
    other: Places
    forget: Callable[[], Awaitable[object]]


@pytest.fixture
def ws() -> WorkspaceId:
    return WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")


@pytest.fixture(params=["fake", "redis"])
def places(request: pytest.FixtureRequest, redis: Redis, ws: WorkspaceId) -> Subject:
    if request.param == "redis":
        one, other = (RedisPlaces(gateway_functions(redis)) for _ in range(2))
        return Subject(one, other, lambda: redis.delete(last_place_key(ws)))
    fake = FakePlaces()

    async def forget() -> None:
        fake.forget()

    return Subject(fake, fake, forget)


async def test_who_does_not_know_what_was_given_gives_nothing(places: Subject, ws: WorkspaceId) -> None:
    assert await places.one.next(ws, 7) is None
    assert await places.one.begin(ws, 7) == 8
    assert await places.other.next(ws, 0) == 9
    assert await places.other.next(WorkspaceId(f"{ws}-another"), 0) is None


async def test_a_place_is_greater_than_all_before_and_than_the_caller_knows(
    places: Subject, ws: WorkspaceId
) -> None:
    assert await places.one.begin(ws, 0) == 1
    assert await places.one.next(ws, 40) == 41
    assert await places.other.next(ws, 3) == 42
    assert await places.other.begin(ws, 3) == 43


async def test_places_given_at_once_at_two_gateways_differ(places: Subject, ws: WorkspaceId) -> None:
    await places.one.begin(ws, 0)
    gateways = [places.one, places.other]
    given = await asyncio.gather(*(gateways[number % 2].next(ws, 0) for number in range(200)))
    assert sorted(each or 0 for each in given) == list(range(2, 202))


async def test_after_a_loss_the_log_stands_in(places: Subject, ws: WorkspaceId) -> None:
    for _ in range(3):
        last = await places.one.begin(ws, 10)
    await places.forget()
    assert await places.one.next(ws, last) is None
    assert await places.one.begin(ws, last) == last + 1
