"""What endpoints are to be told comes in here; with a partition of conversations, a share of endpoints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiokafka import TopicPartition

from rondo_common.kafka.records import Record
from rondo_common.topics import CONVERSATIONS
from rondo_notifier.entrypoints.webhook_shares import WebhookShares
from rondo_notifier.handlers.webhooks import WebhookPlanning


class WebhookTopicsConsumer:
    """A :class:`rondo_common.kafka.consumer.Handler` that schedules webhooks.

    ``catch_up`` returns when the directory was read as far as it was written, so that an endpoint hears
    of all that happened after its definition was answered.
    """

    def __init__(
        self, planning: WebhookPlanning, shares: WebhookShares, catch_up: Callable[[], Awaitable[None]]
    ) -> None:
        self._planning = planning
        self._shares = shares
        self._catch_up = catch_up

    async def assigned(self, partition: TopicPartition) -> None:
        """Take over the share of the same number."""
        await self._catch_up()
        if partition.topic == CONVERSATIONS.name:
            await self._shares.take(partition.partition)

    async def handle(self, partition: TopicPartition, records: Sequence[Record]) -> None:  # noqa: ARG002 - the port's
        """Schedule what a batch leads to."""
        await self._catch_up()
        await self._planning.plan([record.envelope for record in records])

    async def revoked(self, partition: TopicPartition) -> None:
        """Let the share go."""
        if partition.topic == CONVERSATIONS.name:
            await self._shares.let_go(partition.partition)
