"""Rebuilding, measured."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rondo_common.clock import Clock
from rondo_common.ids import WorkspaceId
from rondo_common.meter import Meter
from rondo_common.metrics import REBUILD_DURATION, REBUILDS
from rondo_router.domain.instruction import Instruction
from rondo_router.handlers.rebuilding import Rebuilding
from rondo_router.ports import DirectoryView, Epoch, Recorder, Switchboard


class MeteredRebuilding(Rebuilding):
    """A :class:`Rebuilding` that counts what it brought back."""

    def __init__(
        self,
        meter: Meter,
        directory: DirectoryView,
        recorder: Recorder,
        switchboard: Switchboard,
        clock: Clock,
    ) -> None:
        super().__init__(directory, recorder, switchboard, clock)
        self._count = meter.counter(REBUILDS)
        self._durations = meter.histogram(REBUILD_DURATION)

    async def rebuild(self, partition: int, epoch: Epoch, lost: Sequence[WorkspaceId]) -> list[Instruction]:
        """See :class:`Rebuilding`."""
        began = time.perf_counter()
        resumptions = await super().rebuild(partition, epoch, lost)
        if lost:
            self._count.inc(len(lost))
            self._durations.observe(time.perf_counter() - began)
        return resumptions
