"""What the notifier does for people, measured: rings, deliveries on every channel, and alerts."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rondo_common.alerts import AlarmKind, AlertState, ChannelName
from rondo_common.clock import Clock
from rondo_common.directory.entries import AgentEntry, WebhookEntry
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AlertEvent,
    AssignmentOffered,
    CoverageAlarm,
    CoverageAlarmRaised,
    WebhookDisabled,
)
from rondo_common.ids import EventId, WorkspaceId
from rondo_common.kafka.publisher import Publisher
from rondo_common.mailbox import stream_type
from rondo_common.meter import Meter
from rondo_common.metrics import (
    ALERTS_TOLD,
    COVERAGE_ALARMS,
    DELIVERIES,
    DELIVERY_DURATION,
    RING_DELAY,
    WEBHOOKS_DISABLED,
)
from rondo_common.webhooks import Attempt
from rondo_notifier.adapters.kafka_alerts import KafkaAlerts
from rondo_notifier.domain.recipients import Delivery, Oblivion, ToAgent
from rondo_notifier.ports import Channel, Mailboxes, Notice, Receipt, WebhookSender

WEBHOOK = "webhook"
RING = stream_type(AssignmentOffered.TYPE)


class NotifierMeter:
    """The notifier's instruments."""

    def __init__(self, meter: Meter, clock: Clock) -> None:
        self.clock = clock
        ways = [(name.value, each) for name in ChannelName for each in ("told", "refused", "later")]
        self.deliveries = meter.counter(DELIVERIES, *ways, (WEBHOOK, "told"), (WEBHOOK, "failed"))
        self.durations = meter.histogram(DELIVERY_DURATION)
        self.rings = meter.histogram(RING_DELAY)
        self.alerts = meter.counter(ALERTS_TOLD, *((each.value,) for each in AlertState))
        changes = [(kind.value, each) for kind in AlarmKind for each in ("raised", "resolved")]
        self.alarms = meter.counter(COVERAGE_ALARMS, *changes)
        self.disabled = meter.counter(WEBHOOKS_DISABLED)


class MeteredMailboxes:
    """:class:`Mailboxes` that tell how long a ring took."""

    def __init__(self, mailboxes: Mailboxes, meter: NotifierMeter) -> None:
        self._mailboxes = mailboxes
        self._meter = meter

    async def deliver(self, deliveries: Sequence[Delivery]) -> None:
        """See :class:`Mailboxes`."""
        await self._mailboxes.deliver(deliveries)
        now = self._meter.clock()
        for each in deliveries:
            if each.entry.type == RING and isinstance(each.to, ToAgent):
                self._meter.rings.observe(max(0.0, (now - each.entry.occurred_at).total_seconds()))

    async def forget(self, oblivion: Oblivion) -> None:
        """See :class:`Mailboxes`."""
        await self._mailboxes.forget(oblivion)


class MeteredChannel:
    """A :class:`Channel` whose receipts are counted."""

    def __init__(self, channel: Channel, meter: NotifierMeter) -> None:
        self._channel = channel
        self._meter = meter
        self.name = channel.name
        self.is_confirmed = channel.is_confirmed

    def reaches(self, workspace_id: WorkspaceId, agent: AgentEntry) -> bool:
        """See :class:`Channel`."""
        return self._channel.reaches(workspace_id, agent)

    async def deliver(self, notices: Sequence[Notice]) -> list[Receipt]:
        """See :class:`Channel`."""
        began = time.perf_counter()
        receipts = await self._channel.deliver(notices)
        self._meter.durations.labels(self.name.value).observe(time.perf_counter() - began)
        for receipt in receipts:
            self._meter.deliveries.labels(self.name.value, receipt.outcome).inc()
        return receipts


class MeteredWebhookSender:
    """A :class:`WebhookSender` whose attempts are counted."""

    def __init__(self, sender: WebhookSender, meter: NotifierMeter) -> None:
        self._sender = sender
        self._meter = meter

    async def send(
        self, entry: WebhookEntry, secrets: Sequence[str], body: str, event_id: EventId
    ) -> Attempt:
        """See :class:`WebhookSender`."""
        attempt = await self._sender.send(entry, secrets, body, event_id)
        outcome = "told" if attempt.error is None else "failed"
        self._meter.deliveries.labels(WEBHOOK, outcome).inc()
        self._meter.durations.labels(WEBHOOK).observe(attempt.duration_ms / 1000)
        return attempt


class MeteredAlerts(KafkaAlerts):
    """:class:`KafkaAlerts` that counts what the log has."""

    def __init__(self, publisher: Publisher, meter: NotifierMeter) -> None:
        super().__init__(publisher)
        self._meter = meter

    async def publish(self, envelope: Envelope[WebhookDisabled]) -> None:
        """See :class:`rondo_notifier.ports.Alerts`."""
        await super().publish(envelope)
        self._meter.disabled.inc()

    async def publish_alerts(self, envelopes: Sequence[Envelope[AlertEvent | CoverageAlarm]]) -> None:
        """See :class:`rondo_notifier.ports.AlertLog`."""
        await super().publish_alerts(envelopes)
        for envelope in envelopes:
            event = envelope.event
            if isinstance(event, AlertEvent):
                self._meter.alerts.labels(event.alert.state.value).inc()
            else:
                change = "raised" if isinstance(event, CoverageAlarmRaised) else "resolved"
                self._meter.alarms.labels(event.alarm.value, change).inc()
