"""Signs that somebody is there. Typing is whispered and forgotten; how far a side has read is a fact."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from rondo_common.clock import Clock
from rondo_common.conversation import Party
from rondo_common.conversation_view import ConversationView
from rondo_common.envelope import Envelope
from rondo_common.errors import Unavailable
from rondo_common.events import MessagesRead
from rondo_common.ids import ConversationId, EventId, MessageId, derived_event_id
from rondo_common.mailbox import StreamEvent
from rondo_common.redis.keys import agent_mailbox_key, conversation_mailbox_key
from rondo_gateway.domain.attention import ReadBody, require_talk
from rondo_gateway.domain.permissions import require_member
from rondo_gateway.domain.principals import AgentCaller, Member, Principal
from rondo_gateway.domain.refusals import NotFound
from rondo_gateway.handlers.source import SOURCE
from rondo_gateway.handlers.visible_conversations import party_conversation
from rondo_gateway.ports import Conversations, EventLog, Mailboxes, Side

TYPING = "typing"


class Attention:
    """Tells the other side that somebody types, and what was read."""

    def __init__(
        self,
        conversations: Conversations,
        mailboxes: Mailboxes,
        log: EventLog,
        clock: Clock,
        new_id: Callable[[], EventId],
    ) -> None:
        self._conversations = conversations
        self._mailboxes = mailboxes
        self._log = log
        self._clock = clock
        self._new_id = new_id

    async def typing(self, caller: Principal, conversation_id: ConversationId) -> None:
        """The caller's side types just now. Who is not listening never hears of it.

        Raises:
            Conflict: the conversation is not active.
        """
        member = require_member(caller)
        view = await party_conversation(self._conversations, member, conversation_id)
        agent_id = require_talk(member, view)
        sign = StreamEvent(
            id=self._new_id(),
            type=TYPING,
            conversation_id=conversation_id,
            occurred_at=self._clock(),
            data={"author": _talking(member, view).model_dump(mode="json")},
        )
        text = sign.model_dump_json()
        await self._mailboxes.whisper(conversation_mailbox_key(member.workspace_id, conversation_id), text)
        if not isinstance(member, AgentCaller):
            await self._mailboxes.whisper(agent_mailbox_key(member.workspace_id, agent_id), text)

    async def read(self, caller: Principal, conversation_id: ConversationId, body: ReadBody) -> None:
        """The caller's side has read so far. Less than was told before changes nothing.

        Raises:
            Conflict: the conversation is not active.
            NotFound: it has no such message.
        """
        member = require_member(caller)
        view = await party_conversation(self._conversations, member, conversation_id)
        agent_id = require_talk(member, view)
        side: Side = "agent" if isinstance(member, AgentCaller) else "visitor"
        message_id = MessageId(body.message_id)
        place = member.workspace_id, conversation_id, side, message_id
        is_further = await self._conversations.is_read_further(*place)
        if is_further is None:
            raise NotFound("message", message_id)
        if not is_further:
            return
        now = self._clock()
        event = MessagesRead(
            conversation_id=conversation_id,
            reader=_talking(member, view),
            message_id=message_id,
            read_at=now,
            agent_id=agent_id,
        )
        # Derived, so that several devices that read the same are one fact.
        event_id = derived_event_id(message_id, f"read by {event.reader.type}/{event.reader.id}")
        await self._log.publish(Envelope(event_id, SOURCE, now, member.workspace_id, event))
        with contextlib.suppress(Unavailable):  # It is in the log: told again, it is the same fact.
            await self._conversations.mark_read(*place)


def _talking(member: Member, view: ConversationView) -> Party:
    """Whose sign it is: the agent's, or the visitor's, for whom the website's backend speaks."""
    if isinstance(member, AgentCaller):
        return member.party()
    return Party(type="visitor", id=view.request.visitor.id)
