"""Who is there to answer chats: for those who hand chats over, and those who watch."""

from __future__ import annotations

from rondo_common.clock import Clock
from rondo_gateway.domain.permissions import require_staff
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.roster import ROSTER_READERS, Roster, chatting_agents, roster_of
from rondo_gateway.handlers.own_workspace import entry_of, managed_workspace
from rondo_gateway.ports import Conversations, DirectoryView, Presence


class Rosters:
    """Tells who is there, and how much they have to do."""

    def __init__(
        self, directory: DirectoryView, conversations: Conversations, presence: Presence, clock: Clock
    ) -> None:
        self._directory = directory
        self._conversations = conversations
        self._presence = presence
        self._clock = clock

    async def read(self, caller: Principal) -> Roster:
        """Everybody who answers chats, as they are now."""
        workspace_id = require_staff(caller).workspace_id
        found = await managed_workspace(self._directory, caller, *ROSTER_READERS)
        agent_ids = [each.id for each in chatting_agents(found)]
        loads = await self._conversations.loads(workspace_id, agent_ids)
        now = self._clock()
        present = await self._presence.present_at(workspace_id, now)
        return roster_of(found, entry_of(found).settings, present, loads, now)
