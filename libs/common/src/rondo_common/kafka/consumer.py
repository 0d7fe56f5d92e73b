"""The consumer loop: the heart of every service that reads the topics.

Its promises, each with a test of its own:

- **Order**: a partition's records are handled one batch after the other, in order. Partitions do not
  wait for each other.
- **At least once**: an offset is committed only when the handler returned for everything before it.
- **Drained**: when partitions are taken away, the batch in work is finished (within ``drain_s``) and
  committed before somebody else goes on.
- **Nothing lost**: a record that can never succeed goes to the dead-letter topic, with why. One that
  may succeed later is tried again with growing pauses; its partition waits, visibly, the others go on.
- **Bounded**: a partition whose handler is slower than the topic is paused above a limit.
- **Alive** means that the poll loop turned lately; a fatal error ends :meth:`ConsumerLoop.run`.

It is made of three parts: a :class:`~rondo_common.kafka.lane.Lane` knows how far a partition is,
:class:`~rondo_common.kafka.partition_work.PartitionWork` handles its batches, and the loop here fetches,
commits, and lets partitions come and go.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import IllegalStateError, KafkaConnectionError, KafkaError

from rondo_common.errors import Fatal, Retryable, Unavailable
from rondo_common.kafka.handler import DeadLetters, Handler
from rondo_common.kafka.partition_work import PartitionWork, WorkLimits
from rondo_common.process import until_reachable
from rondo_common.tasks import end_tasks

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LoopLimits:
    """How long things may take. ``drain_s`` must stay below the group's rebalance timeout."""

    work: WorkLimits = field(default_factory=WorkLimits)
    poll_timeout_ms: int = 500
    commit_interval_s: float = 0.2
    drain_s: float = 8.0
    stalled_s_max: float = 30.0


@dataclass(slots=True)
class _Assigned:
    """One assigned partition: its work, the task that does it, and whether it is paused."""

    work: PartitionWork
    task: asyncio.Task[None]
    paused: bool = False


