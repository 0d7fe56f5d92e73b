"""Transcripts, as history keeps them."""

from __future__ import annotations

from rondo_common.ids import ConversationId
from rondo_gateway.domain.permissions import require_member
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.domain.transcript import Transcript
from rondo_gateway.handlers.visible_conversations import party_conversation
from rondo_gateway.ports import Conversations, History


class Transcripts:
    """Reads transcripts for those who took part."""

    def __init__(self, conversations: Conversations, history: History) -> None:
        self._conversations = conversations
        self._history = history

    async def read(self, caller: Principal, conversation_id: ConversationId) -> Transcript:
        """The whole conversation, for its parties. Raises ``NotFound``, ``NotPermitted``."""
        member = require_member(caller)
        view = await party_conversation(self._conversations, member, conversation_id)
        transcript = await self._history.transcript(member.workspace_id, view.id, at_least=view.log_offset)
        if transcript is None:
            raise NotFound("transcript (yet) of conversation", conversation_id)
        return transcript
