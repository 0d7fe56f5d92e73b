"""Finding the conversation a caller speaks of, if they have part in it."""

from __future__ import annotations

from rondo_common.conversation_view import ConversationView
from rondo_common.ids import ConversationId
from rondo_common.permissions import Permission
from rondo_gateway.domain.permissions import permissions_of, require_existing, require_party
from rondo_gateway.domain.principals import AgentCaller, Member
from rondo_gateway.ports import Conversations, DirectoryView, History


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
    directory: DirectoryView,
    conversations: Conversations,
    history: History,
    member: Member,
    conversation_id: ConversationId,
) -> ConversationView:
    """The conversation, if ``member`` may read it: who takes or took part in it, or may view all.

    Found in history when it is so long over that nobody else knows it. Raises as above.
    """
    found = directory.find(member.workspace_id)
    sees_all = found is not None and Permission.LIVE_CHAT_VIEW_ALL in permissions_of(member, found)
    if isinstance(member, AgentCaller) and not sees_all:
        return await _of_agent(conversations, history, member, conversation_id)
    view = await conversations.find(member.workspace_id, conversation_id)
    if view is None:
        kept = await history.conversation(member.workspace_id, conversation_id)
        view = None if kept is None else kept.view()
    return require_existing(member, view, conversation_id)


async def _of_agent(
    conversations: Conversations, history: History, agent: AgentCaller, conversation_id: ConversationId
) -> ConversationView:
    view = await conversations.find_for_agent(agent.workspace_id, conversation_id, agent.agent_id)
    if view is not None and agent.agent_id in view.agent_ids:
        return view
    kept = await history.conversation(agent.workspace_id, conversation_id)
    if kept is not None and agent.agent_id in kept.agent_ids:
        return view or kept.view()  # Theirs once: they handed it over, or it is long over.
    return require_party(agent, view or (None if kept is None else kept.view()), conversation_id)
