"""The registry of consumer groups: who reads which topics together, and keeps offsets at the broker.

Access control and scaling by lag read these declarations, as they read :mod:`rondo_common.topics`. A reader
without a group (the directory, what is read again) is told its partitions and commits nothing, so it is
not here. To add a group, add one declaration and list it in :data:`CONSUMER_GROUPS`.
"""

from __future__ import annotations

from dataclasses import dataclass

from rondo_common.topics import (
    AGENTS,
    ALERTS,
    CHAT_REQUESTS,
    CONVERSATIONS,
    LIVE_METRICS_MOMENTS,
    Topic,
)
from rondo_common.webhooks import SOURCES


@dataclass(frozen=True, slots=True)
class ConsumerGroup:
    """One group: its name at the broker, the service whose processes share it, and what they read."""

    name: str
    service: str
    topics: tuple[Topic, ...]


ROUTER = ConsumerGroup("rondo.router", "router", (CHAT_REQUESTS,))
NOTIFIER = ConsumerGroup("rondo.notifier", "notifier", (CONVERSATIONS, AGENTS))
NOTIFIER_ALERTS = ConsumerGroup("rondo.notifier.alerts", "notifier", (CONVERSATIONS, AGENTS, ALERTS))
"""A group of its own, so that alerts never delay a mailbox."""
WEBHOOKS = ConsumerGroup("rondo.webhooks", "notifier", SOURCES)
"""A group of its own, so that webhooks never delay a mailbox."""
HISTORY = ConsumerGroup("rondo.history", "history", (CHAT_REQUESTS, CONVERSATIONS))
LIVE_METRICS = ConsumerGroup(
    "rondo.live-metrics", "live-metrics", (CHAT_REQUESTS, CONVERSATIONS, LIVE_METRICS_MOMENTS)
)

CONSUMER_GROUPS: tuple[ConsumerGroup, ...] = (
    ROUTER,
    NOTIFIER,
    NOTIFIER_ALERTS,
    WEBHOOKS,
    HISTORY,
    LIVE_METRICS,
)
