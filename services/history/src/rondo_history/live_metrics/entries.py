"""What stands on the internal topic of live metrics, by workspace: moments, and watermarks between them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from rondo_common.conversation import Value
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_common.kafka.partitioning import partition_of
from rondo_common.kafka.publisher import Outgoing
from rondo_common.topics import CHAT_REQUESTS, CONVERSATIONS, LIVE_METRICS_MOMENTS
from rondo_history.domain.chat_moments import Moment


class MomentEntry(Value):
    """A moment of a chat."""

    type: Literal["moment"] = "moment"
    workspace_id: WorkspaceId
    conversation_id: ConversationId
    moment: Moment


class WatermarkEntry(Value):
    """All of the partition ``source`` that happened before ``read_until_ms`` stands before this."""

    type: Literal["watermark"] = "watermark"
    source: str
    read_until_ms: int


Entry = Annotated[MomentEntry | WatermarkEntry, Field(discriminator="type")]
ENTRY: TypeAdapter[MomentEntry | WatermarkEntry] = TypeAdapter(Entry)


def source_of(topic: str, partition: int) -> str:
    """How a partition is called in watermarks."""
    return f"{topic}/{partition}"


def all_sources() -> frozenset[str]:
    """Every partition that is counted from."""
    return frozenset(
        source_of(topic.name, number)
        for topic in (CHAT_REQUESTS, CONVERSATIONS)
        for number in range(topic.partitions)
    )


def moment_record(entry: MomentEntry) -> Outgoing:
    """The record of a moment, in its workspace's partition."""
    partition = partition_of(LIVE_METRICS_MOMENTS, entry.workspace_id, "")
    return _record(entry, partition, entry.workspace_id)


def watermark_records(source: str, read_until_ms: int) -> list[Outgoing]:
    """The records of a watermark: one in every partition."""
    entry = WatermarkEntry(source=source, read_until_ms=read_until_ms)
    return [_record(entry, partition, source) for partition in range(LIVE_METRICS_MOMENTS.partitions)]


def _record(entry: MomentEntry | WatermarkEntry, partition: int, key: str) -> Outgoing:
    value = entry.model_dump_json(exclude_none=True).encode()
    return Outgoing(LIVE_METRICS_MOMENTS, partition, key, value, [])
