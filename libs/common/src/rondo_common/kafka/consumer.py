"""The consumer loop: the heart of every service that reads the topics.

Its promises, each with a test of its own:

- **Order**: a partition's records are handled one batch after the other, in order. Partitions do not
  wait for each other.
- **At least once**: an offset is committed only when the handler returned for everything before it.
- **Drained**: when partitions are taken away, the batch in work is finished (within ``drain_s``) and
  committed before somebody else goes on.
- **Nothing lost**: a record that can never succeed goes to the dead-letter topic, with why. One that
  may succeed later is tried again with growing pauses; its partition waits, visibly, the others go on.
- **Alive** means that the poll loop turned lately; a fatal error ends :meth:`ConsumerLoop.run`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import IllegalStateError, KafkaError

from rondo_common.errors import Fatal, Rejected, Retryable
from rondo_common.kafka.lane import Lane, LaneLimits
from rondo_common.kafka.records import Record, read_record

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LoopLimits:
    """How long things may take. ``drain_s`` must stay below the group's rebalance timeout."""

    lane: LaneLimits = field(default_factory=LaneLimits)
    poll_timeout_ms: int = 500
    commit_interval_s: float = 0.2
    attempt_timeout_s: float = 60.0
    retry_delay_s_min: float = 0.05
    retry_delay_s_max: float = 5.0
    drain_s: float = 10.0
    stalled_s_max: float = 30.0


