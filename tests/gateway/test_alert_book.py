"""Alerts as the notifier keeps them, read by the gateway on a real Redis."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from rondo_common.alerts import AlertState
from rondo_common.ids import AlertId, WorkspaceId
from rondo_common.redis.doorbells import Doorbells
from rondo_gateway.adapters.redis_alerts import RedisAlertBook
from rondo_notifier.adapters.redis_alerts import RedisAlerts
from rondo_notifier.domain.alerts import acknowledged
from rondo_notifier.ports import AlertName
from tests.notifier.alert_offers import ALL, GRACE, alert

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WAIT_S = 20.0


@pytest.fixture
async def doorbells(redis: Redis) -> AsyncIterator[Doorbells]:
    bells = Doorbells(redis)
    listening = asyncio.create_task(bells.run())
    async with asyncio.timeout(WAIT_S):
        while not bells.is_connected:
            await asyncio.sleep(0.01)
    yield bells
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening


async def test_an_alert_is_read_and_its_change_is_heard(redis: Redis, doorbells: Doorbells) -> None:
    store, book = RedisAlerts(redis), RedisAlertBook(redis, doorbells)
    workspace_id = WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")
    older = alert(NOON - timedelta(minutes=1), ALL, workspace_id, offer_id="offer-0")
    fresh = alert(NOON, ALL, workspace_id)
    await store.put([older, fresh])
    assert await book.of_agent(workspace_id, GRACE.id) == [fresh.record, older.record]
    assert await book.of_agent(WorkspaceId("another"), GRACE.id) == []
    assert await book.find(workspace_id, AlertId("alr_none")) is None
    async with book.watched(workspace_id, fresh.record.id) as change:
        assert await change(fresh.record, 0.01) == fresh.record
        waiting = asyncio.ensure_future(change(fresh.record, WAIT_S))
        (kept,) = await store.load([AlertName(workspace_id, fresh.record.id)])
        assert kept is not None
        await store.put([acknowledged(kept, NOON)])
        assert (await waiting).state is AlertState.ACKNOWLEDGED
