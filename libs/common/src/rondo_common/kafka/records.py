"""Records as handlers see them: the event, and where it stands in the log."""

from __future__ import annotations

from dataclasses import dataclass

from aiokafka import ConsumerRecord

from rondo_common.envelope import TRACEPARENT_HEADER, Envelope, decode
from rondo_common.events import Event


@dataclass(frozen=True, slots=True)
class Record:
    """An event at its place. ``offset`` counts within (``topic``, ``partition``)."""

    topic: str
    partition: int
    offset: int
    envelope: Envelope[Event]
    traceparent: str | None = None
    """The W3C trace context of what caused it, where somebody traces."""

    @property
    def event(self) -> Event:
        """The fact itself."""
        return self.envelope.event


def read_record(raw: ConsumerRecord) -> Record:
    """Decode a consumed record. Raises ``Rejected`` when it carries no event known here."""
    envelope = decode(raw.headers, raw.value)
    return Record(raw.topic, raw.partition, raw.offset, envelope, _traceparent(raw))


def _traceparent(raw: ConsumerRecord) -> str | None:
    found = next((value for name, value in raw.headers if name == TRACEPARENT_HEADER), None)
    return None if found is None else found.decode(errors="replace")