class Handler(Protocol):
    """What a service does with records.

    ``handle`` gets a partition's next records, decoded, in order, and returns when every effect is
    durable and every event it publishes is confirmed. It may be called again with the same records.

    Raises:
        Retryable: the whole batch is tried again later.
        Rejected: the record at ``index`` can never succeed; the others are tried again without it.
        Fatal: the process ends.
    """

    async def assigned(self, partition: TopicPartition) -> None:
        """Called once before the first batch of a partition, retried like a batch."""

    async def handle(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        """Do the service's work for these records."""

    async def revoked(self, partition: TopicPartition) -> None:
        """Called once after the last batch of a partition."""


class DeadLetters(Protocol):
    """Keeps records that can never succeed. Returns when the record is safe; raises ``Retryable``."""

    async def bury(self, raw: ConsumerRecord, reason: str) -> None:
        """Keep ``raw`` as it is, with why."""


@dataclass(slots=True)
class _Work:
    """One assigned partition: its lane, and the task that empties it."""

    lane: Lane[ConsumerRecord]
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    paused: bool = False
    blocked_by: str | None = None


class ConsumerLoop(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Reads ``topics`` in a consumer group and feeds a :class:`Handler`, keeping the promises above."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        topics: Sequence[str],
        handler: Handler,
        dead_letters: DeadLetters,
        *,
        limits: LoopLimits | None = None,
    ) -> None:
        self._consumer = consumer
        self._topics = topics
        self._handler = handler
        self._dead_letters = dead_letters
        self._limits = limits or LoopLimits()
        self._work: dict[TopicPartition, _Work] = {}
        self._fatal: BaseException | None = None
        self._turned_at = time.monotonic()
        self._joined = False

    # -- what operators see ---------------------------------------------------------------------

    @property
    def is_alive(self) -> bool:
        """True while the poll loop turns."""
        age_s = time.monotonic() - self._turned_at
        return self._fatal is None and age_s < self._limits.stalled_s_max

    @property
    def is_ready(self) -> bool:
        """True once the loop turns and has joined its group."""
        return self.is_alive and self._joined

    async def check_ready(self) -> None:
        """A health check: raises ``Retryable`` until the loop has joined its group and turns."""
        if not self.is_ready:
            raise Retryable("the consumer loop does not turn")

    def blocked(self) -> dict[str, str]:
        """The partitions that wait for something, each with what it waits for."""
        return {
            f"{partition.topic}[{partition.partition}]": work.blocked_by
            for partition, work in self._work.items()
            if work.blocked_by is not None
        }

    # -- the loop -------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until ``stop`` is set, then drain, commit and leave the group.

        Raises:
            Fatal: the process must end; nothing uncommitted is lost.
        """
        self._consumer.subscribe(topics=list(self._topics), listener=self)
        await self._consumer.start()
        committer = asyncio.create_task(self._commit_regularly())
        try:
            while not stop.is_set() and self._fatal is None:
                await self._turn()
        except KafkaError as error:
            raise Fatal(f"the consumer cannot go on: {error}") from error
        finally:
            committer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await committer
            await self._release(list(self._work))
            await self._consumer.stop()
        if self._fatal is not None:
            raise Fatal(f"a handler cannot go on: {self._fatal}") from self._fatal

    async def _turn(self) -> None:
        """Fetch once and hand what came to the lanes. Never waits for a handler."""
        batches = await self._consumer.getmany(
            timeout_ms=self._limits.poll_timeout_ms, max_records=self._limits.lane.waiting_max
        )
        self._turned_at = time.monotonic()
        self._joined = True
        for partition, raws in batches.items():
            work = self._work.get(partition)
            if work is None:
                continue  # Revoked between the fetch and here; its new owner reads it again.
            work.lane.arrive((raw.offset, raw) for raw in raws)
            work.arrived.set()
            if work.lane.is_full and not work.paused:
                work.paused = True
                self._consumer.pause(partition)

    # -- one partition --------------------------------------------------------------------------

    async def _empty_lane(self, partition: TopicPartition, work: _Work) -> None:
        try:
            await self._retrying(work, lambda: self._handler.assigned(partition))
            while not work.stopping.is_set():
                batch = work.lane.take()
                self._resume_if_roomy(partition, work)
                if batch:
                    if await self._handle_all(partition, work, batch):
                        work.lane.done()
                    continue
                work.arrived.clear()
                await _first_of(work.arrived, work.stopping)
        except Exception as error:
            self._fatal = error
            log.exception("partition_failed", topic=partition.topic, partition=partition.partition)

    async def _handle_all(
        self, partition: TopicPartition, work: _Work, batch: list[ConsumerRecord]
    ) -> bool:
        """Handle a batch to its end. False when the partition was taken away before that."""
        raws, records, unreadable = _read_all(batch)
        for raw, reason in unreadable:
            if not await self._bury(work, raw, reason):
                return False
        while raws:
            try:
                return await self._retrying(work, lambda: self._handler.handle(partition, records))
            except Rejected as error:
                del records[error.index]
                if not await self._bury(work, raws.pop(error.index), str(error)):
                    return False
            except Fatal:
                raise
            except Exception as error:
                if len(raws) > 1:
                    log.exception("batch_failed", topic=partition.topic, partition=partition.partition)
                    return await self._handle_singly(partition, work, raws)
                if not await self._bury(work, raws.pop(), repr(error)):
                    return False
        return True

    async def _handle_singly(
        self, partition: TopicPartition, work: _Work, raws: list[ConsumerRecord]
    ) -> bool:
        """After an unexpected error: one by one, so that only the culprit is dead-lettered."""
        for raw in raws:
            if not await self._handle_all(partition, work, [raw]):
                return False
        return True

    async def _bury(self, work: _Work, raw: ConsumerRecord, reason: str) -> bool:
        log.error("record_rejected", topic=raw.topic, offset=raw.offset, reason=reason)
        return await self._retrying(work, lambda: self._dead_letters.bury(raw, reason))

    async def _retrying(self, work: _Work, attempt: Callable[[], Awaitable[None]]) -> bool:
        """Try until it succeeds. False when the partition is taken away while waiting to retry."""
        delay_s = self._limits.retry_delay_s_min
        while True:
            try:
                async with asyncio.timeout(self._limits.attempt_timeout_s):
                    await attempt()
            except (Retryable, TimeoutError) as error:
                work.blocked_by = str(error) or "an attempt took too long"
                log.warning("partition_blocked", reason=work.blocked_by, retry_in_s=delay_s)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(work.stopping.wait(), delay_s)
                    return False
                delay_s = min(2 * delay_s, self._limits.retry_delay_s_max)
            else:
                work.blocked_by = None
                return True

    def _resume_if_roomy(self, partition: TopicPartition, work: _Work) -> None:
        if work.paused and work.lane.has_room and not work.stopping.is_set():
            work.paused = False
            with contextlib.suppress(IllegalStateError):  # Revoked meanwhile.
                self._consumer.resume(partition)

    # -- coming and going -----------------------------------------------------------------------

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Part of the listener protocol: start a worker a partition."""
        for partition in assigned:
            work = _Work(Lane(self._limits.lane))
            self._work[partition] = work
            work.task = asyncio.create_task(self._empty_lane(partition, work))
        log.info("partitions_assigned", count=len(assigned))

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Part of the listener protocol: drain and commit before somebody else goes on."""
        await self._release(list(revoked))
        log.info("partitions_revoked", count=len(revoked))

    async def _release(self, partitions: list[TopicPartition]) -> None:
        released = {each: self._work[each] for each in partitions if each in self._work}
        for work in released.values():
            work.stopping.set()
        tasks = [work.task for work in released.values() if work.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._limits.drain_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._commit(released)
        for partition in released:
            del self._work[partition]
            await self._handler.revoked(partition)

    # -- commits --------------------------------------------------------------------------------

    async def _commit_regularly(self) -> None:
        while True:
            await asyncio.sleep(self._limits.commit_interval_s)
            await self._commit(dict(self._work))

    async def _commit(self, works: dict[TopicPartition, _Work]) -> None:
        """Store what is done. A failure costs a repetition later, nothing else."""
        offsets = {
            partition: offset
            for partition, work in works.items()
            if (offset := work.lane.to_commit()) is not None
        }
        if not offsets:
            return
        try:
            await self._consumer.commit(offsets)
        except (KafkaError, IllegalStateError) as error:
            log.warning("commit_failed", reason=repr(error))
            return
        for partition, offset in offsets.items():
            works[partition].lane.committed(offset)


def _read_all(
    batch: list[ConsumerRecord],
) -> tuple[list[ConsumerRecord], list[Record], list[tuple[ConsumerRecord, str]]]:
    """The records that can be read, raw and decoded side by side, and those that cannot, with why."""
    raws: list[ConsumerRecord] = []
    records: list[Record] = []
    unreadable: list[tuple[ConsumerRecord, str]] = []
    for raw in batch:
        try:
            records.append(read_record(raw))
        except Rejected as error:
            unreadable.append((raw, str(error)))
        else:
            raws.append(raw)
    return raws, records, unreadable


async def _first_of(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
