"""An agent's availability: what it is now, and switching it by hand."""

from __future__ import annotations

from rondo_common.availability import Availability, Toggle
from rondo_common.clock import Clock
from rondo_common.directory.entries import AgentEntry, Kind, ToggleEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.events import AvailabilityToggled
from rondo_common.ids import AgentId, WorkspaceId
from rondo_gateway.domain.permissions import (
    named_agent,
    permissions_of,
    require_availability_permission,
    require_staff,
)
from rondo_gateway.domain.principals import AgentCaller, Backend, Principal
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.ports import Definition, DirectoryLog, DirectoryView


class Availabilities:
    """Tells and switches availability, for the agent, the backend and who administers agents."""

    def __init__(self, directory: DirectoryView, log: DirectoryLog, clock: Clock) -> None:
        self._directory = directory
        self._log = log
        self._clock = clock

    async def read(self, caller: Principal, agent_id: AgentId) -> Availability:
        """An agent's availability at this moment, permitted to chat or not."""
        member = require_staff(caller)
        found, agent = await self._permitted(member, named_agent(member, agent_id))
        return found.availability_of(agent, self._clock())

    async def switch(self, caller: Principal, agent_id: AgentId, available: bool | None) -> Availability:
        """Switch it to ``available``, or with None back to the schedule: what it is then.

        Chats already active are not touched.
        """
        member = require_staff(caller)
        async with self._log.changing(member.workspace_id):
            _, agent = await self._permitted(member, named_agent(member, agent_id))
            await self._log.write(member.workspace_id, [self._definition(agent.id, available)])
        found, agent = await self._known(member.workspace_id, agent.id)
        return found.availability_of(agent, self._clock())

    def _definition(self, agent_id: AgentId, available: bool | None) -> Definition:
        if available is None:
            return Definition(Kind.TOGGLE, agent_id, None)
        toggle = Toggle(available=available, set_at=self._clock())
        entry = ToggleEntry(agent_id=agent_id, toggle=toggle)
        return Definition(Kind.TOGGLE, agent_id, AvailabilityToggled(toggle=entry))

    async def _permitted(
        self, member: Backend | AgentCaller, agent_id: AgentId
    ) -> tuple[WorkspaceDirectory, AgentEntry]:
        found, agent = await self._known(member.workspace_id, agent_id)
        require_availability_permission(member, agent_id, permissions_of(member, found))
        return found, agent

    async def _known(
        self, workspace_id: WorkspaceId, agent_id: AgentId
    ) -> tuple[WorkspaceDirectory, AgentEntry]:
        await self._directory.see_own_writes(workspace_id)
        found = self._directory.find(workspace_id)
        if found is None or agent_id not in found.agents:
            raise NotFound("agent", agent_id)
        return found, found.agents[agent_id].entry
