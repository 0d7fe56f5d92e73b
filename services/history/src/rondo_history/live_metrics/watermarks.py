"""Telling how far the topics are read, so that windows can be closed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import cast

import structlog
from aiokafka.errors import KafkaError
from faust import App
from faust.transport.consumer import Consumer
from faust.types import TP

from rondo_common.clock import Clock, milliseconds
from rondo_common.errors import Unavailable
from rondo_common.kafka.publisher import Publisher
from rondo_common.topics import CHAT_REQUESTS, CONVERSATIONS
from rondo_history.domain.live_metrics import window_of
from rondo_history.live_metrics.entries import source_of, watermark_records
from rondo_history.live_metrics.forwarder import Forwarder

log = structlog.get_logger(__name__)

GRACE_MS = 2_000
"""How long an event may take from its time into the log. One that takes longer is a correction."""
INTERVAL_S = 0.5
KAFKA_TIMEOUT_S = 10.0


class Watermarks:
    """Says of each partition that is read to its end: all that happened until a moment ago is forwarded."""

    def __init__(self, app: App, forwarder: Forwarder, publisher: Publisher, clock: Clock) -> None:
        self._app = app
        self._forwarder = forwarder
        self._publisher = publisher
        self._clock = clock
        self._said: dict[TP, int] = {}
        self._is_open = False

    def open(self) -> None:
        """Partitions are assigned, and read on."""
        self._said.clear()
        self._is_open = True

    def close(self) -> None:
        """Partitions go: say no more of them."""
        self._is_open = False

    async def run(self) -> None:
        """Say what there is to say, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            if self._is_open:
                try:
                    async with asyncio.timeout(KAFKA_TIMEOUT_S):
                        await self._say()
                except (KafkaError, Unavailable, TimeoutError) as error:
                    # Windows wait: whoever cannot see how far the topics go must not close any.
                    log.warning("watermark_not_told", reason=repr(error))

    async def _say(self) -> None:
        now_ms = milliseconds(self._clock())
        until_ms = window_of(now_ms - GRACE_MS)
        due = [each for each in self._assigned() if self._said.get(each, 0) < until_ms]
        if not due:
            return
        # What is in the log by now is below these offsets; what happened before ``until_ms`` is in the log.
        ends = await self._app.consumer.highwaters(*due)
        begins = await self._app.consumer.earliest_offsets(*due)
        for each in due:
            if not self._is_open:
                return
            if self._forwarded(each, begins.get(each) or 0) >= (ends.get(each) or 0):
                await self._publisher.publish(watermark_records(source_of(*each), until_ms))
                self._said[each] = until_ms

    def _assigned(self) -> Iterable[TP]:
        topics = (CHAT_REQUESTS.name, CONVERSATIONS.name)
        return sorted(each for each in self._app.consumer.assignment() if each.topic in topics)

    def _forwarded(self, partition: TP, begin: int) -> int:
        """Everything below this offset is forwarded."""
        forwarded = self._forwarder.next_offsets.get(partition)
        if forwarded is not None:
            return forwarded
        # Nothing came since the partition was assigned: what was committed then was forwarded.
        consumer = cast("Consumer", self._app.consumer)
        committed = consumer._committed_offset[partition]  # noqa: SLF001 - Faust asked the broker already
        return max(begin, committed or 0)
