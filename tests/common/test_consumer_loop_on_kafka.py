"""The consumer loop on a real broker: two members of one group, rebalanced and stopped under load."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from rondo_common.events import AcceptChat
from rondo_common.ids import AgentId, ConversationId
from rondo_common.kafka.connection import (
    KafkaConnection,
    make_group_consumer,
    make_producer,
    make_reader,
)
from rondo_common.kafka.consumer import ConsumerLoop, LoopLimits
from rondo_common.kafka.dead_letters import KafkaDeadLetters
from rondo_common.kafka.handler import DeadLetters
from rondo_common.kafka.lane import LaneLimits
from rondo_common.kafka.partition_work import WorkLimits
from rondo_common.kafka.partitioning import partition_of
from rondo_common.kafka.publisher import KafkaPublisher, Outgoing, outgoing
from rondo_common.kafka.records import Record
from rondo_common.kafka.topic_admin import create_topics
from rondo_common.topics import CONVERSATIONS, DEAD_LETTERS, Topic
from tests.common.consumed import DeadLetterBox, envelope, until

KEYS = [f"cnv_{number}" for number in range(20)]
PER_KEY = 150
CHUNK = 100
LIMITS = LoopLimits(
    work=WorkLimits(lane=LaneLimits(batch_max=20, waiting_max=40), retry_delay_s_min=0.01),
    poll_timeout_ms=50,
    commit_interval_s=0.05,
)

Handled = tuple[str, int]
"""A key, and which of its records."""


@dataclass
class Journal:
    """What the members of a group handled, in the order in which it happened."""

    lines: list[tuple[str, Handled]] = field(default_factory=list)

    def of_key(self, key: str) -> list[int]:
        return [number for _, (at, number) in self.lines if at == key]

    def count_by(self, member: str) -> int:
        return sum(1 for who, _ in self.lines if who == member)

    @property
    def known(self) -> set[Handled]:
        return {handled for _, handled in self.lines}


@dataclass
class Member:
    """A handler that writes into the journal. ``stuck_at`` is where it never returns from."""

    name: str
    journal: Journal
    stuck_at: int | None = None
    is_stuck: asyncio.Event = field(default_factory=asyncio.Event)

    async def assigned(self, partition: TopicPartition) -> None:
        """Nothing to prepare."""

    async def handle(self, partition: TopicPartition, records: Sequence[Record]) -> None:  # noqa: ARG002 - the port's
        await asyncio.sleep(0.001)
        read = [_read(record) for record in records]
        if self.stuck_at is not None and any(number >= self.stuck_at for _, number in read):
            self.is_stuck.set()
            await asyncio.Event().wait()
        self.journal.lines += [(self.name, handled) for handled in read]

    async def revoked(self, partition: TopicPartition) -> None:
        """Nothing to hand over."""


def _read(record: Record) -> Handled:
    assert isinstance(record.event, AcceptChat)
    return record.event.conversation_id, int(record.event.agent_id)


@dataclass
class Group:
    """One consumer group on one fresh topic."""

    connection: KafkaConnection
    topic: Topic
    publisher: KafkaPublisher
    name: str
    journal: Journal = field(default_factory=Journal)

    def loop_of(
        self, member: Member, limits: LoopLimits = LIMITS, dead_letters: DeadLetters | None = None
    ) -> ConsumerLoop:
        consumer = make_group_consumer(
            self.connection, self.name, session_timeout_ms=6_000, rebalance_timeout_ms=10_000
        )
        dead_letters = dead_letters or DeadLetterBox()
        return ConsumerLoop(consumer, [self.topic.name], member, dead_letters, limits=limits)

    async def publish(self, numbers: range) -> None:
        """For each key, records with these numbers, in order."""
        records = [self._record(key, number) for number in numbers for key in KEYS]
        for start in range(0, len(records), CHUNK):
            await self.publisher.publish(records[start : start + CHUNK])

    async def committed(self) -> dict[int, int | None]:
        """What the group has committed, by partition."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.connection.bootstrap, group_id=self.name, enable_auto_commit=False
        )
        await consumer.start()
        try:
            return {
                number: await consumer.committed(TopicPartition(self.topic.name, number))
                for number in range(self.topic.partitions)
            }
        finally:
            await consumer.stop()

    def _record(self, key: str, number: int) -> Outgoing:
        event = AcceptChat(conversation_id=ConversationId(key), agent_id=AgentId(str(number)))
        carried = replace(envelope(f"{key}/{number}"), event=event)
        partition = partition_of(self.topic, carried.workspace_id, key)
        return replace(outgoing(carried, key), topic=self.topic, partition=partition)


