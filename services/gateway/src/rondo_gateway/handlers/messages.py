"""Messages: checked against the conversation's view, then put into the log, then answered."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial

from rondo_common import conversation as talk
from rondo_common.clock import Clock
from rondo_common.conversation_view import ConversationView
from rondo_common.envelope import Envelope
from rondo_common.errors import Conflict, Unavailable
from rondo_common.events import MessagePosted
from rondo_common.ids import AgentId, ConversationId, WorkspaceId, derived_event_id, new_message_id
from rondo_gateway.domain.message import MessageBody, Order, author_of
from rondo_gateway.domain.permissions import require_in_talk, require_member
from rondo_gateway.domain.principals import AgentCaller, Member, Principal
from rondo_gateway.domain.representation import Message, MessageList, message_of, message_to
from rondo_gateway.handlers.rate_limits import Limits
from rondo_gateway.handlers.source import SOURCE
from rondo_gateway.handlers.telling import Telling
from rondo_gateway.handlers.visible_conversations import party_conversation, readable_conversation
from rondo_gateway.ports import Conversations, DirectoryView, EventLog, History, PostState


@dataclass(frozen=True, slots=True)
class Posted:
    """The message, and whether it was posted just now or had been before."""

    message: Message
    is_new: bool


class Messages:
    """Posts and reads messages."""

    def __init__(
        self,
        directory: DirectoryView,
        conversations: Conversations,
        log: EventLog,
        history: History,
        limits: Limits,
        telling: Telling,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._conversations = conversations
        self._log = log
        self._history = history
        self._limits = limits
        self._telling = telling
        self._clock = clock

    async def post(self, caller: Principal, conversation_id: ConversationId, body: MessageBody) -> Posted:
        """Say something.

        Raises:
            Conflict: the conversation is not active.
            LimitReached: the caller has said too much lately.
        """
        member = require_member(caller)
        workspace_id = member.workspace_id
        await self._limits.of_message(member)
        reserve = partial(self._reserve, member, conversation_id, body)
        state, event = await self._telling.shown_first(member, conversation_id, reserve)
        message = message_of(conversation_id, event.message, body.client_message_id)
        if state is PostState.POSTED:
            return Posted(message, is_new=False)
        is_new = await self._publish(workspace_id, event)
        return Posted(message, is_new)

    async def _reserve(
        self, member: Member, conversation_id: ConversationId, body: MessageBody
    ) -> tuple[PostState, MessagePosted]:
        """What is to be said, and whether it was said before. Raises ``NotPermitted``, ``Conflict``."""
        view = await party_conversation(self._conversations, member, conversation_id)
        require_in_talk(member, view)
        draft = self._draft(member, view, body.text)
        reserved = await self._conversations.reserve_message(
            member.workspace_id, conversation_id, body.client_message_id, draft
        )
        if reserved.message is None or reserved.agent_id is None:
            raise Conflict("conversation-not-active", "Only an active conversation takes messages.")
        return reserved.state, MessagePosted(
            conversation_id=conversation_id,
            message=reserved.message,
            client_message_id=body.client_message_id,
            agent_id=reserved.agent_id,
        )

    async def read_page(
        self,
        caller: Principal,
        conversation_id: ConversationId,
        limit: int,
        cursor: str | None,
        order: Order = "oldest_first",
    ) -> MessageList:
        """Messages in that order, from history."""
        member = require_member(caller)
        view = await readable_conversation(
            self._directory, self._conversations, self._history, member, conversation_id
        )
        place = member.workspace_id, view.id
        if order == "newest_first":
            page = await self._history.latest_messages(
                *place, limit=limit, before=cursor, at_least=view.log_offset
            )
        else:
            page = await self._history.messages(*place, limit=limit, after=cursor, at_least=view.log_offset)
        return page.model_copy(update={"data": [message_to(member, each) for each in page.data]})

    def _draft(self, member: Member, view: ConversationView, text: str) -> talk.Message:
        now = self._clock()
        name = self._agent_name(member) if isinstance(member, AgentCaller) else None
        author = author_of(member, view, name)
        return talk.Message(id=new_message_id(now), author=author, text=text, sent_at=now)

    def _agent_name(self, agent: AgentCaller) -> str | None:
        found = self._directory.find(agent.workspace_id)
        defined = None if found is None else found.agents.get(AgentId(agent.agent_id))
        return None if defined is None else defined.entry.name

    async def _publish(self, workspace_id: WorkspaceId, event: MessagePosted) -> bool:
        """Put it into the log; whether this was the first time, as far as can be known."""
        message = event.message
        # Derived from the message, so that a retry after a lost confirmation is the same fact.
        event_id = derived_event_id(message.id, "posted")
        offset = await self._log.publish(Envelope(event_id, SOURCE, message.sent_at, workspace_id, event))
        # It is in the log, so it was said: should Redis be away now, a retry says the same again.
        with contextlib.suppress(Unavailable):
            return await self._conversations.mark_posted(
                workspace_id, event.conversation_id, event.client_message_id, message, offset
            )
        return True
