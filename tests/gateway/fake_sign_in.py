"""Tickets and sessions in memory."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rondo_common.errors import Unavailable
from rondo_common.ids import AgentId, WorkspaceId
from rondo_common.redis.doorbells import Doorbell
from rondo_gateway.domain.sign_in import SESSIONS_OF_AGENT_MAX, KeptSession
from rondo_gateway.ports import Ticket

Who = tuple[WorkspaceId, AgentId]


@dataclass
class FakeTickets:
    """A :class:`rondo_gateway.ports.Tickets` without a server. Nothing expires: that is not its promise."""

    kept: dict[Ticket, str] = field(default_factory=dict)
    is_unreachable: bool = False

    async def keep(self, ticket: Ticket, content: str, ttl_s: int) -> None:
        self._check()
        assert ttl_s > 0
        self.kept[ticket] = content

    async def find(self, ticket: Ticket) -> str | None:
        self._check()
        return self.kept.get(ticket)

    async def take(self, ticket: Ticket) -> str | None:
        self._check()
        return self.kept.pop(ticket, None)

    def _check(self) -> None:
        if self.is_unreachable:
            raise Unavailable("redis", "switched off by the test")


class FakeSessions:
    """A :class:`rondo_gateway.ports.SessionStore` without a server."""

    def __init__(self, tickets: FakeTickets) -> None:
        self._tickets = tickets
        self.kept: defaultdict[Who, dict[str, tuple[datetime, KeptSession]]] = defaultdict(dict)
        self._bells: defaultdict[Who, set[Doorbell]] = defaultdict(set)
        self.is_unreachable = False

    async def begin(
        self,
        workspace_id: WorkspaceId,
        sha256: str,
        session: KeptSession,
        now: datetime,
        idle_s: int,
        ticket: Ticket | None = None,
    ) -> bool:
        self._check()
        who = workspace_id, session.agent.agent_id
        if sha256 in self.kept[who]:
            return True
        if ticket is not None and await self._tickets.take(ticket) is None:
            return False
        going_on = {name: each for name, each in self.kept[who].items() if each[0] > now}
        if len(going_on) >= SESSIONS_OF_AGENT_MAX:
            del going_on[min(going_on, key=lambda name: going_on[name][0])]
            self._ring(who)
        idle_until = min(now + timedelta(seconds=idle_s), session.ends_at)
        self.kept[who] = {**going_on, sha256: (idle_until, session)}
        return True

    async def use(
        self, workspace_id: WorkspaceId, agent_id: AgentId, sha256: str, now: datetime, idle_s: int
    ) -> KeptSession | None:
        self._check()
        kept = self.kept[workspace_id, agent_id].get(sha256)
        if kept is None or kept[0] <= now:
            self.kept[workspace_id, agent_id].pop(sha256, None)
            return None
        idle_until = min(now + timedelta(seconds=idle_s), kept[1].ends_at)
        self.kept[workspace_id, agent_id][sha256] = (idle_until, kept[1])
        return kept[1]

    async def end(self, workspace_id: WorkspaceId, agent_id: AgentId, sha256: str) -> None:
        self._check()
        self.kept[workspace_id, agent_id].pop(sha256, None)
        self._ring((workspace_id, agent_id))

    async def end_all(self, workspace_id: WorkspaceId, agent_id: AgentId) -> None:
        self._check()
        self.kept.pop((workspace_id, agent_id), None)
        self._ring((workspace_id, agent_id))

    @contextlib.asynccontextmanager
    async def listen(self, workspace_id: WorkspaceId, agent_id: AgentId) -> AsyncIterator[Doorbell]:
        self._check()
        bell = Doorbell()
        self._bells[workspace_id, agent_id].add(bell)
        try:
            yield bell
        finally:
            self._bells[workspace_id, agent_id].discard(bell)

    def _ring(self, who: Who) -> None:
        for bell in self._bells[who]:
            bell.set()

    def _check(self) -> None:
        if self.is_unreachable:
            raise Unavailable("redis", "switched off by the test")
