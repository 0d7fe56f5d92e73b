"""Alerts in memory, with a notifier that does what it is asked when the test says so."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from rondo_common.alerts import AlertRecord
from rondo_common.ids import AgentId, AlertId, WorkspaceId


class FakeAlertBook:
    """A :class:`rondo_gateway.ports.AlertBook`. ``after``: what alerts become when waited for."""

    def __init__(self) -> None:
        self.records: dict[tuple[WorkspaceId, AlertId], AlertRecord] = {}
        self.after: dict[AlertId, AlertRecord] = {}

    def put(self, workspace_id: WorkspaceId, *records: AlertRecord) -> None:
        self.records |= {(workspace_id, each.id): each for each in records}

    async def of_agent(self, workspace_id: WorkspaceId, agent_id: AgentId) -> list[AlertRecord]:
        found = [each for (where, _), each in self.records.items() if where == workspace_id]
        mine = [each for each in found if each.agent_id == agent_id]
        return sorted(mine, key=lambda each: each.created_at, reverse=True)

    async def find(self, workspace_id: WorkspaceId, alert_id: AlertId) -> AlertRecord | None:
        return self.records.get((workspace_id, alert_id))

    @contextlib.asynccontextmanager
    async def watched(
        self, workspace_id: WorkspaceId, alert_id: AlertId
    ) -> AsyncIterator[Callable[[AlertRecord, float], Awaitable[AlertRecord]]]:
        async def change(before: AlertRecord, _: float) -> AlertRecord:
            after = self.after.get(alert_id, before)
            self.records[workspace_id, alert_id] = after
            return after

        yield change
