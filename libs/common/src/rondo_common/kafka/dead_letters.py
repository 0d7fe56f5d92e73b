"""The dead-letter topic: what can never be handled is kept as it was, with why and where."""

from __future__ import annotations

from aiokafka import ConsumerRecord

from rondo_common.kafka.publisher import Outgoing, Publisher
from rondo_common.topics import DEAD_LETTERS

REASON_LENGTH_MAX = 2000
VALUE_BYTES_MAX = 900_000
"""Above this, a record would not fit with its headers; it is kept cut, with ``rondo_cut_from``."""


class KafkaDeadLetters:
    """Writes rejected records to ``rondo.dead-letters``: same key, value and headers, and the
    headers ``rondo_reason``, ``rondo_topic``, ``rondo_partition``, ``rondo_offset``, ``rondo_reader``.
    """

    def __init__(self, publisher: Publisher, *, reader: str) -> None:
        self._publisher = publisher
        self._reader = reader

    async def bury(self, raw: ConsumerRecord, reason: str) -> None:
        """Keep ``raw``. Returns when the broker has it; raises ``Unavailable`` when it has not."""
        why = {
            "rondo_reason": reason[:REASON_LENGTH_MAX],
            "rondo_topic": raw.topic,
            "rondo_partition": str(raw.partition),
            "rondo_offset": str(raw.offset),
            "rondo_reader": self._reader,
        }
        value = raw.value
        if value is not None and len(value) > VALUE_BYTES_MAX:
            why["rondo_cut_from"] = str(len(value))
            value = value[:VALUE_BYTES_MAX]
        headers = [*raw.headers, *((name, text.encode()) for name, text in why.items())]
        # A key that is no UTF-8 goes through text and back unharmed; see the publisher.
        key = (raw.key or b"").decode(errors="surrogateescape")
        await self._publisher.publish([Outgoing(DEAD_LETTERS, 0, key, value, headers)])
