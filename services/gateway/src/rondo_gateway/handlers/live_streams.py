"""Live streams: the present state first, then everything that happens, without a gap or a repeat."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import zip_longest

from rondo_common.availability import NEVER
from rondo_common.clock import Clock
from rondo_common.conversation_view import ConversationView
from rondo_common.ids import ConversationId, EventId
from rondo_common.mailbox import StreamEvent
from rondo_common.redis.keys import agent_mailbox_key, conversation_mailbox_key
from rondo_gateway.domain.cursors import ORIGIN, Cursor
from rondo_gateway.domain.permissions import require_member, require_own_agent
from rondo_gateway.domain.principals import AgentCaller, Member, Principal, VisitorCaller
from rondo_gateway.domain.refusals import NotFound, NotPermitted
from rondo_gateway.domain.representation import (
    ActiveConversation,
    AgentSnapshot,
    ConversationSnapshot,
    Message,
    conversation_of,
    message_of_event,
    message_to,
)
from rondo_gateway.handlers.authentication import Authentication
from rondo_gateway.handlers.desks import active_of
from rondo_gateway.handlers.live_feed import BATCH_ENTRIES_MAX, LiveFeed, Subject
from rondo_gateway.handlers.presence import PresenceKeeper
from rondo_gateway.handlers.queue_place import QueuePlace
from rondo_gateway.handlers.telling import MESSAGE_POSTED, UNSHOWN_ENTRIES_MAX, is_shown
from rondo_gateway.handlers.visible_conversations import party_conversation
from rondo_gateway.handlers.visitor_streams import VisitorStream
from rondo_gateway.ports import Conversations, DirectoryView, Mailboxes, VisitorPresence, WaitingQueue

SNAPSHOT_MESSAGES_MAX = 50


class LiveStreams:
    """Opens streams for those who may read them."""

    def __init__(
        self,
        authentication: Authentication,
        directory: DirectoryView,
        conversations: Conversations,
        mailboxes: Mailboxes,
        queue: WaitingQueue,
        presence: PresenceKeeper,
        visitor_presence: VisitorPresence,
        clock: Clock,
        new_id: Callable[[], EventId],
    ) -> None:
        self._authentication = authentication
        self._directory = directory
        self._conversations = conversations
        self._mailboxes = mailboxes
        self._queue = queue
        self._presence = presence
        self._visitor_presence = visitor_presence
        self._clock = clock
        self._new_id = new_id

    async def of_conversation(self, caller: Principal, conversation_id: ConversationId) -> LiveFeed:
        """What happens in a conversation, for its visitor, its agent and the backend."""
        member = require_member(caller)
        view = await self._visible(member, conversation_id)
        await self._presence.note_request(member)

        async def take_snapshot(cursor: Cursor) -> ConversationSnapshot:
            return await self._conversation_snapshot(member, conversation_id, cursor)

        async def is_permitted() -> bool:
            if not await self._authentication.may_stay(member):
                return False
            return not isinstance(member, AgentCaller) or await self._is_party(member, conversation_id)

        mailbox = conversation_mailbox_key(member.workspace_id, conversation_id)
        find_shown = partial(self._shown, member, mailbox)
        subject = Subject(
            mailbox,
            conversation_id,
            find_shown,
            take_snapshot,
            is_permitted,
            concerns=partial(_concerns, member),
            place=self._place(member, view),
            visitor=self._visitor_stream(member, conversation_id),
        )
        return self._feed(subject)

    async def of_agent(self, caller: Principal, agent_id: str) -> LiveFeed:
        """What concerns an agent, for that agent, who is present as long as it is open."""
        agent = require_own_agent(caller, agent_id)
        # Before the snapshot: whoever asks for a chat once that was seen finds the agent present.
        await self._presence.renew(agent)

        async def take_snapshot(_: Cursor) -> AgentSnapshot:
            return await self._agent_snapshot(agent)

        async def is_permitted() -> bool:
            return await self._authentication.may_stay(agent)

        mailbox = agent_mailbox_key(agent.workspace_id, agent.agent_id)
        find_shown = partial(self._shown, agent, mailbox)
        return self._feed(
            Subject(
                mailbox,
                None,
                find_shown,
                take_snapshot,
                is_permitted,
                concerns=partial(_concerns, agent),
                renew_presence=partial(self._presence.renew, agent),
            )
        )

    def _visitor_stream(self, member: Member, conversation_id: ConversationId) -> VisitorStream | None:
        """The visitor's own stream shows that they are there; nobody else's does."""
        if not isinstance(member, VisitorCaller):
            return None
        return VisitorStream(
            self._visitor_presence,
            member.workspace_id,
            conversation_id,
            self._new_id(),
            self._clock,
        )

    def _feed(self, subject: Subject) -> LiveFeed:
        return LiveFeed(subject, self._mailboxes, self._clock, self._new_id)

    def _place(self, member: Member, view: ConversationView) -> QueuePlace:
        place = QueuePlace(self._queue, member.workspace_id, view.id, self._clock, self._new_id)
        place.hear_state(view.status, None)  # A reader who comes back is told where they stand now.
        return place

    async def _shown(self, member: Member, mailbox: str, last: Cursor) -> Cursor:
        """What is in the log is told at once and shown a moment later: a snapshot taken in between must
        stand before what its views do not have yet."""
        newest_first = await self._mailboxes.until(mailbox, last, UNSHOWN_ENTRIES_MAX)
        views = {
            each: await self._conversations.find(member.workspace_id, each)
            for each in {entry.event.conversation_id for entry in newest_first}
            if each is not None
        }
        cursor = last
        for entry, older in zip_longest(newest_first, newest_first[1:]):
            about = entry.event.conversation_id
            view = None if about is None else views[about]
            if view is not None and not is_shown(entry, view):
                cursor = ORIGIN if older is None else older.cursor
        return cursor

    async def _conversation_snapshot(
        self, member: Member, conversation_id: ConversationId, cursor: Cursor
    ) -> ConversationSnapshot:
        view = await self._visible(member, conversation_id)
        mailbox = conversation_mailbox_key(member.workspace_id, conversation_id)
        messages = await self._last_messages(mailbox, cursor)
        return ConversationSnapshot(
            conversation=conversation_of(view, member),
            messages=[message_to(member, each) for each in messages],
        )

    async def _visible(self, member: Member, conversation_id: ConversationId) -> ConversationView:
        return await party_conversation(self._conversations, member, conversation_id)

    async def _is_party(self, member: Member, conversation_id: ConversationId) -> bool:
        try:
            await self._visible(member, conversation_id)
        except (NotFound, NotPermitted):
            return False
        return True

    async def _last_messages(self, mailbox: str, cursor: Cursor) -> list[Message]:
        newest_first: list[Message] = []
        while cursor > ORIGIN and len(newest_first) < SNAPSHOT_MESSAGES_MAX:
            entries = await self._mailboxes.until(mailbox, cursor, BATCH_ENTRIES_MAX)
            newest_first += [
                message_of_event(entry.event) for entry in entries if entry.event.type == MESSAGE_POSTED
            ]
            if len(entries) < BATCH_ENTRIES_MAX:
                break
            cursor = entries[-1].cursor.before()
        return newest_first[:SNAPSHOT_MESSAGES_MAX][::-1]

    async def _agent_snapshot(self, agent: AgentCaller) -> AgentSnapshot:
        await self._directory.see_own_writes(agent.workspace_id)
        found = self._directory.find(agent.workspace_id)
        defined = None if found is None else found.agents.get(agent.agent_id)
        views = await self._conversations.of_agent(agent.workspace_id, agent.agent_id)
        offers = [each for each in views if each.offer and each.offer.agent_id == agent.agent_id]
        active = active_of(agent.agent_id, views)
        unread = await self._conversations.unread_by_agent(agent.workspace_id, [each.id for each in active])
        availability = NEVER
        if found is not None and defined is not None:
            availability = found.availability_of(defined.entry, self._clock())
        return AgentSnapshot(
            availability=availability,
            open_offers=[conversation_of(each, agent) for each in offers],
            active_conversations=[
                ActiveConversation(**dict(conversation_of(each, agent)), unread=unread[each.id])
                for each in active
            ],
        )


def _concerns(viewer: Member, sign: StreamEvent) -> bool:
    """Whether the viewer is to see a sign: not that of their own side."""
    author = sign.data["author"]
    match viewer:
        case AgentCaller(agent_id=agent_id):
            return bool(author["id"] != agent_id or author["type"] != "agent")
        case VisitorCaller():
            return bool(author["type"] != "visitor")
    return True
