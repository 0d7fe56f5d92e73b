"""Live metrics: the last windows of the caller's workspace, and every new one as it comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rondo_common.clock import Clock
from rondo_common.ids import EventId, WorkspaceId
from rondo_gateway.domain.cursors import Cursor
from rondo_gateway.domain.metrics_board import MetricsEvent, MetricsSnapshot, MetricsWindows, Posted
from rondo_gateway.domain.permissions import require_analytics
from rondo_gateway.domain.principals import AgentCaller, Backend, Operator, Principal
from rondo_gateway.domain.refusals import NotPermitted
from rondo_gateway.handlers.authentication import Authentication
from rondo_gateway.handlers.live_feed import Told
from rondo_gateway.ports import DirectoryView, LiveMetrics


@dataclass(slots=True)
class MetricsFeed:
    """One reader's way along their workspace's windows."""

    workspace_id: WorkspaceId
    is_permitted: Callable[[], Awaitable[bool]]
    """Whether the reader may still read. Raises ``Unavailable``."""
    _metrics: LiveMetrics
    _clock: Clock
    _new_id: Callable[[], EventId]
    _offset: int = 0

    async def start(self, last: Cursor | None) -> list[Told]:
        """Go on right after ``last`` if that is possible; else a snapshot. Raises ``Unavailable``."""
        if last is None:
            return [await self._snapshot(resumed=None)]
        self._offset = last.milliseconds - 1
        return await self.next()

    async def next(self) -> list[Told]:
        """What was told since, in the order of the log. Raises ``Unavailable``."""
        posted = await self._metrics.after(self.workspace_id, self._offset)
        if posted is None:
            return [await self._snapshot(resumed=False)]
        if posted:
            self._offset = posted[-1].offset
        return [_told(each) for each in posted]

    async def _snapshot(self, *, resumed: bool | None) -> Told:
        self._offset = await self._metrics.last_offset(self.workspace_id)
        windows = await self._metrics.windows(self.workspace_id)
        event = MetricsEvent(
            id=self._new_id(),
            type="snapshot",
            occurred_at=self._clock(),
            data=MetricsSnapshot(data=windows, resumed=resumed),
        )
        return Told(_cursor_after(self._offset), event.type, event.model_dump_json())


class MetricsQueries:
    """Answers those who may see figures."""

    def __init__(
        self,
        authentication: Authentication,
        directory: DirectoryView,
        metrics: LiveMetrics,
        clock: Clock,
        new_id: Callable[[], EventId],
    ) -> None:
        self._authentication = authentication
        self._directory = directory
        self._metrics = metrics
        self._clock = clock
        self._new_id = new_id

    async def windows(self, caller: Principal) -> MetricsWindows:
        """The last windows of the caller's workspace."""
        permitted = self._permitted(caller)
        return MetricsWindows(data=await self._metrics.windows(permitted.workspace_id))

    async def feed(self, caller: Principal) -> MetricsFeed:
        """Everything that is told of the caller's workspace from now on."""
        permitted = self._permitted(caller)

        async def is_permitted() -> bool:
            if not await self._authentication.may_stay(permitted):
                return False
            try:
                self._permitted(permitted)
            except NotPermitted:
                return False
            return True

        return MetricsFeed(permitted.workspace_id, is_permitted, self._metrics, self._clock, self._new_id)

    def _permitted(self, caller: Principal) -> Backend | AgentCaller:
        found = None if isinstance(caller, Operator) else self._directory.find(caller.workspace_id)
        return require_analytics(caller, found)


def _told(posted: Posted) -> Told:
    event = MetricsEvent(
        id=posted.event_id,
        type="workspace.metrics",
        occurred_at=posted.window.window_end,
        data=posted.window,
    )
    return Told(_cursor_after(posted.offset), event.type, event.model_dump_json())


def _cursor_after(offset: int) -> Cursor:
    """Where to go on: the next offset. An empty log ends at -1, and its first record must not be missed."""
    return Cursor(offset + 1, 0)
