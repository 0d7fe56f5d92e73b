"""Transcripts, as history keeps them."""

from __future__ import annotations

from rondo_common.ids import ConversationId
from rondo_gateway.domain.permissions import require_member
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.domain.transcript import Transcript
from rondo_gateway.handlers.visible_conversations import readable_conversation
from rondo_gateway.ports import Conversations, DirectoryView, History


class Transcripts:
    """Reads transcripts for those who took part, and those who may view all."""

    def __init__(self, directory: DirectoryView, conversations: Conversations, history: History) -> None:
        self._directory = directory
        self._conversations = conversations
        self._history = history

    async def read(self, caller: Principal, conversation_id: ConversationId) -> Transcript:
        """The whole conversation, for its parties and those who may view all.

        Raises:
            NotFound: there is none, or history does not know it yet.
            NotPermitted: the calling agent may not read it.
        """
        member = require_member(caller)
        view = await readable_conversation(self._directory, self._conversations, member, conversation_id)
        transcript = await self._history.transcript(member.workspace_id, view.id, at_least=view.log_offset)
        if transcript is None:
            raise NotFound("transcript (yet) of conversation", conversation_id)
        return transcript
