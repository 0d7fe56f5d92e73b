"""What parties were told, and what is shown: the first may be a moment ahead; no refusal may come of it.

The log is told at once. The view that requests are checked against follows when the router knows that
the log has its decision; while a broker is lost, that may take seconds.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rondo_common.conversation_view import ConversationView
from rondo_common.errors import Conflict, Unavailable
from rondo_common.ids import ConversationId
from rondo_common.redis.keys import agent_mailbox_key, conversation_mailbox_key
from rondo_gateway.domain.cursors import END
from rondo_gateway.domain.principals import AgentCaller, Member
from rondo_gateway.domain.refusals import NotFound, NotPermitted
from rondo_gateway.ports import Conversations, Entry, Mailboxes

Result = TypeVar("Result")

UNSHOWN_ENTRIES_MAX = 20
"""How many of the latest entries may be about what is not shown yet."""
TOLD_ENTRIES_MAX = 100
"""How far back it is looked, of an agent with many conversations, before somebody is refused."""
ENABLING = frozenset(
    {"assignment.offered", "assignment.accepted", "conversation.queued", "conversation.transferred"}
)
"""What lets its hearers do what they could not do before."""
MESSAGE_POSTED = "message.posted"
CONVERSATION_RATED = "conversation.rated"
SAID = frozenset({MESSAGE_POSTED, "messages.read"})
"""What the parties say and do themselves: the state that the router shows does not follow from it."""


class Telling:
    """Knows whether somebody was told more of a conversation than its view has."""

    def __init__(self, conversations: Conversations, mailboxes: Mailboxes) -> None:
        self._conversations = conversations
        self._mailboxes = mailboxes

    async def shown_first(
        self, member: Member, conversation_id: ConversationId, check: Callable[[], Awaitable[Result]]
    ) -> Result:
        """What ``check`` returns. Its refusal, by what a view says, stands only if that view had all that
        ``member`` was told; ``check`` is asked again when the view has caught up, for which it is waited.

        Raises:
            Unavailable: instead of the refusal, when the view has not after some seconds: ask again.
        """
        try:
            return await check()
        except (NotFound, NotPermitted, Conflict) as refusal:
            told = await self._told(member, conversation_id)
            if not told:
                raise
            newest = max(entry.log_offset for entry in told)
            view = await self._conversations.find_shown(member.workspace_id, conversation_id, newest)
            if not all(is_shown(entry, view) for entry in told):
                reason = "what was told of the conversation last is not shown yet"
                raise Unavailable("router", reason) from refusal
        return await check()

    async def _told(self, member: Member, conversation_id: ConversationId) -> list[Entry]:
        """What the caller was told lately that lets them do more than before."""
        if isinstance(member, AgentCaller):
            mailbox = agent_mailbox_key(member.workspace_id, member.agent_id)
        else:
            mailbox = conversation_mailbox_key(member.workspace_id, conversation_id)
        return [
            entry
            for entry in await self._mailboxes.until(mailbox, END, TOLD_ENTRIES_MAX)
            if entry.event.conversation_id == conversation_id and entry.event.type in ENABLING
        ]


def is_shown(entry: Entry, view: ConversationView | None) -> bool:
    """Whether the view (if there is one) has what the entry tells. Always, where it tells nothing
    of the conversation's state."""
    return entry.log_offset <= _shown_to(view, entry.event.type)


def _shown_to(view: ConversationView | None, event_type: str) -> float:
    """How far the view has what events of that type tell."""
    if event_type in SAID:
        return math.inf
    if view is None:
        return -1
    return view.rating_offset if event_type == CONVERSATION_RATED else view.state_offset
