"""The desks: for each partition owned here, its records and its timers, one at a time.

Records come from the consumer loop, timers from :meth:`PartitionDesks.run_timers`. Both go through the
desk's lock, so that the log tells what happened in the order in which it was decided.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from aiokafka import TopicPartition

from rondo_common.clock import Clock, milliseconds
from rondo_common.errors import Retryable
from rondo_common.ids import WorkspaceId
from rondo_common.kafka.records import Record
from rondo_router.domain.instruction import instruction_of_timer
from rondo_router.handlers import Router
from rondo_router.ports import Epoch, Switchboard

log = structlog.get_logger(__name__)

TIMER_RETRY_S = 0.5
IDLE_S = 60.0


@dataclass(slots=True)
class _Desk:
    """One owned partition. ``due`` holds when each workspace's next timer is due, in ms."""

    epoch: Epoch
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    due: dict[WorkspaceId, int] = field(default_factory=dict)


class PartitionDesks:
    """A :class:`rondo_common.kafka.consumer.Handler` that also minds the timers."""

    def __init__(
        self,
        router: Router,
        switchboard: Switchboard,
        *,
        take_over: Callable[[int, Epoch], Awaitable[None]],
        give_up: Callable[[int], None],
        workspaces_of: Callable[[int], Sequence[WorkspaceId]],
        clock: Clock,
    ) -> None:
        self._router = router
        self._switchboard = switchboard
        self._take_over = take_over
        self._give_up = give_up
        self._workspaces_of = workspaces_of
        self._clock = clock
        self._desks: dict[int, _Desk] = {}
        self._timer_set = asyncio.Event()

    async def assigned(self, partition: TopicPartition) -> None:
        """Fence off earlier owners, then settle what they left: timers that are due come first."""
        number = partition.partition
        epoch = await self._switchboard.claim(number, self._now())
        await self._take_over(number, epoch)
        desk = _Desk(epoch)
        workspace_ids = self._workspaces_of(number)
        _note(desk, await self._switchboard.next_timers(workspace_ids))
        async with desk.lock:
            await self._fire_due(desk)
        self._desks[number] = desk
        self._timer_set.set()

    async def handle(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        """Decide a batch of records."""
        desk = self._desks[partition.partition]
        instructions = await self._router.read([record.envelope for record in records])
        if instructions:
            async with desk.lock:
                # A timer decided but not yet told must be told before anything newer is shown.
                await self._fire_due(desk)
                due = await self._router.carry_out(desk.epoch, instructions, self._now())
            self._schedule(desk, due)

    async def revoked(self, partition: TopicPartition) -> None:
        """Leave the partition to its next owner."""
        self._desks.pop(partition.partition, None)
        self._give_up(partition.partition)

    async def run_timers(self) -> None:
        """Fire timers as they fall due, until cancelled. Late or twice is harmless."""
        while True:
            self._timer_set.clear()
            for desk in list(self._desks.values()):
                if desk.due and min(desk.due.values()) <= self._now():
                    await self._fire(desk)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._timer_set.wait(), self._seconds_to_next())

    async def _fire(self, desk: _Desk) -> None:
        try:
            async with desk.lock:
                await self._fire_due(desk)
        except Retryable as error:
            log.warning("timers_blocked", reason=str(error))
            await asyncio.sleep(TIMER_RETRY_S)

    async def _fire_due(self, desk: _Desk) -> None:
        now = self._now()
        late = [workspace_id for workspace_id, due in desk.due.items() if due <= now]
        if not late:
            return
        while timers := await self._switchboard.due_timers(late, now):
            instructions = [instruction_of_timer(*timer) for timer in timers]
            _note(desk, await self._router.carry_out(desk.epoch, instructions, now))
        _note(desk, await self._switchboard.next_timers(late))

    def _schedule(self, desk: _Desk, due: Mapping[WorkspaceId, int | None]) -> None:
        before = min(desk.due.values(), default=None)
        _note(desk, due)
        after = min(desk.due.values(), default=None)
        if after is not None and (before is None or after < before):
            self._timer_set.set()

    def _seconds_to_next(self) -> float:
        dues = [min(desk.due.values()) for desk in self._desks.values() if desk.due]
        return max(0.0, (min(dues) - self._now()) / 1000) if dues else IDLE_S

    def _now(self) -> int:
        return milliseconds(self._clock())


def _note(desk: _Desk, due: Mapping[WorkspaceId, int | None]) -> None:
    for workspace_id, at in due.items():
        if at is None:
            desk.due.pop(workspace_id, None)
        else:
            desk.due[workspace_id] = at
