"""Why an agent was rung, and why nobody, as history keeps it."""

from __future__ import annotations

from rondo_common.ids import ConversationId
from rondo_gateway.domain.assignments import Assignments
from rondo_gateway.domain.permissions import require_agents_side, require_member
from rondo_gateway.domain.principals import Principal
from rondo_gateway.handlers.visible_conversations import readable_conversation
from rondo_gateway.ports import Conversations, DirectoryView, History


class AssignmentStories:
    """Tells the attempts to connect a conversation."""

    def __init__(self, directory: DirectoryView, conversations: Conversations, history: History) -> None:
        self._directory = directory
        self._conversations = conversations
        self._history = history

    async def read(self, caller: Principal, conversation_id: ConversationId) -> Assignments:
        """Every attempt in order, and why; for the agents' side. Raises ``NotFound``, ``NotPermitted``."""
        member = require_member(caller)
        view = await readable_conversation(
            self._directory, self._conversations, self._history, member, conversation_id
        )
        require_agents_side(member)
        story = await self._history.assignments(member.workspace_id, view.id, at_least=view.log_offset)
        return Assignments(data=[], queued=[], fell_back=None) if story is None else story