@pytest.fixture
async def group(kafka_bootstrap: str) -> AsyncIterator[Group]:
    name = f"rondo.tests.{uuid.uuid4().hex}"
    connection = KafkaConnection(kafka_bootstrap, client_id=name)
    topic = replace(CONVERSATIONS, name=name, partitions=6)
    await create_topics(connection, [topic], replication_factor=1)
    publisher = KafkaPublisher(lambda: make_producer(connection, request_timeout_ms=60_000), deadline_s=60)
    yield Group(connection, topic, publisher, name)
    await publisher.stop()


@asynccontextmanager
async def running(loop: ConsumerLoop) -> AsyncIterator[asyncio.Task[None]]:
    """Run a loop. At the end it is stopped in order, unless the test has cancelled it."""
    stop = asyncio.Event()
    task = asyncio.create_task(loop.run(stop))
    try:
        yield task
    finally:
        stop.set()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def assert_each_key_came_in_order(journal: Journal, per_key: int = PER_KEY) -> None:
    for key in KEYS:
        firsts = list(dict.fromkeys(journal.of_key(key)))
        assert firsts == list(range(per_key)), key


async def test_members_come_and_go_under_load_and_nothing_is_lost_or_out_of_order(group: Group) -> None:
    published = 0
    enough = asyncio.Event()

    async def publish() -> None:
        nonlocal published
        while not enough.is_set():
            await group.publish(range(published, published + 1))
            published += 1

    publishing = asyncio.create_task(publish())
    journal = group.journal
    async with running(group.loop_of(Member("anna", journal))) as anna:
        await until(lambda: journal.count_by("anna") > 100)
        async with running(group.loop_of(Member("bela", journal))):
            await until(lambda: journal.count_by("bela") > 100)
            anna.cancel()
            alone_since = journal.count_by("bela")
            await until(lambda: journal.count_by("bela") > alone_since + 1000)
            enough.set()
            await publishing
            await until(lambda: len(journal.known) == published * len(KEYS))
    assert_each_key_came_in_order(journal, published)
    assert len(journal.lines) == published * len(KEYS), "an orderly handover repeats nothing"


async def test_what_a_member_did_not_finish_is_handled_by_the_next(group: Group) -> None:
    journal = group.journal
    stuck = Member("anna", journal, stuck_at=PER_KEY // 2)
    async with running(group.loop_of(stuck, replace(LIMITS, drain_s=0.0))) as anna:
        await group.publish(range(PER_KEY))
        await stuck.is_stuck.wait()
        anna.cancel()
        async with running(group.loop_of(Member("bela", journal))):
            await until(lambda: len(journal.known) == PER_KEY * len(KEYS))
    assert_each_key_came_in_order(journal)
    assert journal.count_by("anna") > 0


async def test_after_a_stop_the_group_stands_behind_the_last_record(group: Group) -> None:
    async with running(group.loop_of(Member("anna", group.journal))):
        await group.publish(range(PER_KEY))
        await until(lambda: len(group.journal.known) == PER_KEY * len(KEYS))
    expected = dict.fromkeys(range(group.topic.partitions), 0)
    for key in KEYS:
        expected[partition_of(group.topic, envelope().workspace_id, key)] += PER_KEY
    assert {number: offset or 0 for number, offset in (await group.committed()).items()} == expected


async def test_a_strangers_record_is_kept_as_it_was_among_the_dead_letters(group: Group) -> None:
    await create_topics(group.connection, [DEAD_LETTERS], replication_factor=1)
    producer = make_producer(group.connection, request_timeout_ms=60_000)
    await producer.start()
    await producer.send_and_wait(
        group.topic.name, value=b"\xff\x00", key=None, partition=0, headers=[("ce_id", None)]
    )
    await producer.stop()
    dead_letters = KafkaDeadLetters(group.publisher, reader=group.name)
    async with running(group.loop_of(Member("anna", group.journal), dead_letters=dead_letters)):
        buried = await _dead_letter_of(group)
    headers = dict(buried.headers)
    assert (buried.value, headers["ce_id"]) == (b"\xff\x00", None)
    assert (headers["rondo_topic"], headers["rondo_offset"]) == (group.topic.name.encode(), b"0")
    assert b"header" in headers["rondo_reason"]


async def _dead_letter_of(group: Group) -> ConsumerRecord:
    """The dead letter this group's reader left, as soon as it is there."""
    reader = make_reader(group.connection)
    partition = TopicPartition(DEAD_LETTERS.name, 0)
    await reader.start()
    try:
        reader.assign([partition])
        await reader.seek_to_beginning(partition)
        async with asyncio.timeout(60):
            while True:
                batches = await reader.getmany(timeout_ms=100)
                for raw in batches.get(partition, []):
                    if dict(raw.headers)["rondo_reader"] == group.name.encode():
                        return raw
    finally:
        await reader.stop()
