"""A consumer in memory, with as much of aiokafka's behaviour as the consumer loop relies on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import IllegalStateError


class FakeConsumer:
    """Stands in for an ``AIOKafkaConsumer``. ``log`` is what the broker has; the test is the group.

    While ``answers`` is cleared, fetches hang.
    """

    def __init__(self) -> None:
        self.log: dict[TopicPartition, list[ConsumerRecord]] = {}
        self.committed: dict[TopicPartition, int] = {}
        self.commits = 0
        self.paused_now: set[TopicPartition] = set()
        self.paused_ever: set[TopicPartition] = set()
        self.topics: list[str] = []
        self.started = False
        self.stopped = False
        self.fetches = 0
        self.start_errors: list[Exception] = []
        self.getmany_error: Exception | None = None
        self.answers = asyncio.Event()
        self.answers.set()
        self.commit_errors: list[Exception] = []
        self._positions: dict[TopicPartition, int] = {}
        self._listener: ConsumerRebalanceListener | None = None
        self._changed = asyncio.Event()

    # -- what the test does ---------------------------------------------------------------------

    def put(self, *records: ConsumerRecord) -> None:
        """Append to the log, as a producer would."""
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            self.log.setdefault(partition, []).append(record)
        self._changed.set()

    async def assign(self, *partitions: TopicPartition) -> None:
        """Give partitions, as the group's coordinator would."""
        assert self._listener is not None, "not subscribed yet"
        for partition in partitions:
            self._positions[partition] = self.committed.get(partition, 0)
            self.paused_now.discard(partition)
        await self._listener.on_partitions_assigned(set(partitions))
        self._changed.set()

    async def revoke(self, *partitions: TopicPartition) -> None:
        """Take partitions away; as with aiokafka, they count as assigned until the listener is done."""
        assert self._listener is not None, "not subscribed yet"
        await self._listener.on_partitions_revoked(set(partitions))
        for partition in partitions:
            self._positions.pop(partition, None)

    def fail(self, error: Exception) -> None:
        """Let the next fetch raise."""
        self.getmany_error = error
        self._changed.set()

    # -- what the loop calls --------------------------------------------------------------------

    def subscribe(self, *, topics: Sequence[str], listener: ConsumerRebalanceListener) -> None:
        self.topics = list(topics)
        self._listener = listener

    async def start(self) -> None:
        if self.start_errors:
            raise self.start_errors.pop(0)
        self.started = True

    async def stop(self) -> None:
        self.stopped = True

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        self.fetches += 1
        await self.answers.wait()
        self._changed.clear()
        batches = self._fetch(max_records)
        if not batches and self.getmany_error is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_ms / 1000):
                    await self._changed.wait()
            batches = self._fetch(max_records)
        else:
            await asyncio.sleep(0)
        if self.getmany_error is not None:
            raise self.getmany_error
        return batches

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.commits += 1
        await asyncio.sleep(0)
        if self.commit_errors:
            raise self.commit_errors.pop()
        for partition in offsets:
            self._check_assigned(partition)
        self.committed.update(offsets)

    def highwater(self, partition: TopicPartition) -> int | None:
        log = self.log.get(partition)
        return log[-1].offset + 1 if log else None

    def pause(self, *partitions: TopicPartition) -> None:
        for partition in partitions:
            self._check_assigned(partition)
        self.paused_now.update(partitions)
        self.paused_ever.update(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        for partition in partitions:
            self._check_assigned(partition)
        self.paused_now.difference_update(partitions)
        self._changed.set()

    # -- inside ---------------------------------------------------------------------------------

    def _fetch(self, max_records: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        batches: dict[TopicPartition, list[ConsumerRecord]] = {}
        for partition, position in self._positions.items():
            if partition in self.paused_now or max_records <= 0:
                continue
            fetched = self.log.get(partition, [])[position : position + max_records]
            if fetched:
                batches[partition] = fetched
                self._positions[partition] = fetched[-1].offset + 1
                max_records -= len(fetched)
        return batches

    def _check_assigned(self, partition: TopicPartition) -> None:
        if partition not in self._positions:
            raise IllegalStateError(f"{partition} is not assigned")
