"""When a workspace's people are to be alarmed, pure: nobody is there, or somebody waits for too long."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from rondo_common.availability import availability_at
from rondo_common.conversation import Value
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import AgentId

FELL_BACK_HOLDS_S = 60.0
"""Somebody who found nobody while agents were there (but full) is of concern for so long."""


@dataclass(frozen=True, slots=True)
class Staffing:
    """Who should be there, and who is."""

    is_expected: bool
    """Some agent's schedule has them there now."""
    is_reachable: bool
    """Somebody can be offered a chat, as far as they have room."""


class Sightings(Value):
    """What was last seen of a workspace."""

    fell_back_at: datetime | None = None
    """When a request last found nobody available."""
    offered_at: datetime | None = None
    """When somebody was last offered a chat."""
    unreachable_since: datetime | None = None
    """Since when nobody can be reached; None: somebody can."""
    reachable_since: datetime | None = None


def staffing_of(found: WorkspaceDirectory, present: Collection[AgentId], now: datetime) -> Staffing:
    """The staffing of a workspace at ``now``; ``present`` have an inbox open."""
    workspace = found.workspace
    if workspace is None or not workspace.settings.live_chat_enabled:
        return Staffing(is_expected=False, is_reachable=False)
    agents = [each.entry for each in found.agents.values() if found.may_chat(each.entry)]
    expected = any(availability_at(each.schedule, each.time_zone, None, now).available for each in agents)
    needs_presence = workspace.settings.presence_required
    reachable = any(
        found.availability_of(each, now).available and (not needs_presence or each.id in present)
        for each in agents
    )
    return Staffing(expected, reachable)


def seen(sightings: Sightings, staffing: Staffing, now: datetime) -> Sightings:
    """The sightings after somebody looked who is there."""
    if staffing.is_reachable:
        since = sightings.reachable_since or now
        return sightings.model_copy(update={"unreachable_since": None, "reachable_since": since})
    since = sightings.unreachable_since or now
    return sightings.model_copy(update={"unreachable_since": since, "reachable_since": None})


def uncovered(staffing: Staffing, sightings: Sightings, grace_s: float, now: datetime) -> str | None:
    """What to alarm people of, if visitors reach nobody in the workspace's hours."""
    if not staffing.is_expected:
        return None
    fell_back = sightings.fell_back_at
    if not staffing.is_reachable:
        since = sightings.unreachable_since or now
        if fell_back is not None and fell_back >= since:
            return "A visitor asked for a chat and nobody is there, though by schedule somebody should be."
        if now - since >= timedelta(seconds=grace_s):
            return "Nobody can be offered a chat, though by schedule somebody should be there."
        return None
    answered = max(
        (each for each in (sightings.offered_at, sightings.reachable_since) if each), default=None
    )
    if fell_back is None or (answered is not None and fell_back <= answered):
        return None
    if now - fell_back >= timedelta(seconds=FELL_BACK_HOLDS_S):
        return None
    return "A visitor asked for a chat and found nobody: everybody who is there has no room left."


def overdue(oldest: datetime | None, limit_s: int | None, now: datetime) -> str | None:
    """What to alarm people of, if whoever waits longest waits for too long."""
    if oldest is None or limit_s is None or now - oldest <= timedelta(seconds=limit_s):
        return None
    waits_s = int((now - oldest).total_seconds())
    return f"Somebody waits in the queue for {waits_s} s; the limit is {limit_s} s."
