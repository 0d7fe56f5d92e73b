"""Retention: how long conversations are kept, and which months are over for everybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rondo_common.directory.entries import WorkspaceEntry, WorkspaceSettings
from rondo_common.ids import WorkspaceId

RETENTION_DAYS_DEFAULT = WorkspaceSettings().retention_days


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """Conversations whose last event was earlier are kept no longer.

    ``others`` is for workspaces that are not named: those that were deleted.
    """

    by_workspace: Mapping[WorkspaceId, datetime]
    others: datetime

    @property
    def earliest(self) -> datetime:
        """What was earlier than this is past everybody's retention."""
        return min((*self.by_workspace.values(), self.others))


def cutoffs_of(workspaces: Iterable[WorkspaceEntry], now: datetime) -> Cutoffs:
    """What each workspace's ``retention_days`` mean at the moment ``now``."""
    return Cutoffs(
        by_workspace={each.id: _days_before(now, each.settings.retention_days) for each in workspaces},
        others=_days_before(now, RETENTION_DAYS_DEFAULT),
    )


def _days_before(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)
