"""What is to be told comes in here: the topics of conversations and of agents."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka import TopicPartition

from rondo_common.kafka.records import Record
from rondo_notifier.handlers.mailboxes import tell_recipients
from rondo_notifier.ports import Mailboxes


class TopicsConsumer:
    """A :class:`rondo_common.kafka.consumer.Handler` that fills mailboxes."""

    def __init__(self, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes

    async def assigned(self, partition: TopicPartition) -> None:
        """Nothing to prepare: mailboxes know what they were told."""

    async def handle(self, partition: TopicPartition, records: Sequence[Record]) -> None:  # noqa: ARG002 - the port's
        """Tell the recipients of a batch."""
        await tell_recipients([(record.envelope, record.offset) for record in records], self._mailboxes)

    async def revoked(self, partition: TopicPartition) -> None:
        """Nothing to hand over."""
