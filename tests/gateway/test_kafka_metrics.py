"""The gateway's live metrics on a real Kafka: from the topic to the board."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from rondo_common.envelope import Envelope
from rondo_common.events import Event, WorkspaceMetrics
from rondo_common.ids import WorkspaceId, new_event_id
from rondo_common.kafka.connection import KafkaConnection, make_producer, make_reader
from rondo_common.kafka.publisher import KafkaPublisher, outgoing
from rondo_common.kafka.topic_admin import create_topics
from rondo_common.topics import TOPICS
from rondo_gateway.adapters.kafka_metrics import KafkaLiveMetrics

DEADLINE_S = 60.0


@pytest.fixture
async def kafka(kafka_bootstrap: str) -> KafkaConnection:
    """A broker that has the topics."""
    connection = KafkaConnection(kafka_bootstrap, client_id="gateway-tests")
    await create_topics(connection, TOPICS, replication_factor=1)
    return connection


@contextlib.asynccontextmanager
async def following(kafka: KafkaConnection) -> AsyncIterator[KafkaLiveMetrics]:
    """A gateway's reader of the topic, running."""
    metrics = KafkaLiveMetrics(lambda: make_reader(kafka), lambda: datetime.now(UTC))
    running = asyncio.create_task(metrics.run())
    try:
        yield metrics
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def tell(kafka: KafkaConnection, workspace_id: WorkspaceId, *requested: int) -> list[int]:
    """Tell a window with so many requests each, ten seconds apart; their offsets."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    publisher = KafkaPublisher(
        lambda: make_producer(kafka, request_timeout_ms=60_000), deadline_s=DEADLINE_S
    )
    records = []
    for number, count in enumerate(requested):
        metrics = WorkspaceMetrics(
            window_start=start + timedelta(seconds=10 * number),
            window_end=start + timedelta(seconds=10 * number + 10),
            requested=count,
            service_level_s=30.0,
        )
        envelope = Envelope(new_event_id(), "/rondo/live-metrics", start, workspace_id, metrics)
        records.append(outgoing(cast("Envelope[Event]", envelope), workspace_id))
    written = await publisher.publish(records)
    await publisher.stop()
    return [each.offset for each in written]


async def test_every_gateway_has_the_last_windows_also_those_told_before_it_began(
    kafka: KafkaConnection,
) -> None:
    workspace_id = WorkspaceId(f"ws-{uuid.uuid4().hex}")
    offsets = await tell(kafka, workspace_id, 1, 2)
    async with following(kafka) as one, following(kafka) as other, asyncio.timeout(DEADLINE_S):
        for each in (one, other):
            assert [window.requested for window in await each.windows(workspace_id)] == [1, 2]
            assert await each.last_offset(workspace_id) >= offsets[-1]
            behind = await each.after(workspace_id, offsets[0])
            assert behind is not None
            assert [posted.offset for posted in behind] == offsets[1:]


async def test_a_bell_rings_for_each_new_window_and_a_correction_takes_its_place(
    kafka: KafkaConnection,
) -> None:
    workspace_id = WorkspaceId(f"ws-{uuid.uuid4().hex}")
    async with following(kafka) as metrics, asyncio.timeout(DEADLINE_S):
        assert await metrics.windows(workspace_id) == []
        async with metrics.listen(workspace_id) as bell:
            await tell(kafka, workspace_id, 3)
            await bell.wait()
            bell.clear()
            await tell(kafka, workspace_id, 4)
            await bell.wait()
        assert [window.requested for window in await metrics.windows(workspace_id)] == [4]


async def test_an_offset_from_before_the_windows_that_are_read_cannot_be_gone_on_from(
    kafka: KafkaConnection,
) -> None:
    workspace_id = WorkspaceId(f"ws-{uuid.uuid4().hex}")
    await tell(kafka, workspace_id, 1)
    async with following(kafka) as metrics, asyncio.timeout(DEADLINE_S):
        assert await metrics.after(workspace_id, -2) is None
