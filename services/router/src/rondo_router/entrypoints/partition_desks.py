"""The desks: for each partition owned here, its records, its directory and its timers, one at a time.

Records come from the consumer loop, changes of the directory from its reader, timers from
:meth:`PartitionDesks.run_timers`. All go through the desk's lock, so that the log tells what happened
in the order in which it was decided.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from aiokafka import TopicPartition

from rondo_common.clock import Clock, milliseconds
from rondo_common.directory.view import Directory, DirectoryChange
from rondo_common.errors import Fenced, Lost, Retryable
from rondo_common.ids import WorkspaceId
from rondo_common.kafka.records import Record
from rondo_router.domain.instruction import Instruction, instruction_of_timer, read_timer
from rondo_router.domain.seat import seat_of
from rondo_router.domain.seating import directory_of, follow_changes, take_over
from rondo_router.handlers.rebuilding import Rebuilding
from rondo_router.handlers.routing import Router
from rondo_router.ports import Epoch, Switchboard

log = structlog.get_logger(__name__)

RETRY_S = 0.5
DECIDED_TOGETHER = 100
"""How many instructions travel together, while those before are told."""
LOST_CHECK_S = 2.0
"""How often the switchboard is asked whether it still knows everybody."""


@dataclass(slots=True)
class _Desk:
    """One owned partition. ``due`` holds when each workspace's next timer is due, in ms."""

    partition: int
    epoch: Epoch
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    workspaces: set[WorkspaceId] = field(default_factory=set)
    """Those that were adopted."""
    due: dict[WorkspaceId, int] = field(default_factory=dict)
    is_unsettled: bool = False
    """True when something may have been decided and not told."""


