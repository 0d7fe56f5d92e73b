"""Which partition a record belongs in: the murmur2 hash that Kafka's own clients use."""

from __future__ import annotations

from aiokafka.partitioner import murmur2

from rondo_common.ids import WorkspaceId
from rondo_common.topics import Partitioner, Topic


def partition_of(topic: Topic, workspace_id: WorkspaceId, key: str) -> int:
    """The partition of ``topic`` for a record of this workspace with this key. Pure."""
    hashed = workspace_id if topic.partitioner is Partitioner.WORKSPACE else key
    return int(murmur2(hashed.encode()) & 0x7FFFFFFF) % topic.partitions
