"""Places in memory."""

from __future__ import annotations

from rondo_common.ids import WorkspaceId


class FakePlaces:
    """A :class:`rondo_gateway.ports.Places` without a server."""

    def __init__(self) -> None:
        self._given: dict[WorkspaceId, int] = {}

    async def next(self, workspace_id: WorkspaceId, last: int) -> int | None:
        return await self.begin(workspace_id, last) if workspace_id in self._given else None

    async def begin(self, workspace_id: WorkspaceId, last: int) -> int:
        self._given[workspace_id] = max(self._given.get(workspace_id, 0), last) + 1
        return self._given[workspace_id]

    def forget(self) -> None:
        """Lose everything, as Redis may."""
        self._given.clear()
