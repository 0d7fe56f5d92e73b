"""The directory: a view of the whole topic in memory, and writes that are answered once seen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager

from rondo_common.clock import Clock
from rondo_common.directory.entries import WorkspaceEntry, directory_key
from rondo_common.directory.reader import DirectoryReader
from rondo_common.directory.view import Directory, WorkspaceDirectory
from rondo_common.envelope import Envelope
from rondo_common.errors import Unavailable
from rondo_common.ids import ApiKeyId, EventId, WorkspaceId
from rondo_common.kafka.partitioning import partition_of
from rondo_common.kafka.publisher import Outgoing, Publisher, outgoing
from rondo_common.topics import DIRECTORY
from rondo_gateway.adapters.redis_directory_offsets import RedisDirectoryOffsets
from rondo_gateway.adapters.redis_turns import RedisTurns
from rondo_gateway.handlers.source import SOURCE
from rondo_gateway.ports import Definition

CATCH_UP_TIMEOUT_S = 2.0
REFRESH_INTERVAL_S = 0.25
SEEN_TIMEOUT_S = 4.0


class Refresh:
    """Catches up at most once an interval, for all callers together.

    A caller is served by a run that began after they came: an earlier one may have missed what they
    look for.
    """

    def __init__(self, catch_up: Callable[[], Awaitable[None]], *, interval_s: float) -> None:
        self._catch_up = catch_up
        self._interval_s = interval_s
        self._turn = asyncio.Lock()
        self._begun = 0
        self._ended = 0
        self._failure: Unavailable | None = None
        self._not_before_s = 0.0

    async def __call__(self) -> None:
        """Return after a run that began from now on. Raises ``Unavailable``."""
        begun_before = self._begun
        async with self._turn:
            if self._ended <= begun_before:
                await self._run()
            if self._failure is not None:
                raise self._failure

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._not_before_s - loop.time())
        self._begun += 1
        self._not_before_s = loop.time() + self._interval_s
        self._failure = None
        try:
            await self._catch_up()
        except Unavailable as error:
            self._failure = error
        self._ended = self._begun


class ReadDirectory:
    """See :class:`rondo_gateway.ports.DirectoryView`."""

    def __init__(
        self, directory: Directory, reader: DirectoryReader, offsets: RedisDirectoryOffsets
    ) -> None:
        self._directory = directory
        self._reader = reader
        self._offsets = offsets
        self._refresh = Refresh(self.catch_up, interval_s=REFRESH_INTERVAL_S)

    def find(self, workspace_id: WorkspaceId) -> WorkspaceDirectory | None:
        """See :class:`DirectoryView`."""
        return self._directory.find(workspace_id)

    def workspaces(self) -> Iterable[WorkspaceEntry]:
        """See :class:`DirectoryView`."""
        return self._directory.workspaces()

    def find_api_key(self, sha256: str) -> tuple[WorkspaceId, ApiKeyId] | None:
        """See :class:`DirectoryView`."""
        return self._directory.find_api_key(sha256)

    def find_site(self, site_key: str) -> WorkspaceId | None:
        """See :class:`DirectoryView`."""
        return self._directory.find_site(site_key)

    def is_origin_known(self, origin: str) -> bool:
        """See :class:`DirectoryView`."""
        return self._directory.is_origin_known(origin)

    async def refresh(self) -> None:
        """See :class:`DirectoryView`."""
        await self._refresh()

    async def see_own_writes(self, workspace_id: WorkspaceId) -> None:
        """See :class:`DirectoryView`."""
        await self.seen(workspace_id, await self._offsets.newest(workspace_id))

    async def newest_offset(self, workspace_id: WorkspaceId) -> int:
        """See :class:`DirectoryView`."""
        return await self._offsets.newest(workspace_id)

    async def catch_up(self) -> None:
        """Return when everything written before this call was read. Raises ``Unavailable``."""
        await self._reader.catch_up(CATCH_UP_TIMEOUT_S)

    async def seen(self, workspace_id: WorkspaceId, offset: int) -> None:
        """Return when the workspace was read up to ``offset`` (exclusive). Raises ``Unavailable``."""
        try:
            async with asyncio.timeout(SEEN_TIMEOUT_S):
                await self._reader.reached(workspace_id, offset)
        except TimeoutError:
            raise Unavailable("kafka", "the directory lags") from None


class KafkaDirectoryLog:
    """See :class:`rondo_gateway.ports.DirectoryLog`."""

    def __init__(
        self,
        view: ReadDirectory,
        publisher: Publisher,
        offsets: RedisDirectoryOffsets,
        turns: RedisTurns,
        clock: Clock,
        new_id: Callable[[], EventId],
    ) -> None:
        self._view = view
        self._publisher = publisher
        self._offsets = offsets
        self._turns = turns
        self._clock = clock
        self._new_id = new_id

    def changing(self, workspace_id: WorkspaceId) -> AbstractAsyncContextManager[None]:
        """See :class:`DirectoryLog`."""
        return self._turns.turn(workspace_id)

    async def write(self, workspace_id: WorkspaceId, definitions: Sequence[Definition]) -> list[int]:
        """See :class:`DirectoryLog`."""
        records = [self._record(workspace_id, definition) for definition in definitions]
        written = await self._publisher.publish(records)
        offset = max(each.offset for each in written) + 1
        await self._view.seen(workspace_id, offset)
        await self._offsets.note(workspace_id, offset)
        return [each.offset for each in written]

    def _record(self, workspace_id: WorkspaceId, definition: Definition) -> Outgoing:
        key = directory_key(workspace_id, definition.kind, definition.entry_id)
        if definition.event is None:
            return Outgoing(DIRECTORY, partition_of(DIRECTORY, workspace_id, key), key, None, [])
        envelope = Envelope(self._new_id(), SOURCE, self._clock(), workspace_id, definition.event)
        return outgoing(envelope, key)
