"""What the desk for webhooks promises, shown on the fake and on the real Redis alike."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from rondo_common.ids import EventId, WebhookId, WorkspaceId
from rondo_common.webhooks import (
    DeliveryRecord,
    DeliveryState,
    Reread,
    asked_key,
    order_key,
    records_key,
    share_of,
    state_key,
    touched_key,
)
from rondo_gateway.adapters.redis_webhooks import RedisWebhookDesk
from rondo_gateway.ports import EndpointState, WebhookDesk
from tests.gateway.fake_webhook_desk import FakeWebhookDesk

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CRM = WebhookId("crm")
Fill = Callable[[WorkspaceId, list[DeliveryRecord]], Awaitable[None]]


@pytest.fixture
def workspace_id() -> WorkspaceId:
    return WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")


@pytest.fixture(params=["fake", "redis"])
def desk_and_fill(request: pytest.FixtureRequest, redis: Redis) -> tuple[WebhookDesk, Fill]:
    fake, client = FakeWebhookDesk(), _client(redis)

    async def fill_fake(workspace_id: WorkspaceId, records: list[DeliveryRecord]) -> None:
        fake.records[workspace_id, CRM] += records

    async def fill_redis(workspace_id: WorkspaceId, records: list[DeliveryRecord]) -> None:
        for number, each in enumerate(records, start=1):
            await client.zadd(order_key(workspace_id, CRM), {each.id: number})
            await client.hset(records_key(workspace_id, CRM), each.id, each.model_dump_json())

    if request.param == "fake":
        return fake, fill_fake
    return RedisWebhookDesk(redis), fill_redis


def _client(redis: Redis) -> Any:
    return redis


def record(number: int, state: DeliveryState = DeliveryState.DELIVERED) -> DeliveryRecord:
    return DeliveryRecord(
        id=EventId(f"e-{number}"),
        event_type="message.posted",
        conversation_id=None,
        state=state,
        created_at=NOON,
        body="{}",
    )


async def pages(
    desk: WebhookDesk, workspace_id: WorkspaceId, limit: int, state: DeliveryState | None = None
) -> list[list[str]]:
    found: list[list[str]] = []
    before = None
    while True:
        page, before = await desk.deliveries(workspace_id, CRM, state=state, limit=limit, before=before)
        found.append([each.id for each in page])
        if before is None:
            return found


async def test_an_endpoint_without_deliveries_has_none(
    desk_and_fill: tuple[WebhookDesk, Fill], workspace_id: WorkspaceId
) -> None:
    desk, _ = desk_and_fill
    assert await desk.states(workspace_id, [CRM]) == [EndpointState()]
    assert await pages(desk, workspace_id, 10) == [[]]


@pytest.mark.parametrize(("count", "limit"), [(7, 3), (6, 3), (250, 200), (200, 100), (101, 200)])
async def test_pages_tell_of_every_delivery_once_the_newest_first(
    desk_and_fill: tuple[WebhookDesk, Fill], workspace_id: WorkspaceId, count: int, limit: int
) -> None:
    desk, fill = desk_and_fill
    await fill(workspace_id, [record(number) for number in range(count)])
    told = await pages(desk, workspace_id, limit)
    assert [each for page in told for each in page] == [f"e-{number}" for number in reversed(range(count))]
    assert all(len(page) == limit for page in told[:-1])


async def test_a_state_is_found_however_rare_it_is(
    desk_and_fill: tuple[WebhookDesk, Fill], workspace_id: WorkspaceId
) -> None:
    desk, fill = desk_and_fill
    rare = {0, 120, 249}
    states = [DeliveryState.FAILED if each in rare else DeliveryState.DELIVERED for each in range(250)]
    await fill(workspace_id, [record(number, state) for number, state in enumerate(states)])
    assert await pages(desk, workspace_id, 2, DeliveryState.FAILED) == [["e-249", "e-120"], ["e-0"]]


async def test_one_replay_is_asked_for_at_a_time(
    desk_and_fill: tuple[WebhookDesk, Fill], workspace_id: WorkspaceId
) -> None:
    desk, _ = desk_and_fill
    reread = Reread(since=NOON, until=NOON + timedelta(hours=1))
    assert await desk.ask_for_replay(workspace_id, CRM, reread)
    assert not await desk.ask_for_replay(workspace_id, CRM, reread.model_copy())


async def test_the_notifier_finds_in_redis_what_it_is_asked_and_hears_of_it(
    redis: Redis, workspace_id: WorkspaceId
) -> None:
    desk, client = RedisWebhookDesk(redis), _client(redis)
    touched = touched_key(share_of(workspace_id, CRM))
    reread = Reread(since=NOON, until=NOON)
    await desk.ask_for_test(workspace_id, CRM, EventId("t-1"))
    await desk.ask_for_replay(workspace_id, CRM, reread)
    asked = await client.hgetall(asked_key(workspace_id, CRM))
    assert asked == {"test:t-1": "", "replay": reread.model_dump_json()}
    await client.srem(touched, f"{workspace_id}/crm")
    await desk.ask_for_replay(workspace_id, CRM, reread)  # It may have been unheard: it is told again.
    assert await client.sismember(touched, f"{workspace_id}/crm")


async def test_what_the_notifier_says_of_an_endpoint_is_read(
    redis: Redis, workspace_id: WorkspaceId
) -> None:
    fields = {"failing_since": round(NOON.timestamp() * 1000), "given_up": "a-1"}
    await _client(redis).hset(state_key(workspace_id, CRM), mapping=fields)
    states = await RedisWebhookDesk(redis).states(workspace_id, [WebhookId("other"), CRM])
    assert states == [EndpointState(), EndpointState(NOON, EventId("a-1"))]
