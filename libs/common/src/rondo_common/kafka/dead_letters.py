"""The dead-letter topic: what can never be handled is kept as it was, with why and where."""

from __future__ import annotations

from aiokafka import ConsumerRecord

from rondo_common.kafka.publisher import Outgoing, Publisher
from rondo_common.topics import DEAD_LETTERS

REASON_LENGTH_MAX = 2000


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
        headers = [*raw.headers, *((name, text.encode()) for name, text in why.items())]
        key = (raw.key or b"").decode(errors="replace")
        await self._publisher.publish([Outgoing(DEAD_LETTERS, 0, key, raw.value, headers)])
