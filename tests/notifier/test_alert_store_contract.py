"""What the store of alerts promises, shown on the fake and on the real Redis Functions alike."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from rondo_common.errors import Fenced
from rondo_common.ids import WorkspaceId
from rondo_notifier.adapters.redis_alerts import RedisAlerts, partition_of_alert
from rondo_notifier.domain.alerts import Alert, confirmed, ticked
from rondo_notifier.ports import AlertName, AlertStore
from tests.notifier.alert_offers import ALL, CNV, alert
from tests.notifier.fake_alert_store import FakeAlertStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["fake", "redis"])
def store(request: pytest.FixtureRequest, redis: Redis) -> AlertStore:
    return FakeAlertStore() if request.param == "fake" else RedisAlerts(redis)


@pytest.fixture
def fresh() -> Alert:
    return alert(NOON, ALL, WorkspaceId(f"w-{uuid.uuid4().hex[:12]}"))


def name_of(found: Alert) -> AlertName:
    return AlertName(found.workspace_id, found.record.id)


async def test_an_alert_is_kept_as_it_is_with_what_is_not_told_yet(store: AlertStore, fresh: Alert) -> None:
    assert await store.load([name_of(fresh)]) == [None]
    assert await store.latest([(fresh.workspace_id, CNV)]) == [None]
    assert await store.put([fresh]) == [1]
    assert await store.load([name_of(fresh)]) == [replace(fresh, version=1)]
    assert await store.latest([(fresh.workspace_id, CNV)]) == [name_of(fresh)]


async def test_of_two_changes_to_one_version_one_takes_effect(store: AlertStore, fresh: Alert) -> None:
    await store.put([fresh])
    with pytest.raises(Fenced):
        await store.put([fresh])
    read = replace(fresh, version=1)
    changed = ticked(confirmed(read), NOON + timedelta(seconds=5))
    assert await store.put([changed]) == [2]
    with pytest.raises(Fenced):
        await store.put([confirmed(read)])
    assert await store.load([name_of(fresh)]) == [replace(changed, version=2)]


async def test_the_latest_alert_of_a_conversation_is_the_one_begun_last(
    store: AlertStore, fresh: Alert
) -> None:
    second = alert(NOON, ALL, fresh.workspace_id, offer_id="offer-2")
    await store.put([fresh])
    await store.put([second])
    await store.put([replace(fresh, version=1)])
    assert await store.latest([(fresh.workspace_id, CNV)]) == [name_of(second)]


async def test_what_is_due_is_found_by_its_partition_until_nothing_is(
    store: AlertStore, fresh: Alert
) -> None:
    partition = partition_of_alert(fresh)
    await store.remember([(fresh, NOON)])
    assert name_of(fresh) not in await store.due(partition, NOON - timedelta(seconds=1), 10_000)
    assert name_of(fresh) in await store.due(partition, NOON, 10_000)
    assert name_of(fresh) not in await store.due(partition + 1, NOON, 10_000)
    await store.remember([(fresh, NOON + timedelta(hours=1))])
    assert name_of(fresh) not in await store.due(partition, NOON, 10_000)
    await store.remember([(fresh, NOON)])
    await store.drop(partition, [name_of(fresh)])
    assert name_of(fresh) not in await store.due(partition, NOON, 10_000)
    await store.remember([(fresh, NOON), (fresh, None)])
    assert name_of(fresh) not in await store.due(partition, NOON, 10_000)


async def test_a_partition_is_known_once_it_was_noted(store: AlertStore) -> None:
    partition = 1_000_000 + uuid.uuid4().int % 1_000_000
    assert not await store.is_known(partition)
    await store.note_known(partition)
    assert await store.is_known(partition)
