"""A router with everything around it in memory, and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime

from aiokafka import TopicPartition

from rondo_common.directory.view import Directory, DirectoryChange
from rondo_common.envelope import Envelope
from rondo_common.errors import Unavailable
from rondo_common.events import Event
from rondo_common.ids import EventId, WorkspaceId
from rondo_common.kafka.records import Record
from rondo_common.topics import CHAT_REQUESTS
from rondo_router.bootstrap import TRANSLATIONS
from rondo_router.domain.memory import Recorded
from rondo_router.domain.outcome import RouterEvent
from rondo_router.entrypoints.partition_desks import PartitionDesks
from rondo_router.handlers.rebuilding import Rebuilding
from rondo_router.handlers.routing import Router
from rondo_router.ports import Announcer, Switchboard
from tests.router.provisioned import NOON


class MemoryLog:
    """The topics that routers write: an announcer and a recorder. Fails when told to."""

    def __init__(self) -> None:
        self.records: list[Recorded] = []
        self.failures = 0
        """How many announcements to come fail before anything is written."""
        self.recalls = 0

    async def announce(self, envelopes: Sequence[Envelope[RouterEvent]]) -> list[int]:
        if self.failures:
            self.failures -= 1
            raise Unavailable("kafka", "told to fail")
        return [self.write(each) for each in envelopes]

    def write(self, envelope: Envelope[Event]) -> int:
        self.records.append(Recorded(envelope, len(self.records)))
        return len(self.records) - 1

    async def recall(
        self,
        partition: int,  # noqa: ARG002 - the port's
        workspace_ids: Collection[WorkspaceId],
        since: datetime,
    ) -> AsyncIterator[tuple[WorkspaceId, Recorded]]:
        self.recalls += 1
        for record in list(self.records):
            if record.envelope.workspace_id in workspace_ids and record.envelope.time >= since:
                yield record.envelope.workspace_id, record

    def types(self) -> list[str]:
        """What was told, in short."""
        return [record.envelope.event.TYPE.split(".")[-2] for record in self.records]

    def ids(self) -> list[EventId]:
        return [record.envelope.id for record in self.records]


class DirectoryLog:
    """The directory topic. A :class:`Reader` follows it at its own pace."""

    def __init__(self) -> None:
        self.changes: list[DirectoryChange] = []

    def write(self, *changes: DirectoryChange | Sequence[DirectoryChange]) -> None:
        for each in changes:
            self.changes += [each] if isinstance(each, DirectoryChange) else each


class Reader:
    """One process's view of the directory: as new as it was told, or as somebody waits for."""

    def __init__(self, log: DirectoryLog, *, reads_on_demand: bool) -> None:
        self._log = log
        self._reads_on_demand = reads_on_demand
        self._read = 0
        self._left: list[DirectoryChange] = []
        """What is in the view, and was not told to the desks yet."""
        self._moved = asyncio.Event()
        self.directory = Directory()
        self.desks: PartitionDesks | None = None

    def catch_up(self) -> None:
        """Have everything in the view that was written so far."""
        new = self._log.changes[self._read :]
        for each in new:
            self.directory.apply(each)
        self._read = len(self._log.changes)
        if self.desks is not None:
            self._left += new

    async def follow(self) -> None:
        """Read on, and tell the desks before anybody who waits goes on. Repeat it when it fails."""
        self.catch_up()
        if self._left and self.desks is not None:
            await self.desks.directory_changed(list(self._left))
            self._left.clear()
        self._moved.set()

    async def reached(self, workspace_id: WorkspaceId, offset: int) -> None:
        while self._offset_of(workspace_id) < offset:
            if self._reads_on_demand:
                await self.follow()
            else:
                self._moved.clear()
                await self._moved.wait()

    def _offset_of(self, workspace_id: WorkspaceId) -> int:
        told = self._log.changes[: self._read - len(self._left)]
        return max((each.offset for each in told if each.workspace_id == workspace_id), default=-1) + 1


class Process:
    """One router process on a switchboard and a log that it shares with others."""

    def __init__(
        self,
        board: Switchboard,
        announcer: Announcer,
        log: MemoryLog,
        directory_log: DirectoryLog,
        clock: Callable[[], datetime],
        *,
        reads_on_demand: bool = False,
    ) -> None:
        self.reader = Reader(directory_log, reads_on_demand=reads_on_demand)
        self.reader.catch_up()
        directory = self.reader.directory
        router = Router(TRANSLATIONS, self.reader, directory, board, announcer)
        rebuilding = Rebuilding(directory, log, board, clock)
        self.desks = PartitionDesks(router, board, directory, rebuilding, clock=clock)
        self.reader.desks = self.desks

    async def assigned(self, partition: int) -> None:
        await self.desks.assigned(TopicPartition(CHAT_REQUESTS.name, partition))

    async def revoked(self, partition: int) -> None:
        await self.desks.revoked(TopicPartition(CHAT_REQUESTS.name, partition))

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        await self.desks.handle(TopicPartition(CHAT_REQUESTS.name, partition), records)

    async def follow(self) -> None:
        await self.reader.follow()


def record_of(partition: int, offset: int, cause: str, workspace_id: WorkspaceId, event: Event) -> Record:
    """A record of the requests' topic."""
    envelope = Envelope(EventId(cause), "/rondo/gateway", NOON, workspace_id, event)
    return Record(CHAT_REQUESTS.name, partition, offset, envelope)
