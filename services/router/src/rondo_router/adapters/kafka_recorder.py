"""Reading the log again, from a time on: what a Redis that was lost is rebuilt from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from datetime import datetime

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from rondo_common.clock import milliseconds
from rondo_common.errors import Rejected, Unavailable
from rondo_common.ids import WorkspaceId
from rondo_common.kafka.records import read_record
from rondo_common.topics import AGENTS, CONVERSATIONS
from rondo_router.domain.memory import Recorded

log = structlog.get_logger(__name__)

POLL_TIMEOUT_MS = 500
BATCH_MAX = 5_000


class KafkaRecorder:
    """See :class:`rondo_router.ports.Recorder`. Each recall reads with a consumer of its own."""

    def __init__(self, make_reader: Callable[[], AIOKafkaConsumer]) -> None:
        self._make_reader = make_reader

    async def recall(
        self, partition: int, workspace_ids: Collection[WorkspaceId], since: datetime
    ) -> AsyncIterator[tuple[WorkspaceId, Recorded]]:
        """See :class:`Recorder`."""
        wanted = {each.encode(): each for each in workspace_ids}
        reader = self._make_reader()
        try:
            await reader.start()
            async for raw in _until_now(reader, _partitions(partition), since):
                workspace_id = wanted.get(dict(raw.headers).get("ce_rondoworkspace", b""))
                recorded = None if workspace_id is None else _read(raw)
                if workspace_id is not None and recorded is not None:
                    yield workspace_id, recorded
        except KafkaError as error:
            raise Unavailable("kafka", error) from error
        finally:
            await reader.stop()


def _partitions(partition: int) -> list[TopicPartition]:
    """Conversations are spread by their own id; the workspaces' agents are where their requests are."""
    conversations = [TopicPartition(CONVERSATIONS.name, n) for n in range(CONVERSATIONS.partitions)]
    return [*conversations, TopicPartition(AGENTS.name, partition)]


async def _until_now(
    reader: AIOKafkaConsumer, partitions: list[TopicPartition], since: datetime
) -> AsyncIterator[ConsumerRecord]:
    """Every record from then on that is there when this is called, each partition's in order."""
    reader.assign(partitions)
    ends = await reader.end_offsets(partitions)
    starts = await reader.offsets_for_times(dict.fromkeys(partitions, milliseconds(since)))
    for each, start in starts.items():
        reader.seek(each, ends[each] if start is None else start.offset)
    left = set(partitions)
    while left:
        left = {each for each in left if await reader.position(each) < ends[each]}
        batches = await reader.getmany(timeout_ms=POLL_TIMEOUT_MS, max_records=BATCH_MAX) if left else {}
        for raws in batches.values():
            for raw in raws:
                yield raw


def _read(raw: ConsumerRecord) -> Recorded | None:
    try:
        return Recorded(read_record(raw).envelope, raw.offset)
    except Rejected as error:
        log.warning("record_not_recalled", topic=raw.topic, offset=raw.offset, reason=str(error))
        return None
