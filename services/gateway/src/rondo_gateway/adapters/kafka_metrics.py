"""Live metrics from their topic: every gateway follows all of it, without a group, into its memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from rondo_common.clock import Clock, milliseconds
from rondo_common.envelope import decode
from rondo_common.errors import Rejected, Unavailable
from rondo_common.events import WorkspaceMetrics
from rondo_common.ids import WorkspaceId
from rondo_common.kafka.partitioning import partition_of
from rondo_common.topics import METRICS
from rondo_gateway.domain.metrics_board import BEFORE_THE_LOG, MetricsBoard, MetricsWindow, Posted

Result = TypeVar("Result")

log = structlog.get_logger(__name__)

KEPT = timedelta(minutes=15)
"""How far back a gateway reads when it starts."""
RETRY_DELAY_S = 0.5
POLL_TIMEOUT_MS = 500
BATCH_MAX = 5_000
CATCH_UP_TIMEOUT_S = 4.0


class KafkaLiveMetrics:
    """See :class:`rondo_gateway.ports.LiveMetrics`. Makes its consumer when it runs, and closes it."""

    def __init__(self, make_consumer: Callable[[], AIOKafkaConsumer], clock: Clock) -> None:
        self._make_consumer = make_consumer
        self._clock = clock
        self._board = MetricsBoard()
        self._partitions = [TopicPartition(METRICS.name, number) for number in range(METRICS.partitions)]
        self._begun_after = dict.fromkeys(range(METRICS.partitions), BEFORE_THE_LOG)
        self._last = dict(self._begun_after)
        self._caught_up = asyncio.Event()
        self._bells: dict[WorkspaceId, set[asyncio.Event]] = {}

    # -- the port -------------------------------------------------------------------------------

    async def windows(self, workspace_id: WorkspaceId) -> list[MetricsWindow]:
        """See :class:`LiveMetrics`."""
        await self._ready()
        return self._board.windows(workspace_id)

    async def last_offset(self, workspace_id: WorkspaceId) -> int:
        """See :class:`LiveMetrics`."""
        await self._ready()
        return self._last[partition_of(METRICS, workspace_id, "")]

    async def after(self, workspace_id: WorkspaceId, offset: int) -> list[Posted] | None:
        """See :class:`LiveMetrics`."""
        await self._ready()
        if offset < self._begun_after[partition_of(METRICS, workspace_id, "")]:
            return None
        return self._board.after(workspace_id, offset)

    @contextlib.asynccontextmanager
    async def listen(self, workspace_id: WorkspaceId) -> AsyncIterator[asyncio.Event]:
        """See :class:`LiveMetrics`."""
        with self._bell(workspace_id) as bell:
            yield bell

    @contextlib.contextmanager
    def _bell(self, workspace_id: WorkspaceId) -> Iterator[asyncio.Event]:
        bell = asyncio.Event()
        bells = self._bells.setdefault(workspace_id, set())
        bells.add(bell)
        try:
            yield bell
        finally:
            bells.discard(bell)
            if not bells and self._bells.get(workspace_id) is bells:
                del self._bells[workspace_id]

    async def _ready(self) -> None:
        try:
            async with asyncio.timeout(CATCH_UP_TIMEOUT_S):
                await self._caught_up.wait()
        except TimeoutError:
            raise Unavailable("kafka", "the live metrics are not read yet") from None

    # -- following the topic ----------------------------------------------------------------------

    async def run(self) -> None:
        """Follow the topic until cancelled."""
        consumer = self._make_consumer()
        try:
            await self._retrying(consumer.start)
            consumer.assign(self._partitions)
            ends = await self._retrying(partial(self._seek, consumer))
            while True:
                await self._retrying(partial(self._turn, consumer))
                if not self._caught_up.is_set() and await self._is_at(consumer, ends):
                    self._caught_up.set()
        finally:
            await consumer.stop()

    async def _seek(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        """Go back as far as windows are kept; the ends of the partitions now."""
        since_ms = milliseconds(self._clock() - KEPT)
        ends: dict[TopicPartition, int] = await consumer.end_offsets(self._partitions)
        found = await consumer.offsets_for_times(dict.fromkeys(self._partitions, since_ms))
        for partition in self._partitions:
            first = found[partition]
            offset = ends[partition] if first is None else first.offset
            consumer.seek(partition, offset)
            self._begun_after[partition.partition] = self._last[partition.partition] = offset - 1
        return ends

    async def _turn(self, consumer: AIOKafkaConsumer) -> None:
        batches = await consumer.getmany(timeout_ms=POLL_TIMEOUT_MS, max_records=BATCH_MAX)
        for records in batches.values():
            for record in records:
                self._take(record)

    def _take(self, record: ConsumerRecord) -> None:
        self._last[record.partition] = record.offset
        try:
            envelope = decode(record.headers, record.value)
        except Rejected as error:
            log.warning("metrics_skipped", offset=record.offset, reason=str(error))
            return
        if isinstance(envelope.event, WorkspaceMetrics):
            self._board.post(envelope.workspace_id, envelope.id, envelope.event, record.offset)
            for bell in self._bells.get(envelope.workspace_id, ()):
                bell.set()

    async def _is_at(self, consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
        return all([await consumer.position(each) >= end for each, end in ends.items()])

    async def _retrying(self, action: Callable[[], Awaitable[Result]]) -> Result:
        while True:
            try:
                return await action()
            except KafkaError as error:
                log.warning("metrics_unreachable", reason=repr(error))
                await asyncio.sleep(RETRY_DELAY_S)
