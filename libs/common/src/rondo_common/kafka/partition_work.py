"""The work on one assigned partition: batch after batch, each to its end, from coming to going."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog
from aiokafka import ConsumerRecord, TopicPartition

from rondo_common.errors import Fatal, Rejected, Retryable
from rondo_common.kafka.handler import DeadLetters, Handler
from rondo_common.kafka.lane import Lane, LaneLimits
from rondo_common.kafka.records import Record, read_record

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WorkLimits:
    """How much is handled at once, how long an attempt may take, and the pauses between attempts."""

    lane: LaneLimits = field(default_factory=LaneLimits)
    attempt_timeout_s: float = 60.0
    retry_delay_s_min: float = 0.05
    retry_delay_s_max: float = 5.0


class PartitionWork:
    """Takes in a partition's records and feeds them to the handler, until it is told to stop.

    ``blocked_by`` says what it waits for before it can go on; None while it goes on.
    """

    def __init__(
        self, partition: TopicPartition, handler: Handler, dead_letters: DeadLetters, limits: WorkLimits
    ) -> None:
        self.lane: Lane[ConsumerRecord] = Lane(limits.lane)
        self.blocked_by: str | None = None
        self._partition = partition
        self._handler = handler
        self._dead_letters = dead_letters
        self._limits = limits
        self._arrived = asyncio.Event()
        self._stopping = asyncio.Event()

    def arrive(self, raws: Sequence[ConsumerRecord]) -> None:
        """Take in what was fetched next."""
        self.lane.arrive((raw.offset, raw) for raw in raws)
        self._arrived.set()

    def stop(self) -> None:
        """Finish the batch in work, begin no other."""
        self._stopping.set()
        self._arrived.set()

    async def run(self, taken: Callable[[], None]) -> None:
        """Work until :meth:`stop`. Calls ``taken`` whenever records have left the lane.

        Raises:
            Exception: what the handler raised, when the process must end for it.
        """
        if not await self._retrying(lambda: self._handler.assigned(self._partition)):
            return
        while not self._stopping.is_set():
            batch = self.lane.take()
            if not batch:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            taken()
            if await self._handle(batch):
                self.lane.done()

    async def _handle(self, batch: Sequence[ConsumerRecord]) -> bool:
        """Handle a batch to its end. False when the partition was taken away before that."""
        raws, records, unreadable = _read_all(batch)
        for raw, reason in unreadable:
            if not await self._bury(raw, reason):
                return False
        while raws:
            try:
                return await self._retrying(lambda: self._handler.handle(self._partition, records))
            except Fatal:
                raise
            except Exception as error:
                culprit = _culprit(error, len(raws))
                if culprit is None:
                    log.exception("batch_failed", **self._where)
                    return await self._handle_singly(raws)
                del records[culprit]
                if not await self._bury(raws.pop(culprit), _reason(error)):
                    return False
        return True

    async def _handle_singly(self, raws: Sequence[ConsumerRecord]) -> bool:
        """After an error that names no record: one by one, so that only the culprit is buried."""
        for raw in raws:
            if not await self._handle([raw]):
                return False
        return True

    async def _bury(self, raw: ConsumerRecord, reason: str) -> bool:
        log.error("record_rejected", offset=raw.offset, reason=reason, **self._where)
        return await self._retrying(lambda: self._dead_letters.bury(raw, reason))

    async def _retrying(self, attempt: Callable[[], Awaitable[None]]) -> bool:
        """Try until it succeeds. False when told to stop while waiting for the next attempt."""
        delay_s = self._limits.retry_delay_s_min
        while True:
            try:
                async with asyncio.timeout(self._limits.attempt_timeout_s):
                    await attempt()
            except (Retryable, TimeoutError) as error:
                self.blocked_by = str(error) or "an attempt took too long"
                log.warning("partition_blocked", reason=self.blocked_by, retry_in_s=delay_s, **self._where)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(delay_s):
                        await self._stopping.wait()
                    return False
                delay_s = min(2 * delay_s, self._limits.retry_delay_s_max)
            else:
                self.blocked_by = None
                return True

    @property
    def _where(self) -> dict[str, str | int]:
        return {"topic": self._partition.topic, "partition": self._partition.partition}


def _read_all(
    batch: Sequence[ConsumerRecord],
) -> tuple[list[ConsumerRecord], list[Record], list[tuple[ConsumerRecord, str]]]:
    """The records that can be read, raw and decoded side by side, and those that cannot, with why."""
    raws: list[ConsumerRecord] = []
    records: list[Record] = []
    unreadable: list[tuple[ConsumerRecord, str]] = []
    for raw in batch:
        try:
            records.append(read_record(raw))
        except Exception as error:  # Whatever a stranger wrote must not stop the partition.
            unreadable.append((raw, _reason(error)))
        else:
            raws.append(raw)
    return raws, records, unreadable


def _culprit(error: Exception, count: int) -> int | None:
    """Which of ``count`` records an error is about; None when that cannot be told."""
    if isinstance(error, Rejected) and 0 <= error.index < count:
        return error.index
    return 0 if count == 1 else None


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, Rejected) else repr(error)
