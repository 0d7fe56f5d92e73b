"""The topic registry: every topic is declared here once, and everything else is derived from it.

Creation, documentation (AsyncAPI) and access control read these declarations; brokers never create
topics by themselves. To add a topic, add one declaration and list it in :data:`TOPICS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DAY_MS = 24 * 60 * 60 * 1000


class Partitioner(StrEnum):
    """What decides a record's partition. Either way by the murmur2 hash Kafka's clients share."""

    WORKSPACE = "workspace"
    """By workspace, whatever the key: all of a workspace is in one partition, in one order."""
    KEY = "key"
    """By the record's key."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic's declaration. ``retention_ms`` is None where compaction keeps the last of a key.

    ``readers`` are all who ever read it: also those without a group, such as the router, which reads the
    conversations again when Redis was lost.
    """

    name: str
    holds: str
    key: str
    partitioner: Partitioner
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    retention_ms: int | None
    partitions: int = 12
    compacted: bool = False
    internal: bool = False
    """One service's own bookkeeping: no events stand there, and nobody else may rely on it."""

    def config(self) -> dict[str, str]:
        """The broker's settings for this topic."""
        if self.compacted:
            # Five minutes: a reader that starts during a write burst still sees every tombstone.
            return {"cleanup.policy": "compact", "min.compaction.lag.ms": "300000"}
        return {"cleanup.policy": "delete", "retention.ms": str(self.retention_ms)}


CHAT_REQUESTS = Topic(
    name="rondo.chat.requests",
    holds="Chat requests and the commands on them, in the order the router decides them",
    key="workspace id",
    partitioner=Partitioner.WORKSPACE,
    writers=("gateway",),
    readers=("router", "history", "live-metrics"),
    retention_ms=90 * DAY_MS,
)
CONVERSATIONS = Topic(
    name="rondo.conversations",
    holds="Everything that happened in a conversation, assignments and messages, in one order",
    key="conversation id",
    partitioner=Partitioner.KEY,
    writers=("router", "gateway", "history"),
    readers=("router", "notifier", "history", "live-metrics"),
    retention_ms=90 * DAY_MS,
)
AGENTS = Topic(
    name="rondo.agents",
    holds="Which agents are available and present, in the order the router saw it",
    key="agent id",
    partitioner=Partitioner.WORKSPACE,
    writers=("router",),
    readers=("router", "notifier"),
    retention_ms=90 * DAY_MS,
)
DIRECTORY = Topic(
    name="rondo.directory",
    holds="All that a workspace has provisioned, as last defined; a tombstone removes",
    key="workspace id/kind/id",
    partitioner=Partitioner.WORKSPACE,
    writers=("gateway", "notifier"),
    readers=("gateway", "router", "history", "notifier"),
    retention_ms=None,
    compacted=True,
)
ALERTS = Topic(
    name="rondo.alerts",
    holds="What the notifier did and could not do, for people to be told of",
    key="what it is about: agent, webhook or workspace id",
    partitioner=Partitioner.WORKSPACE,
    writers=("notifier",),
    readers=("notifier", "operators"),
    retention_ms=90 * DAY_MS,
)
METRICS = Topic(
    name="rondo.metrics",
    holds="What happened in each workspace, in windows of 10 s; of a window, the last record stands",
    key="workspace id",
    partitioner=Partitioner.WORKSPACE,
    writers=("live-metrics",),
    readers=("gateway",),
    retention_ms=7 * DAY_MS,
)
LIVE_METRICS_MOMENTS = Topic(
    name="rondo.live-metrics.moments",
    holds="What live metrics read, by workspace, and how far each partition was read",
    key="workspace id",
    partitioner=Partitioner.WORKSPACE,
    writers=("live-metrics",),
    readers=("live-metrics",),
    retention_ms=7 * DAY_MS,
    internal=True,
)
LIVE_METRICS_CHATS = Topic(
    name="rondo.live-metrics-chats-changelog",
    holds="The chats live metrics count, as last known",
    key="workspace id/conversation id",
    partitioner=Partitioner.WORKSPACE,
    writers=("live-metrics",),
    readers=("live-metrics",),
    retention_ms=None,
    compacted=True,
    internal=True,
)
LIVE_METRICS_CLOSED = Topic(
    name="rondo.live-metrics-closed-changelog",
    holds="Up to when the windows of a partition's workspaces are told",
    key="partition",
    partitioner=Partitioner.KEY,
    writers=("live-metrics",),
    readers=("live-metrics",),
    retention_ms=None,
    compacted=True,
    internal=True,
)
DEAD_LETTERS = Topic(
    name="rondo.dead-letters",
    holds="Records that can never be handled, as they were, with why and where",
    key="as the original",
    partitioner=Partitioner.KEY,
    writers=("router", "notifier", "history"),
    readers=("operators",),
    retention_ms=90 * DAY_MS,
    partitions=1,
)

TOPICS: tuple[Topic, ...] = (
    CHAT_REQUESTS,
    CONVERSATIONS,
    AGENTS,
    DIRECTORY,
    ALERTS,
    METRICS,
    LIVE_METRICS_MOMENTS,
    LIVE_METRICS_CHATS,
    LIVE_METRICS_CLOSED,
    DEAD_LETTERS,
)
