"""The last windows of every workspace's live metrics, as they stand on their topic."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from rondo_common.conversation import Value
from rondo_common.events import WorkspaceMetrics
from rondo_common.ids import EventId, WorkspaceId
from rondo_common.waits import Waits

WINDOWS_MAX = 30
"""How many windows of a workspace are kept: those of five minutes without a pause."""
BEFORE_THE_LOG = -1


class WaitFigures(Waits):
    """Waits with their percentiles: each the end of its bucket, at most the longest wait."""

    p50_s: float | None
    p90_s: float | None
    p99_s: float | None


class MetricsWindow(WorkspaceMetrics):
    """One window of a workspace's live metrics."""

    offer_wait: WaitFigures
    accept_wait: WaitFigures


class MetricsWindows(Value):
    """The last windows, oldest first. One without anything in it, and without open chats, is left out."""

    data: list[MetricsWindow]


class MetricsSnapshot(MetricsWindows):
    """What a stream begins with. ``resumed`` false: what was missed is no longer kept one by one."""

    resumed: bool | None = None


class MetricsEvent(Value):
    """One event of the stream of live metrics: the first one a snapshot, then a window each."""

    id: EventId
    type: Literal["snapshot", "workspace.metrics"]
    conversation_id: None = None
    occurred_at: datetime
    data: MetricsSnapshot | MetricsWindow


@dataclass(frozen=True, slots=True)
class Posted:
    """A window as last told: where in the log, and under which event id."""

    offset: int
    event_id: EventId
    window: MetricsWindow


@dataclass(slots=True)
class _OfWorkspace:
    windows: dict[datetime, Posted] = field(default_factory=dict)
    dropped_offset: int = BEFORE_THE_LOG


class MetricsBoard:
    """Takes the topic's records in and keeps the last windows of each workspace. In memory."""

    def __init__(self) -> None:
        self._workspaces: dict[WorkspaceId, _OfWorkspace] = {}

    def post(
        self, workspace_id: WorkspaceId, event_id: EventId, metrics: WorkspaceMetrics, offset: int
    ) -> None:
        """Take the next record in: a new window, or the correction of one."""
        board = self._workspaces.setdefault(workspace_id, _OfWorkspace())
        # Put at the end also when it was there: in the order of the log.
        board.windows.pop(metrics.window_start, None)
        board.windows[metrics.window_start] = Posted(offset, event_id, _window_of(metrics))
        if len(board.windows) > WINDOWS_MAX:
            dropped = board.windows.pop(min(board.windows))
            board.dropped_offset = max(board.dropped_offset, dropped.offset)

    def windows(self, workspace_id: WorkspaceId) -> list[MetricsWindow]:
        """The last windows of a workspace, by time."""
        board = self._workspaces.get(workspace_id, _OfWorkspace())
        return [board.windows[start].window for start in sorted(board.windows)]

    def after(self, workspace_id: WorkspaceId, offset: int) -> list[Posted] | None:
        """What was told behind an offset of the log, in its order; None when not all of it is kept."""
        board = self._workspaces.get(workspace_id, _OfWorkspace())
        if offset < board.dropped_offset:
            return None
        return [each for each in board.windows.values() if each.offset > offset]


def _window_of(metrics: WorkspaceMetrics) -> MetricsWindow:
    fields = dict(metrics)
    for name in ("offer_wait", "accept_wait"):
        fields[name] = _with_percentiles(fields[name])
    return MetricsWindow(**fields)


def _with_percentiles(waits: Waits) -> WaitFigures:
    return WaitFigures(
        **dict(waits),
        p50_s=waits.percentile_s(0.5),
        p90_s=waits.percentile_s(0.9),
        p99_s=waits.percentile_s(0.99),
    )
