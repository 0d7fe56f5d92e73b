"""The directory in memory: what is written is seen at once, by everybody."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence

from rondo_common.directory.entries import WorkspaceEntry
from rondo_common.directory.view import Directory, DirectoryChange, WorkspaceDirectory
from rondo_common.errors import Unavailable
from rondo_common.ids import ApiKeyId, WorkspaceId
from rondo_gateway.ports import Definition


class FakeDirectory:
    """A :class:`rondo_gateway.ports.DirectoryView` and ``DirectoryLog`` without servers."""

    def __init__(self) -> None:
        self.view = Directory()
        self.is_unreachable = False
        self.unread: list[tuple[WorkspaceId, Definition]] = []
        """Written at another gateway; seen here after the next refresh."""
        self.refreshes = 0
        self._offset = 0

    def find(self, workspace_id: WorkspaceId) -> WorkspaceDirectory | None:
        return self.view.find(workspace_id)

    def workspaces(self) -> Iterable[WorkspaceEntry]:
        return self.view.workspaces()

    def find_api_key(self, sha256: str) -> tuple[WorkspaceId, ApiKeyId] | None:
        return self.view.find_api_key(sha256)

    def find_site(self, site_key: str) -> WorkspaceId | None:
        return self.view.find_site(site_key)

    def is_origin_known(self, origin: str) -> bool:
        return self.view.is_origin_known(origin)

    async def refresh(self) -> None:
        self._check()
        self.refreshes += 1
        for workspace_id, definition in self.unread:
            self._apply(workspace_id, definition)
        self.unread.clear()

    async def see_own_writes(self, workspace_id: WorkspaceId) -> None:  # noqa: ARG002 - they are seen
        self._check()

    async def newest_offset(self, workspace_id: WorkspaceId) -> int:  # noqa: ARG002 - one log for all
        self._check()
        return self._offset

    @contextlib.asynccontextmanager
    async def changing(self, workspace_id: WorkspaceId) -> AsyncIterator[None]:  # noqa: ARG002 - the port's
        self._check()
        yield

    async def write(self, workspace_id: WorkspaceId, definitions: Sequence[Definition]) -> list[int]:
        self._check()
        return [self._apply(workspace_id, definition) for definition in definitions]

    def _apply(self, workspace_id: WorkspaceId, definition: Definition) -> int:
        offset, self._offset = self._offset, self._offset + 1
        self.view.apply(
            DirectoryChange(workspace_id, definition.kind, definition.entry_id, definition.event, 0, offset)
        )
        return offset

    def _check(self) -> None:
        if self.is_unreachable:
            raise Unavailable("kafka", "switched off by the test")