class ConsumerLoop(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Reads ``topics`` in a consumer group and feeds a :class:`Handler`, keeping the promises above.

    ``clock`` gives seconds that only grow; it is read for :attr:`is_alive` alone.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        topics: Sequence[str],
        handler: Handler,
        dead_letters: DeadLetters,
        *,
        limits: LoopLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumer = consumer
        self._topics = topics
        self._handler = handler
        self._dead_letters = dead_letters
        self._limits = limits or LoopLimits()
        self._clock = clock
        self._assigned: dict[TopicPartition, _Assigned] = {}
        self._releasing = asyncio.Lock()
        self._turned_at: float | None = None
        self._joined = False
        self._leaving = False
        self._failure: BaseException | None = None

    # -- what operators see ---------------------------------------------------------------------

    @property
    def is_alive(self) -> bool:
        """True before the loop runs, and while it turns."""
        if self._failure is not None:
            return False
        return self._turned_at is None or self._clock() - self._turned_at < self._limits.stalled_s_max

    @property
    def is_ready(self) -> bool:
        """True while the loop turns as a member of its group, with partitions or without."""
        return self._joined and not self._leaving and self.is_alive

    async def check_ready(self) -> None:
        """A health check: raises ``Retryable`` unless :attr:`is_ready`."""
        if not self.is_ready:
            raise Retryable("the consumer loop does not turn, or has not joined its group")

    def blocked(self) -> dict[str, str]:
        """The partitions that wait for something, each with what it waits for."""
        return {
            f"{partition.topic}[{partition.partition}]": each.work.blocked_by
            for partition, each in self._assigned.items()
            if each.work.blocked_by is not None
        }

    @property
    def assigned_count(self) -> int:
        """How many partitions it has."""
        return len(self._assigned)

    def lags(self) -> dict[TopicPartition, int]:
        """How many records of each assigned partition are written and not handled to their end, as far
        as the brokers have said."""
        lags = {}
        for partition, each in self._assigned.items():
            written = self._consumer.highwater(partition)
            if written is not None:
                done = each.work.lane.next_to_do
                lags[partition] = 0 if done is None else max(0, written - done)
        return lags

    # -- the loop -------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until ``stop`` is set, then drain, commit and leave the group. Runs once.

        Raises:
            Fatal: the process must end; nothing uncommitted is lost.
        """
        self._turned_at = self._clock()
        self._consumer.subscribe(topics=list(self._topics), listener=self)
        committer = self._start(self._commit_regularly())
        try:
            await until_reachable(self._connect, stop)
            while not stop.is_set() and self._failure is None:
                await self._turn()
        except Exception as error:
            self._failure = error
        finally:
            self._leaving = True
            await self._cancel([committer])
            await self._leave()
        if self._failure is not None:
            raise Fatal(f"the consumer cannot go on: {self._failure!r}") from self._failure

    async def _connect(self) -> None:
        """Reach a broker. One was reached before, but names and brokers come and go while all starts."""
        self._turned_at = self._clock()
        try:
            await self._consumer.start()
        except KafkaConnectionError as error:
            raise Unavailable("kafka", repr(error)) from error

    async def _turn(self) -> None:
        """Fetch once and hand what came to the work. Never waits for a handler."""
        batches = await self._consumer.getmany(
            timeout_ms=self._limits.poll_timeout_ms, max_records=self._limits.work.lane.waiting_max
        )
        self._turned_at = self._clock()
        for partition, raws in batches.items():
            each = self._assigned.get(partition)
            if each is None:
                continue  # Revoked between the fetch and here; its new owner reads it again.
            each.work.arrive(raws)
            if each.work.lane.is_full and not each.paused:
                self._consumer.pause(partition)
                each.paused = True

    def _resume_if_roomy(self, partition: TopicPartition) -> None:
        each = self._assigned[partition]
        if each.paused and each.work.lane.has_room:
            self._consumer.resume(partition)
            each.paused = False

    async def _leave(self) -> None:
        await self._release(list(self._assigned))
        try:
            await self._consumer.stop()
        except KafkaError as error:  # What ended the loop may keep the client from leaving in order.
            log.warning("consumer_not_stopped", reason=repr(error))

    # -- what runs beside the loop --------------------------------------------------------------

    def _start(self, part: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a part beside the loop. When it fails, or is cancelled from within, the loop ends."""
        task = asyncio.create_task(part)
        task.add_done_callback(self._note_end)
        return task

    def _note_end(self, task: asyncio.Task[None]) -> None:
        error = Fatal("a part was cancelled from within") if task.cancelled() else task.exception()
        self._failure = self._failure or error

    async def _cancel(self, tasks: Collection[asyncio.Task[None]]) -> None:
        """End parts that are no longer wanted; that is no failure."""
        for task in tasks:
            task.remove_done_callback(self._note_end)
        await end_tasks(tasks)

    # -- coming and going -----------------------------------------------------------------------

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Part of the listener protocol: start the work on each partition."""
        if self._leaving:
            return
        self._joined = True
        for partition in assigned:
            work = PartitionWork(partition, self._handler, self._dead_letters, self._limits.work)
            task = self._start(work.run(partial(self._resume_if_roomy, partition)))
            self._assigned[partition] = _Assigned(work, task)
        log.info("partitions_assigned", count=len(assigned))

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Part of the listener protocol: drain and commit before somebody else goes on."""
        await self._release(list(revoked))
        log.info("partitions_revoked", count=len(revoked))

    async def _release(self, partitions: Sequence[TopicPartition]) -> None:
        """Drain, commit, let go. One after the other: the process may stop during a rebalance."""
        async with self._releasing:
            released = {each: self._assigned[each] for each in partitions if each in self._assigned}
            await self._drain(list(released.values()))
            await self._commit(released)
            for partition in released:
                del self._assigned[partition]
            for partition in released:
                await self._let_go(partition)

    async def _drain(self, released: Sequence[_Assigned]) -> None:
        if not released:
            return
        for each in released:
            each.work.stop()
        _, late = await asyncio.wait([each.task for each in released], timeout=self._limits.drain_s)
        await self._cancel(late)

    async def _let_go(self, partition: TopicPartition) -> None:
        try:
            await self._handler.revoked(partition)
        except Exception:
            log.exception("revocation_failed", topic=partition.topic, partition=partition.partition)

    # -- commits --------------------------------------------------------------------------------

    async def _commit_regularly(self) -> None:
        while True:
            await asyncio.sleep(self._limits.commit_interval_s)
            await self._commit(dict(self._assigned))

    async def _commit(self, assigned: dict[TopicPartition, _Assigned]) -> None:
        """Store what is done. A failure costs a repetition later, nothing else."""
        offsets = {
            partition: offset
            for partition, each in assigned.items()
            if (offset := each.work.lane.to_commit()) is not None
        }
        if not offsets:
            return
        try:
            await self._consumer.commit(offsets)
        except (KafkaError, IllegalStateError) as error:
            log.warning("commit_failed", reason=repr(error))
            return
        for partition, offset in offsets.items():
            assigned[partition].work.lane.committed(offset)
