"""The topics about conversations come in here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition

from rondo_common.events import Event
from rondo_common.kafka.records import Record
from rondo_history.domain.fact import Place
from rondo_history.handlers import Reading, keep_facts
from rondo_history.ports import Archive


class TopicsConsumer:
    """A :class:`rondo_common.kafka.consumer.Handler` that fills the archive."""

    def __init__(self, readings: Mapping[type[Event], Reading], archive: Archive) -> None:
        self._readings = readings
        self._archive = archive

    async def assigned(self, partition: TopicPartition) -> None:
        """Nothing to prepare: the archive knows what it has."""

    async def handle(self, partition: TopicPartition, records: Sequence[Record]) -> None:  # noqa: ARG002 - the port's
        """Keep a batch. See :func:`rondo_history.handlers.keep_facts` for what it raises."""
        logged = [
            (record.envelope, Place(record.topic, record.partition, record.offset)) for record in records
        ]
        await keep_facts(logged, self._readings, self._archive)

    async def revoked(self, partition: TopicPartition) -> None:
        """Nothing to hand over."""
