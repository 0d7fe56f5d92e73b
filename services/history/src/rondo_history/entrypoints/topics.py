"""The topics about conversations come in here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition

from rondo_common.events import Event
from rondo_common.kafka.records import Record
from rondo_history.domain.fact import Place
from rondo_history.handlers import Reading, take_in
from rondo_history.ports import Announcer, Archive, Housekeeping


class TopicsConsumer:
    """A :class:`rondo_common.kafka.consumer.Handler` that fills the archive."""

    def __init__(
        self,
        readings: Mapping[type[Event], Reading],
        archive: Archive,
        housekeeping: Housekeeping,
        announcer: Announcer,
    ) -> None:
        self._readings = readings
        self._archive = archive
        self._housekeeping = housekeeping
        self._announcer = announcer

    async def assigned(self, partition: TopicPartition) -> None:
        """Nothing to prepare: the archive knows what it has."""

    async def handle(self, partition: TopicPartition, records: Sequence[Record]) -> None:  # noqa: ARG002 - the port's
        """Keep a batch. See :func:`rondo_history.handlers.take_in` for what it raises."""
        logged = [
            (record.envelope, Place(record.topic, record.partition, record.offset)) for record in records
        ]
        await take_in(logged, self._readings, self._archive, self._housekeeping, self._announcer)

    async def revoked(self, partition: TopicPartition) -> None:
        """Nothing to hand over."""
