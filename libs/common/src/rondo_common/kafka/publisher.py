"""Writing events: answered when the broker has them, replicated as configured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError

from rondo_common.envelope import Envelope, headers_of
from rondo_common.errors import Unavailable
from rondo_common.events import Event
from rondo_common.kafka.partitioning import partition_of
from rondo_common.kafka.traced import traceparent_for
from rondo_common.topics import Topic
from rondo_common.traces import call_span

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to write. ``value`` None is a tombstone: it removes the key from a compacted topic."""

    topic: Topic
    partition: int
    key: str
    value: bytes | None
    headers: list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Written:
    """Where the broker put a record."""

    partition: int
    offset: int


class Publisher(Protocol):
    """Writes records.

    Promises: returns when the broker has all of them, in the order given for each partition; safe to
    repeat with the same records (their event ids stay the same, readers ignore the second).

    Raises:
        Unavailable: the broker did not confirm within the publisher's deadline. Some may have been
            written; write all of them again, or tell the caller that nothing was confirmed.
    """

    async def publish(self, records: Sequence[Outgoing]) -> list[Written]:
        """Where each of ``records`` was written."""
        ...


def outgoing(envelope: Envelope[Event], key: str) -> Outgoing:
    """The record that carries ``envelope`` under ``key``, on its event's own topic, as a part of what is
    traced now."""
    topic = envelope.event.TOPIC
    return Outgoing(
        topic=topic,
        partition=partition_of(topic, envelope.workspace_id, key),
        key=key,
        value=envelope.event.model_dump_json(exclude_none=True).encode(),
        headers=headers_of(envelope, traceparent_for(envelope)),
    )


class KafkaPublisher:
    """A :class:`Publisher` on Kafka that mends itself.

    A producer that failed is thrown away, because what it still holds in its buffer could be written
    long after the caller was told that it was not; the next call makes a new one.
    """

    def __init__(self, make: Callable[[], AIOKafkaProducer], *, deadline_s: float) -> None:
        self._make = make
        self._deadline_s = deadline_s
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Connect now rather than with the first record. Raises ``Unavailable``."""
        await self._started()

    async def publish(self, records: Sequence[Outgoing]) -> list[Written]:
        """See :class:`Publisher`."""
        with call_span("publish", messaging__system="kafka", messaging__batch__message_count=len(records)):
            return await self._publish(records)

    async def _publish(self, records: Sequence[Outgoing]) -> list[Written]:
        producer = await self._started()
        try:
            async with asyncio.timeout(self._deadline_s):
                confirmations = [
                    await producer.send(
                        record.topic.name,
                        value=record.value,
                        key=record.key.encode(errors="surrogateescape"),
                        partition=record.partition,
                        headers=record.headers,
                    )
                    for record in records
                ]
                written = await asyncio.gather(*confirmations)
        except (KafkaError, TimeoutError) as error:
            await self._throw_away(producer)
            raise Unavailable("kafka", error or "no confirmation in time") from error
        return [Written(each.partition, each.offset) for each in written]

    async def stop(self) -> None:
        """Write out what is pending and close."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is not None:
            return self._producer
        async with self._starting:
            if self._producer is None:
                producer = self._make()
                try:
                    async with asyncio.timeout(self._deadline_s):
                        await producer.start()
                except (KafkaError, KafkaTimeoutError, TimeoutError) as error:
                    await _abandon(producer)
                    raise Unavailable("kafka", error or "no answer in time") from error
                self._producer = producer
        return self._producer

    async def _throw_away(self, producer: AIOKafkaProducer) -> None:
        if self._producer is not producer:
            return  # Another call that failed with it was first.
        self._producer = None
        log.warning("kafka_producer_replaced")
        await _abandon(producer)


async def _abandon(producer: AIOKafkaProducer) -> None:
    """Close without writing what is pending: its callers are told that it was not written.

    aiokafka's ``stop`` would first try to flush, which never ends while the broker is away.
    """
    sender = producer._sender.sender_task  # noqa: SLF001 - there is no public way to close at once
    if sender is not None:
        sender.cancel()
    await producer.client.close()
    producer._closed = True  # noqa: SLF001 - else its finaliser complains about an open producer
