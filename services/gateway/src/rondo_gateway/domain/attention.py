"""Signs that somebody is there: they are typing, or have read."""

from __future__ import annotations

from rondo_common.conversation import Status
from rondo_common.conversation_view import ConversationView
from rondo_common.errors import Conflict
from rondo_common.ids import AgentId, ExternalId
from rondo_gateway.domain.limits import Body
from rondo_gateway.domain.principals import AgentCaller, Member
from rondo_gateway.domain.refusals import NotPermitted


class ReadBody(Body):
    """The last message that was read. Everything before it was, too."""

    message_id: ExternalId


def require_talk(member: Member, view: ConversationView) -> AgentId:
    """The agent of the conversation, in which ``member`` talks.

    Raises:
        Conflict: it is not active.
        NotPermitted: the calling agent is only asked to take it over.
    """
    if view.status is not Status.ACTIVE or view.agent is None:
        raise Conflict("conversation-not-active", "Only in an active conversation does anybody talk.")
    if isinstance(member, AgentCaller) and member.agent_id != view.agent.id:
        raise NotPermitted("This conversation is not with you (yet).")
    return view.agent.id
