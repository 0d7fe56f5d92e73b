"""Telling people of what they must see to, through ``rondo.alerts``."""

from __future__ import annotations

from collections.abc import Sequence

from rondo_common.envelope import Envelope
from rondo_common.events import AlertEvent, CoverageAlarm, WebhookDisabled
from rondo_common.kafka.publisher import Publisher, outgoing


class KafkaAlerts:
    """See :class:`rondo_notifier.ports.Alerts`."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def publish(self, envelope: Envelope[WebhookDisabled]) -> None:
        """See :class:`Alerts`."""
        await self._publisher.publish([outgoing(envelope, envelope.event.webhook_id)])

    async def publish_alerts(self, envelopes: Sequence[Envelope[AlertEvent | CoverageAlarm]]) -> None:
        """See :class:`rondo_notifier.ports.AlertLog`."""
        if envelopes:
            await self._publisher.publish([outgoing(each, _key(each)) for each in envelopes])


def _key(envelope: Envelope[AlertEvent | CoverageAlarm]) -> str:
    """The agent; the workspace for what is about all of it."""
    event = envelope.event
    return event.agent_id if isinstance(event, AlertEvent) else envelope.workspace_id
