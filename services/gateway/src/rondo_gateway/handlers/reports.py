"""Reports, for those who may see them."""

from __future__ import annotations

from datetime import date, datetime

from rondo_common.clock import Clock
from rondo_common.permissions import Permission
from rondo_gateway.domain.permissions import require_permission, require_staff
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.domain.report import Grouping, Report, question_of
from rondo_gateway.ports import DirectoryView, History


class Reports:
    """Tells how live chat went."""

    def __init__(self, directory: DirectoryView, history: History, clock: Clock) -> None:
        self._directory = directory
        self._history = history
        self._clock = clock

    async def live_chat(
        self,
        caller: Principal,
        *,
        start: datetime | date | None,
        end: datetime | date | None,
        grouping: Grouping,
        time_zone: str | None,
        exported: bool,
    ) -> Report:
        """The figures of a period; ``exported`` when they leave as a file.

        Raises:
            NotPermitted: the caller is no backend, and their profile does not permit it.
            Invalid: there can be no such period.
        """
        workspace_id = require_staff(caller).workspace_id
        found = self._directory.find(workspace_id)
        if found is None or found.workspace is None:
            raise NotFound("workspace", workspace_id)
        needed = Permission.ANALYTICS_EXPORT if exported else Permission.ANALYTICS_VIEW
        require_permission(caller, found, needed)
        zone = time_zone or found.workspace.settings.time_zone
        question = question_of(start, end, grouping, zone, self._clock())
        return await self._history.live_chat_report(workspace_id, question)
