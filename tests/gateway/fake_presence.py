"""Presence in memory."""

from __future__ import annotations

from datetime import datetime, timedelta

from rondo_common.errors import Unavailable
from rondo_common.ids import AgentId, WorkspaceId

Who = tuple[WorkspaceId, AgentId]


class FakePresence:
    """A :class:`rondo_gateway.ports.Presence` without a server."""

    def __init__(self) -> None:
        self.leases: dict[Who, datetime] = {}
        self.announced: dict[Who, datetime] = {}
        self.renewals = 0
        self.is_unreachable = False

    async def ends_at(self, workspace_id: WorkspaceId, agent_id: AgentId) -> datetime | None:
        """When the agent's lease ends: what the router reads."""
        return self.leases.get((workspace_id, agent_id))

    async def lose(self, workspace_id: WorkspaceId) -> None:
        """Forget everything of a workspace, as a Redis that comes back empty."""
        for kept in (self.leases, self.announced):
            for who in [who for who in kept if who[0] == workspace_id]:
                del kept[who]

    async def renew(
        self,
        workspace_id: WorkspaceId,
        agent_id: AgentId,
        now: datetime,
        lease_s: float,
        margin_s: float = 0.0,
    ) -> bool:
        self._check()
        self.renewals += 1
        who = workspace_id, agent_id
        sure = now + timedelta(seconds=margin_s)
        is_held = self.leases.get(who, sure) > sure and self.announced.get(who, sure) > sure
        for kept in (self.leases, self.announced) if is_held else (self.leases,):
            _hold(kept, who, now + timedelta(seconds=lease_s))
        return not is_held

    async def note_announced(
        self, workspace_id: WorkspaceId, agent_id: AgentId, now: datetime, lease_s: float
    ) -> None:
        self._check()
        _hold(self.announced, (workspace_id, agent_id), now + timedelta(seconds=lease_s))

    async def present_at(self, workspace_id: WorkspaceId, now: datetime) -> set[AgentId]:
        self._check()
        return {
            agent_id
            for (where, agent_id), until in self.leases.items()
            if where == workspace_id and until > now
        }

    def _check(self) -> None:
        if self.is_unreachable:
            raise Unavailable("redis", "switched off by the test")


def _hold(kept: dict[Who, datetime], who: Who, until: datetime) -> None:
    kept[who] = max(until, kept.get(who, until))
