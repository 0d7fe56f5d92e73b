"""The consumer loop's metrics: what its handler does, what it buries, and how far behind it is."""

from __future__ import annotations

import time
from collections.abc import Sequence

from aiokafka import ConsumerRecord, TopicPartition

from rondo_common.kafka.consumer import ConsumerLoop
from rondo_common.kafka.handler import DeadLetters, Handler
from rondo_common.kafka.records import Record
from rondo_common.meter import Meter
from rondo_common.metrics import (
    ASSIGNED_PARTITIONS,
    BATCH_DURATION,
    BLOCKED_PARTITIONS,
    CONSUMER_LAG,
    DEAD_LETTERS_BURIED,
    HANDLED_RECORDS,
)
from rondo_common.topics import Topic


class LoopMeter:
    """Measures every consumer loop of one process, by its group."""

    def __init__(self, meter: Meter) -> None:
        self._loops: dict[str, ConsumerLoop] = {}
        self._handled = meter.counter(HANDLED_RECORDS)
        self._durations = meter.histogram(BATCH_DURATION)
        self._buried = meter.counter(DEAD_LETTERS_BURIED)
        meter.gauge(CONSUMER_LAG, self._lags)
        meter.gauge(
            BLOCKED_PARTITIONS,
            lambda: [((group,), len(loop.blocked())) for group, loop in self._loops.items()],
        )
        meter.gauge(
            ASSIGNED_PARTITIONS,
            lambda: [((group,), loop.assigned_count) for group, loop in self._loops.items()],
        )

    def handler(self, group: str, topics: Sequence[Topic], handler: Handler) -> Handler:
        """``handler``, measured."""
        for topic in topics:
            self._handled.labels(group, topic.name)
        return _MeteredHandler(handler, group, self)

    def dead_letters(self, group: str, topics: Sequence[Topic], dead_letters: DeadLetters) -> DeadLetters:
        """``dead_letters``, counted."""
        for topic in topics:
            self._buried.labels(group, topic.name)
        return _CountedDeadLetters(dead_letters, group, self)

    def watch(self, group: str, loop: ConsumerLoop) -> None:
        """Show how ``loop`` is."""
        self._loops[group] = loop

    def handled(self, group: str, topic: str, count: int, duration_s: float) -> None:
        """A batch was handled."""
        self._handled.labels(group, topic).inc(count)
        self._durations.labels(group).observe(duration_s)

    def buried(self, group: str, topic: str) -> None:
        """A record was put aside."""
        self._buried.labels(group, topic).inc()

    def _lags(self) -> list[tuple[tuple[str, ...], float]]:
        return [
            ((group, partition.topic, str(partition.partition)), lag)
            for group, loop in self._loops.items()
            for partition, lag in loop.lags().items()
        ]


class _MeteredHandler:
    """A :class:`Handler` that is measured."""

    def __init__(self, handler: Handler, group: str, meter: LoopMeter) -> None:
        self._handler = handler
        self._group = group
        self._meter = meter
        self.assigned = handler.assigned
        self.revoked = handler.revoked

    async def handle(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        """See :class:`Handler`."""
        began = time.perf_counter()
        await self._handler.handle(partition, records)
        self._meter.handled(self._group, partition.topic, len(records), time.perf_counter() - began)


class _CountedDeadLetters:
    """:class:`DeadLetters` that are counted."""

    def __init__(self, dead_letters: DeadLetters, group: str, meter: LoopMeter) -> None:
        self._dead_letters = dead_letters
        self._group = group
        self._meter = meter

    async def bury(self, raw: ConsumerRecord, reason: str) -> None:
        """See :class:`DeadLetters`."""
        await self._dead_letters.bury(raw, reason)
        self._meter.buried(self._group, raw.topic)
