"""Presence: whoever has an inbox open, or uses Rondo, is there."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from rondo_common.clock import Clock
from rondo_common.envelope import Envelope
from rondo_common.errors import Unavailable
from rondo_common.events import ConnectAgent
from rondo_common.ids import AgentId, CommandId, WorkspaceId
from rondo_gateway.domain.principals import AgentCaller, Principal
from rondo_gateway.handlers.source import SOURCE
from rondo_gateway.ports import DirectoryView, EventLog, Presence

RENEWALS_PER_LEASE = 5
"""Requests renew a lease that often at most, in each process: every 15 s of 75."""
CLOCKS_APART_S_MAX = 5.0
"""A lease that ends this soon may be over by the router's clock: its agent is announced again, which
tells a router that knows of them nothing new."""
AGENTS_REMEMBERED_MAX = 20_000
"""Beyond it, an agent who made no request for long is forgotten: their next one renews."""


class PresenceKeeper:
    """Keeps agents present, and tells the router when one comes.

    Nothing here fails a request or a stream: what cannot be done now is done by the next renewal.
    """

    def __init__(
        self,
        presence: Presence,
        directory: DirectoryView,
        log: EventLog,
        clock: Clock,
        new_command_id: Callable[[], CommandId],
        lease_s: float,
    ) -> None:
        self._presence = presence
        self._directory = directory
        self._log = log
        self._clock = clock
        self._new_command_id = new_command_id
        self._lease_s = lease_s
        self._margin_s = min(CLOCKS_APART_S_MAX, lease_s / RENEWALS_PER_LEASE)
        self._pause = timedelta(seconds=lease_s / RENEWALS_PER_LEASE)
        self._renewed: OrderedDict[tuple[WorkspaceId, AgentId], datetime] = OrderedDict()

    async def note_request(self, caller: Principal) -> None:
        """The caller made a request; if they are an agent, they are present, for a lease."""
        if not isinstance(caller, AgentCaller):
            return
        renewed_at = self._renewed.get((caller.workspace_id, caller.agent_id))
        if renewed_at is None or self._clock() - renewed_at >= self._pause:
            await self.renew(caller)

    async def renew(self, agent: AgentCaller) -> None:
        """The agent is present, for a lease from now. On return the router was told, if it can be: it
        decides everything that is asked of it from then on with this agent present."""
        self._remember(agent)
        with contextlib.suppress(Unavailable):
            who = agent.workspace_id, agent.agent_id
            now = self._clock()
            if await self._presence.renew(*who, now, self._lease_s, self._margin_s):
                await self._announce(agent)
                await self._presence.note_announced(*who, now, self._lease_s)

    async def _announce(self, agent: AgentCaller) -> None:
        offset = await self._directory.newest_offset(agent.workspace_id)
        command = ConnectAgent(agent_id=agent.agent_id, directory_offset=offset)
        envelope = Envelope(self._new_command_id(), SOURCE, self._clock(), agent.workspace_id, command)
        await self._log.publish(envelope)

    def _remember(self, agent: AgentCaller) -> None:
        key = agent.workspace_id, agent.agent_id
        self._renewed[key] = self._clock()
        self._renewed.move_to_end(key)
        if len(self._renewed) > AGENTS_REMEMBERED_MAX:
            self._renewed.popitem(last=False)
