"""Keeping a :class:`Directory` true: reads the whole topic from its beginning, then follows it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from rondo_common.directory.entries import parse_directory_key
from rondo_common.directory.view import Directory, DirectoryChange
from rondo_common.envelope import decode
from rondo_common.errors import Rejected, Retryable, Unavailable
from rondo_common.ids import WorkspaceId
from rondo_common.kafka.partitioning import partition_of
from rondo_common.topics import DIRECTORY

log = structlog.get_logger(__name__)

RETRY_DELAY_S = 0.5
POLL_TIMEOUT_MS = 500
BATCH_MAX = 5000

Listener = Callable[[Sequence[DirectoryChange]], Awaitable[None]]
"""Told of changes after the view has them and before :meth:`DirectoryReader.reached` does. Called
again with the same changes when it raises ``Retryable``."""


class DirectoryReader:
    """Reads every partition of the directory, without a group: each process has the whole view."""

    def __init__(self, consumer: AIOKafkaConsumer, directory: Directory) -> None:
        self._consumer = consumer
        self._directory = directory
        self._listener: Listener | None = None
        self._partitions = [TopicPartition(DIRECTORY.name, n) for n in range(DIRECTORY.partitions)]
        self._positions = dict.fromkeys(range(DIRECTORY.partitions), 0)
        self._moved = asyncio.Condition()
        self._started = asyncio.Event()
        self._reading = asyncio.Event()

    def tell(self, listener: Listener) -> None:
        """Have ``listener`` told of every change from now on."""
        self._listener = listener

    async def run(self) -> None:
        """Follow the topic until cancelled."""
        await self._start()
        try:
            self._consumer.assign(self._partitions)
            await self._consumer.seek_to_beginning(*self._partitions)
            self._reading.set()
            while True:
                try:
                    await self._turn()
                except KafkaError as error:
                    log.warning("directory_unreachable", reason=repr(error))
                    await asyncio.sleep(RETRY_DELAY_S)
        finally:
            await self._consumer.stop()

    async def close(self) -> None:
        """Let go of the consumer, also of one that never ran. Again is fine."""
        await self._consumer.stop()

    def position(self, workspace_id: WorkspaceId) -> int:
        """How far the workspace's partition was read: the next offset."""
        return self._positions[partition_of(DIRECTORY, workspace_id, "")]

    async def reached(self, workspace_id: WorkspaceId, offset: int) -> None:
        """Wait until the workspace's partition was read up to ``offset`` (exclusive)."""
        partition = partition_of(DIRECTORY, workspace_id, "")
        if self._positions[partition] >= offset:
            return
        async with self._moved:
            await self._moved.wait_for(lambda: self._positions[partition] >= offset)

    async def catch_up(self, timeout_s: float) -> None:
        """Wait until everything written before this call was read.

        Raises:
            Unavailable: that took longer than ``timeout_s``.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._reading.wait()
                ends = await self._consumer.end_offsets(self._partitions)
                async with self._moved:
                    await self._moved.wait_for(
                        lambda: all(self._positions[each.partition] >= end for each, end in ends.items())
                    )
        except (KafkaError, TimeoutError) as error:
            raise Unavailable("kafka", error or "the directory lags") from error

    async def _start(self) -> None:
        while True:
            try:
                await self._consumer.start()
            except KafkaError as error:
                log.warning("directory_unreachable", reason=repr(error))
                await asyncio.sleep(RETRY_DELAY_S)
            else:
                return

    async def _turn(self) -> None:
        batches = await self._consumer.getmany(timeout_ms=POLL_TIMEOUT_MS, max_records=BATCH_MAX)
        for partition, raws in batches.items():
            changes = [change for raw in raws if (change := _read_change(raw)) is not None]
            for change in changes:
                self._directory.apply(change)
            await self._tell(changes)
            await self._move({partition: raws[-1].offset + 1})
        if not batches:
            # Compaction may have removed the last records: then there is nothing more to come.
            await self._move({each: await self._consumer.position(each) for each in self._partitions})

    async def _move(self, positions: Mapping[TopicPartition, int]) -> None:
        async with self._moved:
            self._positions |= {each.partition: offset for each, offset in positions.items()}
            self._moved.notify_all()

    async def _tell(self, changes: list[DirectoryChange]) -> None:
        while self._listener is not None and changes:
            try:
                await self._listener(changes)
            except Retryable as error:
                log.warning("directory_listener_blocked", reason=str(error))
                await asyncio.sleep(RETRY_DELAY_S)
            else:
                return


def _read_change(raw: ConsumerRecord) -> DirectoryChange | None:
    """The change a record means. One that cannot be read is skipped: the last good entry stands."""
    try:
        workspace_id, kind, entry_id = parse_directory_key(raw.key.decode())
        event = None if raw.value is None else decode(raw.headers, raw.value).event
    except (Rejected, ValueError, AttributeError) as error:  # The last: a record without a key.
        log.warning("directory_record_skipped", offset=raw.offset, reason=str(error))
        return None
    return DirectoryChange(workspace_id, kind, entry_id, event, raw.partition, raw.offset)