class PartitionDesks:
    """A :class:`rondo_common.kafka.consumer.Handler` that also minds the directory and the timers."""

    def __init__(
        self,
        router: Router,
        switchboard: Switchboard,
        directory: Directory,
        rebuilding: Rebuilding,
        *,
        clock: Clock,
    ) -> None:
        self._router = router
        self._switchboard = switchboard
        self._directory = directory
        self._rebuilding = rebuilding
        self._clock = clock
        self._desks: dict[int, _Desk] = {}
        self._timer_set = asyncio.Event()

    # -- coming and going -----------------------------------------------------------------------

    async def assigned(self, partition: TopicPartition) -> None:
        """Fence off earlier owners, then settle what they left: what was decided is told first, then
        timers that are due are fired."""
        number = partition.partition
        desk = _Desk(number, await self._switchboard.claim(number, self._now_ms()))
        async with desk.lock:
            self._desks[number] = desk  # From here on changes of the directory wait for the lock.
            await self._bring_up(desk)
            await self._fire_due(desk)
        self._timer_set.set()

    async def revoked(self, partition: TopicPartition) -> None:
        """Leave the partition to its next owner."""
        self._desks.pop(partition.partition, None)

    # -- what comes in --------------------------------------------------------------------------

    async def handle(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        """Decide a batch of records."""
        desk = self._desks[partition.partition]
        instructions = await self._router.read([record.envelope for record in records])
        if instructions:
            async with desk.lock:
                await self._carry_out(desk, instructions)

    async def directory_changed(self, changes: Sequence[DirectoryChange]) -> None:
        """Carry changes over, for partitions owned here. Raises ``Retryable``; repeat it then."""
        by_partition: dict[int, list[DirectoryChange]] = {}
        for change in changes:
            by_partition.setdefault(change.partition, []).append(change)
        for number, own in by_partition.items():
            desk = self._desks.get(number)
            if desk is not None:
                await self._follow(desk, own)

    async def run_timers(self) -> None:
        """Fire timers as they fall due, until cancelled. Late or twice is harmless.

        Now and then, see whether the switchboard has lost its memory while nothing happened.
        """
        loop = asyncio.get_running_loop()
        checked_at = loop.time()
        while True:
            self._timer_set.clear()
            is_check_due = loop.time() - checked_at >= LOST_CHECK_S
            await self.mind_desks(is_check_due=is_check_due)
            if is_check_due:
                checked_at = loop.time()
            # Not wait_for: in Python 3.11 it swallows a cancellation that comes as the event is set.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds_to_next()):
                    await self._timer_set.wait()

    async def mind_desks(self, *, is_check_due: bool) -> None:
        """Fire what is due now, once round; with ``is_check_due``, rebuild what was lost before."""
        for desk in list(self._desks.values()):
            if is_check_due or (desk.due and min(desk.due.values()) <= self._now_ms()):
                await self._mind(desk, is_check_due=is_check_due)

    # -- at the desk ----------------------------------------------------------------------------

    async def _carry_out(self, desk: _Desk, instructions: Sequence[Instruction]) -> None:
        """Decide, publish, show; after whatever is due or was left half done."""
        try:
            try:
                await self._settle(desk)
                await self._overlapping(desk, instructions)
            except Lost:
                await self._bring_up(desk)
                await self._overlapping(desk, instructions)
        except Retryable:
            desk.is_unsettled = True
            raise

    async def _overlapping(self, desk: _Desk, instructions: Sequence[Instruction]) -> None:
        """Decide some while those before are told: all are told in the order they were decided."""
        telling: asyncio.Task[Mapping[WorkspaceId, int | None]] | None = None
        try:
            for start in range(0, len(instructions), DECIDED_TOGETHER):
                some = instructions[start : start + DECIDED_TOGETHER]
                told = await self._router.decide(desk.epoch, some, self._now_ms())
                if telling is not None:
                    self._schedule(desk, await telling)
                telling = asyncio.create_task(self._router.tell(desk.epoch, told))
            if telling is not None:
                self._schedule(desk, await telling)
        finally:
            if telling is not None:
                await asyncio.gather(telling, return_exceptions=True)

    async def _settle(self, desk: _Desk) -> None:
        """Tell first what was decided and not told, and decide what is due: the log keeps their order."""
        if desk.is_unsettled:
            await self._router.tell_untold(desk.epoch, sorted(desk.workspaces))
            desk.is_unsettled = False
        await self._fire_due(desk)

    async def _follow(self, desk: _Desk, changes: Sequence[DirectoryChange]) -> None:
        async with desk.lock:
            workspace_ids = {change.workspace_id for change in changes}
            try:
                new = sorted(workspace_ids - desk.workspaces)
                await self._switchboard.adopt(desk.epoch, desk.partition, new)
                desk.workspaces.update(new)
                instructions = follow_changes(changes, self._directory, self._clock())
                if instructions:
                    await self._carry_out(desk, instructions)
                    due = await self._switchboard.next_timers(sorted(workspace_ids))
                    self._schedule(desk, due)
            except Fenced:
                # The new owner carries it over: it reads the same directory.
                log.info("directory_change_left_to_new_owner", partition=desk.partition)

    async def _mind(self, desk: _Desk, *, is_check_due: bool) -> None:
        try:
            async with desk.lock:
                if is_check_due and await self._lost(desk):
                    await self._bring_up(desk)
                await self._fire_due(desk)
        except Lost:
            log.warning("switchboard_lost", partition=desk.partition)  # The next check brings it up.
        except Retryable as error:
            desk.is_unsettled = True
            log.warning("timers_blocked", reason=str(error))
            await asyncio.sleep(RETRY_S)

    async def _lost(self, desk: _Desk) -> list[WorkspaceId]:
        return await self._switchboard.lost(desk.partition, sorted(desk.workspaces))

    async def _bring_up(self, desk: _Desk) -> None:
        """Make the switchboard whole for the partition: rebuilt where it forgot, adopted, told to the
        end, seated as the directory says."""
        workspace_ids = sorted(self._directory.workspaces_of(desk.partition))
        lost = await self._switchboard.lost(desk.partition, workspace_ids)
        resumptions = await self._rebuilding.rebuild(desk.partition, desk.epoch, lost)
        await self._switchboard.adopt(desk.epoch, desk.partition, workspace_ids)
        desk.workspaces = set(workspace_ids)
        await self._router.tell_untold(desk.epoch, workspace_ids)
        desk.is_unsettled = False
        for workspace_id in workspace_ids:
            instructions = await self._take_over(desk, workspace_id, self._clock())
            await self._router.carry_out(desk.epoch, instructions, self._now_ms())
        await self._router.carry_out(desk.epoch, resumptions, self._now_ms())
        desk.due.clear()
        self._schedule(desk, await self._switchboard.next_timers(workspace_ids))

    async def _take_over(self, desk: _Desk, workspace_id: WorkspaceId, now: datetime) -> list[Instruction]:
        seated = await self._switchboard.seated(workspace_id)
        found = directory_of(self._directory, workspace_id)
        occasion = f"{desk.epoch}/{milliseconds(now)}"
        return take_over(workspace_id, found, seated.agents, seated.pools, occasion, now)

    # -- timers ---------------------------------------------------------------------------------

    async def _fire_due(self, desk: _Desk) -> None:
        now = self._clock()
        late = [each for each, due in desk.due.items() if due <= milliseconds(now)]
        if not late:
            return
        # The first of them only: many that are due at once leave room for what comes in meanwhile.
        timers = await self._switchboard.due_timers(late, milliseconds(now))
        instructions = [self._instruction_of_timer(*timer, now) for timer in timers]
        await self._router.carry_out(desk.epoch, instructions, milliseconds(now))
        _note(desk, await self._switchboard.next_timers(late))

    def _instruction_of_timer(self, workspace_id: WorkspaceId, name: str, now: datetime) -> Instruction:
        timer = read_timer(workspace_id, name)
        found = directory_of(self._directory, workspace_id)
        return instruction_of_timer(timer, seat_of(found, timer.agent_id, now))

    def _schedule(self, desk: _Desk, due: Mapping[WorkspaceId, int | None]) -> None:
        before = min(desk.due.values(), default=None)
        _note(desk, due)
        after = min(desk.due.values(), default=None)
        if after is not None and (before is None or after < before):
            self._timer_set.set()

    def _seconds_to_next(self) -> float:
        dues = [min(desk.due.values()) for desk in self._desks.values() if desk.due]
        to_next = max(0.0, (min(dues) - self._now_ms()) / 1000) if dues else LOST_CHECK_S
        return min(to_next, LOST_CHECK_S)

    def _now_ms(self) -> int:
        return milliseconds(self._clock())


def _note(desk: _Desk, due: Mapping[WorkspaceId, int | None]) -> None:
    for workspace_id, at in due.items():
        if at is None:
            desk.due.pop(workspace_id, None)
        else:
            desk.due[workspace_id] = at
