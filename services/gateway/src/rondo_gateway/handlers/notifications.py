"""How an agent wants to be told of chats: they say so themselves."""

from __future__ import annotations

from rondo_common.directory.entries import AgentEntry, Kind, Notifications
from rondo_common.events import AgentDefined
from rondo_common.ids import AgentId
from rondo_gateway.domain.permissions import named_agent, permissions_of, require_staff, require_tellable
from rondo_gateway.domain.principals import AgentCaller, Backend, Principal
from rondo_gateway.domain.provisioning import NotificationsPatch
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.handlers.own_workspace import seen_workspace
from rondo_gateway.ports import Definition, DirectoryLog, DirectoryView


class NotificationPreferences:
    """Tells and changes them, for the agent, the backend and who administers agents."""

    def __init__(self, directory: DirectoryView, log: DirectoryLog) -> None:
        self._directory = directory
        self._log = log

    async def read(self, caller: Principal, agent_id: AgentId) -> Notifications:
        """An agent's preferences. Raises ``NotFound``."""
        member = require_staff(caller)
        return (await self._permitted(member, named_agent(member, agent_id))).notifications

    async def change(
        self, caller: Principal, agent_id: AgentId, patch: NotificationsPatch
    ) -> Notifications:
        """Change some of them; all of them after that. Raises ``NotFound``."""
        member = require_staff(caller)
        async with self._log.changing(member.workspace_id):
            agent = await self._permitted(member, named_agent(member, agent_id))
            changed = patch.applied_to(agent.notifications)
            if changed != agent.notifications:
                entry = agent.model_copy(update={"notifications": changed})
                definition = Definition(Kind.AGENT, agent.id, AgentDefined(agent=entry))
                await self._log.write(member.workspace_id, [definition])
        return changed

    async def _permitted(self, member: Backend | AgentCaller, agent_id: AgentId) -> AgentEntry:
        found = await seen_workspace(self._directory, member.workspace_id)
        require_tellable(member, agent_id, permissions_of(member, found))
        if agent_id not in found.agents:
            raise NotFound("agent", agent_id)
        return found.agents[agent_id].entry
