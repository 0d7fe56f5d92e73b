"""Alarming a workspace's people: once when nobody is reached or waits are long, once when that is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from rondo_common.alerts import AlarmKind
from rondo_common.clock import Clock, milliseconds
from rondo_common.conversation import FallbackReason
from rondo_common.directory.view import Directory, WorkspaceDirectory
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AssignmentOffered,
    ChatFellBack,
    ChatQueued,
    CoverageAlarm,
    CoverageAlarmRaised,
    CoverageAlarmResolved,
    Event,
)
from rondo_common.ids import WorkspaceId, derived_event_id
from rondo_notifier.domain.alerts import SOURCE
from rondo_notifier.domain.coverage import overdue, seen, staffing_of, uncovered
from rondo_notifier.ports import AlertLog, CoverageStore, RaisedAlarm

Say = Callable[[WorkspaceId, str], Awaitable[object]]
"""Writes a line into the workspace's chat rooms; never raises."""


class CoverageWatch:
    """Looks after workspaces. For one workspace, one call at a time."""

    def __init__(
        self, directory: Directory, store: CoverageStore, log: AlertLog, say: Say, clock: Clock
    ) -> None:
        self._directory = directory
        self._store = store
        self._log = log
        self._say = say
        self._clock = clock

    async def take(self, envelopes: Iterable[Envelope[Event]]) -> None:
        """Put down what events say of coverage. Raises ``Unavailable``; repeat it then."""
        moments: list[tuple[WorkspaceId, str, datetime]] = []
        waiting = []
        for each in envelopes:
            match each.event:
                case AssignmentOffered(offered_at=at):
                    moments.append((each.workspace_id, "offered_at", at))
                case ChatFellBack(fallback=fallback) if fallback.reason is FallbackReason.NOBODY_AVAILABLE:
                    moments.append((each.workspace_id, "fell_back_at", each.time))
                case ChatQueued(conversation_id=conversation_id, queued_at=at):
                    waiting.append((each.workspace_id, conversation_id, at))
        await self._store.note_moments(moments)
        await self._store.note_waiting(waiting)

    async def look(self, workspace_id: WorkspaceId) -> None:
        """Raise and resolve the workspace's alarms. Raises ``Unavailable``; repeat it then."""
        found = self._directory.find(workspace_id)
        if found is None or found.workspace is None:
            return
        now = self._clock()
        reasons = {
            AlarmKind.NOBODY_REACHABLE: await self._uncovered(workspace_id, found, now),
            AlarmKind.QUEUE_WAIT: await self._overdue(workspace_id, found, now),
        }
        raised = await self._store.alarms(workspace_id)
        for kind, detail in reasons.items():
            alarm = raised.get(kind)
            if alarm is None and detail is not None:
                alarm_id = derived_event_id(f"{workspace_id}/{kind}", str(milliseconds(now)))
                fresh = RaisedAlarm(id=alarm_id, kind=kind, raised_at=now, detail=detail)
                alarm = await self._store.keep_alarm(workspace_id, fresh)
            if alarm is not None and not alarm.is_told:
                alarm = await self._raise(workspace_id, alarm)
            if alarm is not None and (detail is None or alarm.is_over):
                await self._resolve(workspace_id, alarm, now)

    async def _uncovered(
        self, workspace_id: WorkspaceId, found: WorkspaceDirectory, now: datetime
    ) -> str | None:
        assert found.workspace is not None  # noqa: S101 - looked for above
        needs_presence = found.workspace.settings.presence_required
        present = await self._store.present(workspace_id, now) if needs_presence else set()
        staffing = staffing_of(found, present, now)
        before = await self._store.sightings(workspace_id)
        sightings = seen(before, staffing, now)
        if sightings != before:
            await self._store.note_staffing(workspace_id, sightings)
        return uncovered(staffing, sightings, found.workspace.settings.alerts.coverage_grace_s, now)

    async def _overdue(
        self, workspace_id: WorkspaceId, found: WorkspaceDirectory, now: datetime
    ) -> str | None:
        assert found.workspace is not None  # noqa: S101 - looked for above
        limit_s = found.workspace.settings.alerts.queue_wait_s
        if limit_s is None:
            return None
        return overdue(await self._store.oldest_waiting(workspace_id), limit_s, now)

    async def _raise(self, workspace_id: WorkspaceId, alarm: RaisedAlarm) -> RaisedAlarm:
        event = CoverageAlarmRaised(alarm_id=alarm.id, alarm=alarm.kind, detail=alarm.detail)
        await self._publish(workspace_id, alarm, event, "raised", alarm.raised_at)
        await self._say(workspace_id, alarm.detail)
        return await self._store.keep_alarm(workspace_id, alarm.model_copy(update={"is_told": True}))

    async def _resolve(self, workspace_id: WorkspaceId, alarm: RaisedAlarm, now: datetime) -> None:
        over_at = alarm.over_at or now
        if not alarm.is_over:
            ending = alarm.model_copy(update={"is_over": True, "over_at": over_at})
            alarm = await self._store.keep_alarm(workspace_id, ending)
        event = CoverageAlarmResolved(alarm_id=alarm.id, alarm=alarm.kind, raised_at=alarm.raised_at)
        await self._publish(workspace_id, alarm, event, "resolved", over_at)
        await self._store.drop_alarm(workspace_id, alarm)

    async def _publish(
        self, workspace_id: WorkspaceId, alarm: RaisedAlarm, event: CoverageAlarm, step: str, at: datetime
    ) -> None:
        event_id = derived_event_id(alarm.id, step)
        await self._log.publish_alerts([Envelope(event_id, SOURCE, at, workspace_id, event)])
