"""Why an agent was rung, and why nobody, as history keeps it."""

from __future__ import annotations

from rondo_common.ids import ConversationId
from rondo_common.permissions import Permission
from rondo_gateway.domain.assignments import Assignments
from rondo_gateway.domain.permissions import holds_any, require_agents_side, require_member
from rondo_gateway.domain.principals import Principal
from rondo_gateway.handlers.visible_conversations import existing_conversation, party_conversation
from rondo_gateway.ports import Conversations, DirectoryView, History

SEEING_ALL = frozenset({Permission.LIVE_CHAT_VIEW_ALL})


class AssignmentStories:
    """Tells the attempts to connect a conversation."""

    def __init__(self, directory: DirectoryView, conversations: Conversations, history: History) -> None:
        self._directory = directory
        self._conversations = conversations
        self._history = history

    async def read(self, caller: Principal, conversation_id: ConversationId) -> Assignments:
        """Every attempt in order, and why; for the agents' side. Raises ``NotFound``, ``NotPermitted``."""
        member = require_member(caller)
        sees_all = holds_any(member, self._directory.find(member.workspace_id), SEEING_ALL)
        find = existing_conversation if sees_all else party_conversation
        view = await find(self._conversations, member, conversation_id)
        require_agents_side(member)
        story = await self._history.assignments(member.workspace_id, view.id, at_least=view.log_offset)
        return Assignments(data=[], queued=[], fell_back=None) if story is None else story
