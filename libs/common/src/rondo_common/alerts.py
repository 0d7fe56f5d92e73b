"""The words about alerts: how an agent is told of an offer, and what became of that.

The notifier keeps alerts and tells of every change on ``rondo.alerts``; the gateway shows them. An alert
stands where its last event left it: after ``rondo.alert.delivered.v1`` it is ``delivered``, and so on.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from rondo_common.conversation import Value
from rondo_common.ids import AgentId, AlertId, ConversationId, EventId, derived_event_id

ALERTS_KEPT_MAX = 200
"""Of one agent; the oldest go first."""
ALERTS_KEPT_S = 24 * 60 * 60
"""After an alert's last change."""
RECORD_FIELD = "record"
"""Of the hash that an alert is in Redis: what everybody may know of it, in JSON."""


class AlertState(StrEnum):
    """Where an alert stands, and where one of its channels does."""

    SENT = "sent"
    """On its way to the agent; nobody has confirmed it."""
    DELIVERED = "delivered"
    """The push service or the mail server has taken it."""
    ACKNOWLEDGED = "acknowledged"
    """The agent answered the offer, or said that they have seen it."""
    ESCALATED = "escalated"
    """Nobody answered, so the next channel was turned to."""
    WITHDRAWN = "withdrawn"
    """There is nothing to answer any more."""
    FAILED = "failed"
    """No channel could be told."""


class AlertKind(StrEnum):
    """What an alert is about."""

    OFFER = "offer"


class ChannelName(StrEnum):
    """The ways to an agent."""

    INBOX = "inbox"
    """The agent's live stream: a banner with a sound and a countdown. Only while an inbox is open."""
    WEB_PUSH = "web_push"
    EMAIL = "email"
    CHAT_HOOKS = "chat_hooks"
    """The workspace's rooms in a chat system such as Slack."""


class ClosingReason(StrEnum):
    """Why there is nothing to answer any more."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    RESCINDED = "rescinded"
    """The visitor left, or the agent cannot answer any more."""


class AlarmKind(StrEnum):
    """What a workspace's people are alarmed of."""

    NOBODY_REACHABLE = "nobody_reachable"
    """In the hours of some agent's schedule."""
    QUEUE_WAIT = "queue_wait"
    """Somebody waits longer than ``alerts.queue_wait_s``."""


class ChannelReport(Value):
    """What became of an alert on one channel."""

    channel: ChannelName
    state: AlertState
    at: datetime
    """When it came to this state."""
    error: str | None = None
    """Why it failed, or could not be told yet."""


class AlertRecord(Value):
    """An alert, as everybody may know it. No personal data."""

    id: AlertId
    agent_id: AgentId
    conversation_id: ConversationId
    kind: AlertKind = AlertKind.OFFER
    state: AlertState
    channels: tuple[ChannelReport, ...] = ()
    """In the order they were turned to."""
    attempt: int
    """Of the offer, in its conversation."""
    created_at: datetime
    expires_at: datetime
    """When the offer is over, unless it is answered before."""

    def report(self, channel: ChannelName) -> ChannelReport | None:
        """What became of it on a channel; None when it was not turned to."""
        return next((each for each in self.channels if each.channel is channel), None)


def alert_id_of(offer: EventId) -> AlertId:
    """The id of the alert that an offer leads to: the same whenever, and by whomever, it is read."""
    return AlertId(f"alr_{derived_event_id(offer, 'alert').replace('-', '')}")
