"""Live metrics in memory, told by the test."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator

from rondo_common.errors import Unavailable
from rondo_common.events import WorkspaceMetrics
from rondo_common.ids import EventId, WorkspaceId
from rondo_gateway.domain.metrics_board import MetricsBoard, MetricsWindow, Posted


class FakeLiveMetrics:
    """A :class:`rondo_gateway.ports.LiveMetrics` without a server."""

    def __init__(self) -> None:
        self.is_unreachable = False
        self._board = MetricsBoard()
        self._offset = -1  # As an empty log ends.
        self._bells: defaultdict[WorkspaceId, set[asyncio.Event]] = defaultdict(set)

    def tell(self, workspace_id: WorkspaceId, metrics: WorkspaceMetrics) -> int:
        """What live metrics do; the offset in the log."""
        self._offset += 1
        self._board.post(workspace_id, EventId(f"metrics-{self._offset}"), metrics, self._offset)
        for bell in self._bells[workspace_id]:
            bell.set()
        return self._offset

    async def windows(self, workspace_id: WorkspaceId) -> list[MetricsWindow]:
        self._check()
        return self._board.windows(workspace_id)

    async def last_offset(self, workspace_id: WorkspaceId) -> int:  # noqa: ARG002 - one log for all
        self._check()
        return self._offset

    async def after(self, workspace_id: WorkspaceId, offset: int) -> list[Posted] | None:
        self._check()
        return self._board.after(workspace_id, offset)

    @contextlib.asynccontextmanager
    async def listen(self, workspace_id: WorkspaceId) -> AsyncIterator[asyncio.Event]:
        bell = asyncio.Event()
        self._bells[workspace_id].add(bell)
        try:
            yield bell
        finally:
            self._bells[workspace_id].discard(bell)

    def _check(self) -> None:
        if self.is_unreachable:
            raise Unavailable("kafka", "switched off by the test")
