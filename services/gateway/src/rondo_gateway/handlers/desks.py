"""What lies on an agent's desk."""

from __future__ import annotations

from rondo_common.conversation import Status
from rondo_common.conversation_view import ConversationView
from rondo_common.ids import AgentId
from rondo_gateway.domain.permissions import named_agent, permissions_of, require_desk, require_staff
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.domain.representation import UnreadCount, UnreadCounts
from rondo_gateway.handlers.own_workspace import seen_workspace
from rondo_gateway.ports import Conversations, DirectoryView


class Desks:
    """Tells what waits for an agent."""

    def __init__(self, directory: DirectoryView, conversations: Conversations) -> None:
        self._directory = directory
        self._conversations = conversations

    async def unread(self, caller: Principal, agent_id: AgentId) -> UnreadCounts:
        """How much is unread in each of the agent's active conversations. Raises ``NotFound``."""
        member = require_staff(caller)
        agent_id = named_agent(member, agent_id)
        found = await seen_workspace(self._directory, member.workspace_id)
        require_desk(member, agent_id, permissions_of(member, found))
        if agent_id not in found.agents:
            raise NotFound("agent", agent_id)
        views = await self._conversations.of_agent(member.workspace_id, agent_id)
        ids = [each.id for each in active_of(agent_id, views)]
        counts = await self._conversations.unread_by_agent(member.workspace_id, ids)
        return UnreadCounts(data=[UnreadCount(conversation_id=each, unread=counts[each]) for each in ids])


def active_of(agent_id: AgentId, views: list[ConversationView]) -> list[ConversationView]:
    """The conversations among ``views`` in which the agent talks."""
    mine = [each for each in views if each.agent is not None and each.agent.id == agent_id]
    return [each for each in mine if each.status is Status.ACTIVE]
