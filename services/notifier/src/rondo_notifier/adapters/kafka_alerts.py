"""Telling people of what they must see to, through ``rondo.alerts``."""

from __future__ import annotations

from rondo_common.envelope import Envelope
from rondo_common.events import WebhookDisabled
from rondo_common.kafka.publisher import Publisher, outgoing


class KafkaAlerts:
    """See :class:`rondo_notifier.ports.Alerts`."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def publish(self, envelope: Envelope[WebhookDisabled]) -> None:
        """See :class:`Alerts`."""
        await self._publisher.publish([outgoing(envelope, envelope.event.webhook_id)])
