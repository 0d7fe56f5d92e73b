"""What a service gives the consumer loop: a handler of records, and a place for those it cannot handle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from aiokafka import ConsumerRecord, TopicPartition

from rondo_common.kafka.records import Record


class Handler(Protocol):
    """What a service does with records.

    For one partition nothing is called before what was called earlier has returned (or was cancelled,
    when the partition was taken away and the drain took too long); for several, side by side.
    """

    async def assigned(self, partition: TopicPartition) -> None:
        """Prepare for a partition, before its first batch.

        Raises:
            Retryable: it is called again later; the partition waits. Anything else ends the process.
        """

    async def handle(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        """Do the service's work for a partition's next records, decoded, in order.

        Returns when every effect is durable and every event it publishes is confirmed. It may be
        called again with the same records.

        Raises:
            Retryable: the whole batch is tried again later.
            Rejected: the record at ``index`` can never succeed; the others are tried again without it.
            Fatal: the process ends.

        Anything else is a defect: the records are tried one by one, and those that raise it again are
        treated as rejected.
        """

    async def revoked(self, partition: TopicPartition) -> None:
        """Let go of a partition, after its last batch; also when ``assigned`` never succeeded.

        The group waits for it, so it is quick. What it raises is logged, and the partition is gone.
        """


class DeadLetters(Protocol):
    """Keeps records that can never succeed."""

    async def bury(self, raw: ConsumerRecord, reason: str) -> None:
        """Keep ``raw`` as it is, with why. Returns when it is safe; raises ``Retryable``."""
