"""Finding the conversation a caller speaks of, if they have part in it."""

from __future__ import annotations

from rondo_common.conversation_view import ConversationView
from rondo_common.ids import ConversationId
from rondo_common.permissions import Permission
from rondo_gateway.domain.permissions import permissions_of, require_existing, require_party
from rondo_gateway.domain.principals import AgentCaller, Member
from rondo_gateway.ports import Conversations, DirectoryView


async def existing_conversation(
    conversations: Conversations, member: Member, conversation_id: ConversationId
) -> ConversationView:
    """The conversation, if ``member`` may know of it. Raises ``NotFound``."""
    view = await conversations.find(member.workspace_id, conversation_id)
    return require_existing(member, view, conversation_id)


async def party_conversation(
    conversations: Conversations, member: Member, conversation_id: ConversationId
) -> ConversationView:
    """The conversation, if ``member`` takes part in it. Raises ``NotFound``, ``NotPermitted``."""
    if isinstance(member, AgentCaller):
        view = await conversations.find_for_agent(member.workspace_id, conversation_id, member.agent_id)
    else:
        view = await conversations.find(member.workspace_id, conversation_id)
    return require_party(member, view, conversation_id)


async def readable_conversation(
    directory: DirectoryView, conversations: Conversations, member: Member, conversation_id: ConversationId
) -> ConversationView:
    """The conversation, if ``member`` takes part in it or may view all. Raises as above."""
    found = directory.find(member.workspace_id)
    if (
        isinstance(member, AgentCaller)
        and found is not None
        and Permission.LIVE_CHAT_VIEW_ALL in permissions_of(member, found)
    ):
        return await existing_conversation(conversations, member, conversation_id)
    return await party_conversation(conversations, member, conversation_id)
