"""The consumer loop on a real broker: two members of one group, rebalanced and stopped under load."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence
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

    async def handle(self, partition: TopicPartition, records: Sequence[Record]) -> None:  # noqa: ARG002
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

    def loop_of(self, member: Member, limits: LoopLimits = LIMITS) -> ConsumerLoop:
        consumer = make_group_consumer(
            self.connection, self.name, session_timeout_ms=6_000, rebalance_timeout_ms=10_000
        )
        return ConsumerLoop(consumer, [self.topic.name], member, DeadLetterBox(), limits=limits)

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
    publisher = KafkaPublisher(lambda: make_producer(connection, request_timeout_ms=5_000), deadline_s=10)
    yield Group(connection, topic, publisher, name)
    await publisher.stop()


def everything() -> set[Handled]:
    return {(key, number) for key in KEYS for number in range(PER_KEY)}


def assert_each_key_came_in_order(journal: Journal) -> None:
    for key in KEYS:
        firsts = list(dict.fromkeys(journal.of_key(key)))
        assert firsts == list(range(PER_KEY)), key


async def test_members_come_and_go_under_load_and_nothing_is_lost_or_out_of_order(group: Group) -> None:
    stop = asyncio.Event()
    anna, bela = (Member(name, group.journal) for name in ("anna", "bela"))
    first = asyncio.create_task(group.loop_of(anna).run(stop))
    publishing = asyncio.create_task(group.publish(range(PER_KEY)))
    await until(lambda: group.journal.count_by("anna") > 500)
    second = asyncio.create_task(group.loop_of(bela).run(stop))
    await until(lambda: group.journal.count_by("bela") > 100)
    first.cancel()
    await publishing
    await until(lambda: group.journal.known == everything())
    stop.set()
    await second
    with contextlib.suppress(asyncio.CancelledError):
        await first
    assert_each_key_came_in_order(group.journal)
    assert len(group.journal.lines) == len(everything()), "an orderly handover repeats nothing"


async def test_what_a_member_did_not_finish_is_handled_by_the_next(group: Group) -> None:
    anna = Member("anna", group.journal, stuck_at=PER_KEY // 2)
    bela = Member("bela", group.journal)
    stop = asyncio.Event()
    hasty = replace(LIMITS, drain_s=0.0)
    first = asyncio.create_task(group.loop_of(anna, hasty).run(asyncio.Event()))
    await group.publish(range(PER_KEY))
    await anna.is_stuck.wait()
    first.cancel()
    second = asyncio.create_task(group.loop_of(bela).run(stop))
    await until(lambda: group.journal.known == everything())
    stop.set()
    await second
    with contextlib.suppress(asyncio.CancelledError):
        await first
    assert_each_key_came_in_order(group.journal)
    assert group.journal.count_by("anna") > 0


async def test_after_a_stop_the_group_stands_behind_the_last_record(group: Group) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(group.loop_of(Member("anna", group.journal)).run(stop))
    await group.publish(range(PER_KEY))
    await until(lambda: group.journal.known == everything())
    stop.set()
    await running
    by_partition = dict.fromkeys(range(group.topic.partitions), 0)
    for key in KEYS:
        by_partition[partition_of(group.topic, envelope().workspace_id, key)] += PER_KEY
    assert {number: count or 0 for number, count in (await group.committed()).items()} == by_partition


async def test_a_strangers_record_is_kept_as_it_was_among_the_dead_letters(group: Group) -> None:
    await create_topics(group.connection, [DEAD_LETTERS], replication_factor=1)
    producer = make_producer(group.connection, request_timeout_ms=5_000)
    await producer.start()
    await producer.send_and_wait(
        group.topic.name, value=b"\xff\x00", key=None, partition=0, headers=[("ce_id", b"\xfe")]
    )
    await producer.stop()
    consumer = make_group_consumer(
        group.connection, group.name, session_timeout_ms=6_000, rebalance_timeout_ms=10_000
    )
    dead_letters = KafkaDeadLetters(group.publisher, reader=group.name)
    handler = Member("anna", group.journal)
    loop = ConsumerLoop(consumer, [group.topic.name], handler, dead_letters, limits=LIMITS)
    stop = asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    buried = await _dead_letter_of(group)
    stop.set()
    await running
    headers = dict(buried.headers)
    assert (buried.value, headers["ce_id"]) == (b"\xff\x00", b"\xfe")
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
        async with asyncio.timeout(20):
            while True:
                batches = await reader.getmany(timeout_ms=100)
                for raw in batches.get(partition, []):
                    if dict(raw.headers)["rondo_reader"] == group.name.encode():
                        return raw
    finally:
        await reader.stop()
