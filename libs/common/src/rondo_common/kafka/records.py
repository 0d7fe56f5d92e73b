"""Records as handlers see them: the event, and where it stands in the log."""

from __future__ import annotations

from dataclasses import dataclass

from aiokafka import ConsumerRecord

from rondo_common.envelope import Envelope, decode
from rondo_common.events import Event


@dataclass(frozen=True, slots=True)
class Record:
    """An event at its place. ``offset`` counts within (``topic``, ``partition``)."""

    topic: str
    partition: int
    offset: int
    envelope: Envelope[Event]

    @property
    def event(self) -> Event:
        """The fact itself."""
        return self.envelope.event


def read_record(raw: ConsumerRecord) -> Record:
    """Decode a consumed record. Raises ``Rejected`` when it carries no event known here."""
    return Record(raw.topic, raw.partition, raw.offset, decode(raw.headers, raw.value))
