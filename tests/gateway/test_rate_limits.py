"""Limits: what every limiter promises, on the fake and on the real Redis Functions; and 429 over HTTP."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import httpx
import pytest
from redis.asyncio import Redis

from rondo_common.ids import WorkspaceId
from rondo_common.redis.keys import workspace_key
from rondo_gateway.adapters.redis_effects import gateway_functions
from rondo_gateway.adapters.redis_rate_limiter import RedisRateLimiter
from rondo_gateway.ports import Quota, RateLimiter
from tests.gateway.fake_rate_limiter import FakeRateLimiter
from tests.gateway.fake_world import ACME, ACME_KEY, CNV, NOON, FakeWorld, active, bearer, json_of

SHOP = "https://shop.example"
ROUND_ROBIN = {"route": {"type": "round_robin"}}


@pytest.fixture(params=["fake", "redis"])
def limiter(request: pytest.FixtureRequest, redis: Redis) -> RateLimiter:
    return FakeRateLimiter() if request.param == "fake" else RedisRateLimiter(gateway_functions(redis))


@pytest.fixture
def ws() -> WorkspaceId:
    return WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")


def quota(per_minute: int, subject: str = "ada", limit: str = "messages") -> Quota:
    return Quota(limit, subject, per_minute)


async def test_a_minutes_worth_may_be_taken_at_once_and_then_it_fills_evenly(
    limiter: RateLimiter, ws: WorkspaceId
) -> None:
    for _ in range(6):
        assert await limiter.take(ws, [quota(6)], NOON) is None
    assert await limiter.take(ws, [quota(6)], NOON) == (quota(6), 10_000)
    assert await limiter.take(ws, [quota(6)], NOON + timedelta(seconds=4)) == (quota(6), 6_000)
    assert await limiter.take(ws, [quota(6)], NOON + timedelta(seconds=10)) is None
    assert await limiter.take(ws, [quota(6)], NOON + timedelta(seconds=10)) is not None
    later = NOON + timedelta(seconds=600)
    taken = [await limiter.take(ws, [quota(6)], later) for _ in range(8)]
    assert [each is None for each in taken] == [True] * 6 + [False] * 2


async def test_a_refusal_costs_nothing(limiter: RateLimiter, ws: WorkspaceId) -> None:
    assert await limiter.take(ws, [quota(1)], NOON) is None
    for _ in range(50):
        assert await limiter.take(ws, [quota(1)], NOON) == (quota(1), 60_000)
    assert await limiter.take(ws, [quota(1)], NOON + timedelta(seconds=60)) is None


async def test_all_quotas_are_taken_or_none(limiter: RateLimiter, ws: WorkspaceId) -> None:
    mine, everybodys = quota(5), quota(1, "all", "workspace")
    assert await limiter.take(ws, [mine, everybodys], NOON) is None
    for _ in range(20):
        assert await limiter.take(ws, [mine, everybodys], NOON) == (everybodys, 60_000)
    taken = [await limiter.take(ws, [mine], NOON) for _ in range(5)]
    assert [each is None for each in taken] == [True] * 4 + [False]


async def test_subjects_limits_and_workspaces_are_counted_apart(
    limiter: RateLimiter, ws: WorkspaceId
) -> None:
    assert await limiter.take(ws, [quota(1)], NOON) is None
    assert await limiter.take(ws, [quota(1, "bob")], NOON) is None
    assert await limiter.take(ws, [quota(1, limit="sessions")], NOON) is None
    assert await limiter.take(WorkspaceId(f"{ws}-2"), [quota(1)], NOON) is None
    assert await limiter.take(ws, [quota(1)], NOON) is not None


async def test_as_many_as_there_are_and_no_more_whoever_asks_at_once(
    limiter: RateLimiter, ws: WorkspaceId
) -> None:
    taken = await asyncio.gather(*(limiter.take(ws, [quota(30)], NOON) for _ in range(100)))
    assert taken.count(None) == 30


async def test_a_quota_that_is_full_again_is_forgotten(redis: Redis, ws: WorkspaceId) -> None:
    limiter = RedisRateLimiter(gateway_functions(redis))
    await limiter.take(ws, [quota(2)], NOON)
    left_ms = await redis.pttl(workspace_key(ws, "limit", "messages", "ada"))
    assert 0 < left_ms <= 30_000


# --- over HTTP -----------------------------------------------------------------------------------


async def post(http: httpx.AsyncClient, credential: str, number: int) -> httpx.Response:
    message = {"client_message_id": str(number), "text": "hej"}
    path = f"/v1/conversations/{CNV}/messages"
    return await http.post(path, headers=bearer(credential), json=message)


async def test_a_visitor_who_writes_too_much_is_told_when_to_go_on(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    await world.settle(rate_limits={"visitor_messages_per_minute": 3})
    token = world.visitor_token()
    assert [(await post(http, token, n)).status_code for n in range(4)] == [201, 201, 201, 429]
    refused = await post(http, token, 4)
    assert json_of(refused, 429)["type"] == "urn:rondo:error:limit-reached"
    assert refused.headers["retry-after"] == "20"
    assert len(world.log.events) == 3
    for credential in (world.agent_token(), ACME_KEY):
        assert (await post(http, credential, 5)).status_code == 201
    world.now += timedelta(seconds=20)
    assert (await post(http, token, 4)).status_code == 201


async def test_a_backend_has_a_limit_when_one_is_set(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await world.conversations.show(ACME, active())
    limits = {"backend_messages_per_minute": 1, "backend_chat_requests_per_minute": 2}
    await world.settle(rate_limits=limits)
    assert [(await post(http, ACME_KEY, n)).status_code for n in range(2)] == [201, 429]
    asked = [
        (await http.post("/v1/conversations", headers=bearer(ACME_KEY), json=ROUND_ROBIN)).status_code
        for _ in range(3)
    ]
    assert asked == [202, 202, 429]


async def test_without_a_limit_nobody_counts(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await world.conversations.show(ACME, active())
    await world.settle(rate_limits={"visitor_messages_per_minute": 0})
    world.limiter.is_unreachable = True
    assert (await post(http, world.visitor_token(), 1)).status_code == 201


async def test_by_default_two_hundred_chats_and_their_talk_meet_no_limit(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    token = world.visitor_token()
    statuses = {(await post(http, token, n)).status_code for n in range(300)}
    asked = await asyncio.gather(
        *(http.post("/v1/conversations", headers=bearer(ACME_KEY), json=ROUND_ROBIN) for _ in range(200))
    )
    assert statuses == {201}
    assert {each.status_code for each in asked} == {202}


async def test_sessions_are_limited_by_address_and_chats_by_visitor_and_workspace(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    limits = {
        "address_sessions_per_minute": 3,
        "visitor_chat_requests_per_minute": 1,
        "widget_chat_requests_per_minute": 2,
    }
    await world.settle(allowed_origins=[SHOP], rate_limits=limits)
    begun = [await _begin(http, world) for _ in range(4)]
    assert [each.status_code for each in begun] == [201, 201, 201, 429]
    assert begun[-1].headers["access-control-allow-origin"] == SHOP
    tokens = [each.json()["visitor_token"] for each in begun[:3]]
    asked = [await _ask(http, token) for token in (tokens[0], tokens[0], tokens[1], tokens[2])]
    assert [each.status_code for each in asked] == [202, 429, 202, 429]
    assert "visitor_chat_requests_per_minute" in asked[1].json()["detail"]
    assert "widget_chat_requests_per_minute" in asked[3].json()["detail"]


async def _begin(http: httpx.AsyncClient, world: FakeWorld) -> httpx.Response:
    body = {"site_key": world.workspace().site_key}
    return await http.post("/v1/visitor_sessions", headers={"Origin": SHOP}, json=body)


async def _ask(http: httpx.AsyncClient, token: str) -> httpx.Response:
    headers = {"Origin": SHOP, **bearer(token)}
    return await http.post("/v1/conversations", headers=headers, json=ROUND_ROBIN)
