"""Reading topics as any monitor can: without a group, from some point on, leaving no trace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from rondo_common.clock import milliseconds
from rondo_common.envelope import Envelope, decode
from rondo_common.errors import Rejected, Unavailable
from rondo_common.events import Event
from rondo_common.kafka.connection import KafkaConnection, make_reader
from rondo_common.kafka.refusals import why_refused
from rondo_common.topics import Topic

POLL_TIMEOUT_MS = 300
CONNECT_TIMEOUT_S = 10.0
RECORDS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Heard:
    """An event, and the topic it stands on."""

    topic: str
    envelope: Envelope[Event]


class TopicReader:
    """Reads the partitions it was opened with."""

    def __init__(self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> None:
        self._consumer = consumer
        self._partitions = partitions

    async def batches(self, *, follow: bool) -> AsyncIterator[list[ConsumerRecord]]:
        """What stands there, batch by batch; then what comes, or the end of it all.

        A partition's records are in order. Raises ``Unavailable``.
        """
        try:
            ends = await self._consumer.end_offsets(self._partitions)
            while follow or not await self._is_at(ends):
                found = await self._consumer.getmany(timeout_ms=POLL_TIMEOUT_MS, max_records=RECORDS_MAX)
                records = [record for each in found.values() for record in each]
                if records:
                    yield records
        except KafkaError as error:
            raise Unavailable("kafka", error) from error

    async def _is_at(self, ends: dict[TopicPartition, int]) -> bool:
        return all([await self._consumer.position(each) >= end for each, end in ends.items()])


@asynccontextmanager
async def open_topics(
    connection: KafkaConnection,
    topics: Iterable[Topic],
    *,
    since: datetime | None,
    from_beginning: bool = False,
) -> AsyncIterator[TopicReader]:
    """A reader from ``since`` on, from the beginning, or (neither) from now on.

    Raises:
        Unavailable: the brokers cannot be reached, or do not have the topics.
    """
    wanted = list(topics)
    partitions = [TopicPartition(each.name, number) for each in wanted for number in range(each.partitions)]
    consumer = make_reader(connection)
    try:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await consumer.start()
                await _see(consumer, wanted)
                consumer.assign(partitions)
                await _seek(consumer, partitions, since, from_beginning=from_beginning)
        except (KafkaError, TimeoutError) as error:
            refusal = await why_refused(connection)
            if refusal is not None:
                raise Unavailable("kafka", refusal) from error
            reason = str(error) or f"no answer in {CONNECT_TIMEOUT_S:.0f} s"
            raise Unavailable("kafka", f"{reason}; look at what `rondo doctor` says") from error
        yield TopicReader(consumer, partitions)
    finally:
        await consumer.stop()


async def _see(consumer: AIOKafkaConsumer, topics: Iterable[Topic]) -> None:
    """Raises ``Unavailable`` where a topic is missing: of one that may not be seen, a reader would wait for
    ever to be told where it is."""
    unseen = {each.name for each in topics} - await consumer.topics()
    if unseen:
        names = ", ".join(sorted(unseen))
        reason = f"{names}: not there, or this user may not read it; `rondo doctor` says which"
        raise Unavailable("kafka", reason)


def read_events(records: Iterable[ConsumerRecord]) -> list[Heard]:
    """The events of a batch by time; what is none of those known here is left out."""
    heard = []
    for record in records:
        try:
            heard.append(Heard(record.topic, decode(record.headers, record.value)))
        except Rejected:
            continue
    return sorted(heard, key=lambda each: each.envelope.time)


async def _seek(
    consumer: AIOKafkaConsumer,
    partitions: Sequence[TopicPartition],
    since: datetime | None,
    *,
    from_beginning: bool,
) -> None:
    if from_beginning:
        await consumer.seek_to_beginning(*partitions)
        return
    ends = await consumer.end_offsets(partitions)
    found = dict.fromkeys(partitions)
    if since is not None:
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, milliseconds(since)))
    for partition in partitions:
        first = found[partition]
        consumer.seek(partition, ends[partition] if first is None else first.offset)
