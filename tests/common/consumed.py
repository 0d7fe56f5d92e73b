"""What the consumer loop is fed in tests, and what is watched while it eats."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from rondo_common.envelope import Envelope, headers_of
from rondo_common.errors import Rejected, Retryable
from rondo_common.events import AcceptChat, Event
from rondo_common.ids import AgentId, ConversationId, EventId, WorkspaceId
from rondo_common.kafka.consumer import ConsumerLoop, LoopLimits
from rondo_common.kafka.lane import LaneLimits
from rondo_common.kafka.partition_work import WorkLimits
from rondo_common.kafka.records import Record
from tests.common.fake_consumer import FakeConsumer

TOPIC = "rondo.tests"
FIRST, SECOND = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DEADLINE_S = 60.0
BRISK = LoopLimits(
    work=WorkLimits(
        lane=LaneLimits(batch_max=4, waiting_max=8), retry_delay_s_min=0.001, retry_delay_s_max=0.004
    ),
    poll_timeout_ms=10,
    commit_interval_s=0.001,
    drain_s=DEADLINE_S,
)
"""Limits under which nothing a test waits for takes long."""

Step = Callable[[TopicPartition, Sequence[Record]], Awaitable[None]]


def envelope(name: str = "e") -> Envelope[Event]:
    event = AcceptChat(conversation_id=ConversationId("cnv_1"), agent_id=AgentId("grace"))
    return Envelope(EventId(name), "/rondo/tests", NOON, WorkspaceId("acme"), event)


def raw(
    partition: TopicPartition,
    offset: int,
    *,
    key: bytes = b"acme",
    value: bytes | None = None,
    headers: object = None,
) -> ConsumerRecord:
    """A record as aiokafka gives it, well-formed unless told otherwise."""
    carried = envelope(f"{partition.partition}/{offset}")
    return ConsumerRecord(
        topic=partition.topic,
        partition=partition.partition,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=key,
        value=carried.event.model_dump_json().encode() if value is None else value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=tuple(headers_of(carried)) if headers is None else headers,
    )


def raws(partition: TopicPartition, count: int, *, start: int = 0) -> list[ConsumerRecord]:
    return [raw(partition, offset) for offset in range(start, start + count)]


async def until(condition: Callable[[], object]) -> None:
    """Wait for ``condition``; a test that waits in vain fails at the deadline."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.001)


@dataclass
class RecordingHandler:
    """Notes what it is given. ``step``, when set, happens before a batch counts as handled."""

    step: Step | None = None
    handled: dict[TopicPartition, list[int]] = field(default_factory=dict)
    attempted: dict[TopicPartition, list[list[int]]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    at_once: dict[TopicPartition, int] = field(default_factory=dict)
    assigned_errors: list[Exception] = field(default_factory=list)
    revoked_errors: list[Exception] = field(default_factory=list)

    async def assigned(self, partition: TopicPartition) -> None:
        if self.assigned_errors:
            raise self.assigned_errors.pop()
        self.told.append(f"assigned {partition.partition}")

    async def handle(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        offsets = [record.offset for record in records]
        self.attempted.setdefault(partition, []).append(offsets)
        self.at_once[partition] = self.at_once.get(partition, 0) + 1
        assert self.at_once[partition] == 1, "two batches of a partition at once"
        try:
            await asyncio.sleep(0)
            if self.step is not None:
                await self.step(partition, records)
            self.handled.setdefault(partition, []).extend(offsets)
        finally:
            self.at_once[partition] -= 1

    async def revoked(self, partition: TopicPartition) -> None:
        self.told.append(f"revoked {partition.partition}")
        if self.revoked_errors:
            raise self.revoked_errors.pop()

    def offsets(self, partition: TopicPartition) -> list[int]:
        return self.handled.get(partition, [])


@dataclass
class DeadLetterBox:
    """Dead letters in memory. ``full`` makes it unavailable."""

    buried: list[tuple[int, int, str]] = field(default_factory=list)
    full: bool = False

    async def bury(self, raw: ConsumerRecord, reason: str) -> None:
        if self.full:
            raise Retryable("the dead letters cannot be reached")
        self.buried.append((raw.partition, raw.offset, reason))

    @property
    def offsets(self) -> list[int]:
        return [offset for _, offset, _ in self.buried]


class Running:
    """A loop under test, with everything around it."""

    def __init__(
        self, handler: RecordingHandler, limits: LoopLimits, clock: Callable[[], float] | None
    ) -> None:
        self.consumer = FakeConsumer()
        self.handler = handler
        self.dead_letters = DeadLetterBox()
        self.stop = asyncio.Event()
        self.loop = ConsumerLoop(
            self.consumer,
            [TOPIC],
            handler,
            self.dead_letters,
            limits=limits,
            **({} if clock is None else {"clock": clock}),
        )
        self.task = asyncio.create_task(self.loop.run(self.stop))

    async def turn(self) -> None:
        """Let the poll loop go round once more."""
        before = self.consumer.fetches
        await until(lambda: self.consumer.fetches > before)

    async def finish(self) -> None:
        """Stop in order; raises what the loop raised."""
        self.stop.set()
        async with asyncio.timeout(DEADLINE_S):
            await self.task


@asynccontextmanager
async def running(
    handler: RecordingHandler | None = None,
    *,
    limits: LoopLimits = BRISK,
    clock: Callable[[], float] | None = None,
) -> AsyncIterator[Running]:
    """Run a loop on a fake consumer; leaves it stopped, whatever the test did."""
    it = Running(handler or RecordingHandler(), limits, clock)
    await until(lambda: it.consumer.started)
    try:
        yield it
    finally:
        it.stop.set()
        it.task.cancel()
        await asyncio.gather(it.task, return_exceptions=True)


def waits_for(gate: asyncio.Event, partition: TopicPartition = FIRST) -> Step:
    """Batches of ``partition`` take until the gate opens."""

    async def step(at: TopicPartition, _: Sequence[Record]) -> None:
        if at == partition:
            await gate.wait()

    return step


def raises(*errors: BaseException, on: int | None = None) -> Step:
    """Fails once with each of ``errors``, in order; only for batches with the offset ``on`` if given."""
    left = list(errors)

    async def step(_: TopicPartition, records: Sequence[Record]) -> None:
        if left and (on is None or on in [record.offset for record in records]):
            raise left.pop(0)

    return step


def refuses(*offsets: int, because: type[Exception] = Rejected) -> Step:
    """These records can never succeed."""

    async def step(_: TopicPartition, records: Sequence[Record]) -> None:
        for index, record in enumerate(records):
            if record.offset in offsets:
                raise Rejected("never", index) if because is Rejected else because("a defect")

    return step


def brisk(**work: Any) -> LoopLimits:
    """The brisk limits, but for those of a partition's work."""
    return dataclasses.replace(BRISK, work=dataclasses.replace(BRISK.work, **work))
