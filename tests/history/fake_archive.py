"""The archive in memory, with the promises of the real one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rondo_common.errors import Unavailable
from rondo_common.events import MessagePosted, MessagesRead
from rondo_common.ids import ConversationId, EventId, WorkspaceId
from rondo_common.topics import CONVERSATIONS
from rondo_history.domain.fact import Fact, Place
from rondo_history.domain.listing import Filter, KeptConversation, kept_conversation
from rondo_history.domain.search import folded, terms_of
from rondo_history.domain.summary import summary_of


class FakeArchive:
    """See :class:`rondo_history.ports.Archive`. ``down`` makes it unavailable."""

    def __init__(self) -> None:
        self.kept: dict[EventId, Fact] = {}
        self.read: list[Place] = []
        self.down = False
        self.was_asked_how_far = False

    async def keep(self, facts: Sequence[Fact], *, read_to: Place | None = None) -> None:
        self._answer()
        if read_to is not None:
            self.read.append(read_to)
        for fact in facts:
            self.kept.setdefault(fact.id, fact)

    async def facts_of(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> list[Fact]:
        self._answer()
        wanted = (workspace_id, conversation_id)
        return [fact for fact in self.kept.values() if (fact.workspace_id, fact.conversation_id) == wanted]

    async def steps_of(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> list[Fact]:
        facts = await self.facts_of(workspace_id, conversation_id)
        return [fact for fact in facts if not isinstance(fact.event, MessagePosted | MessagesRead)]

    async def messages_of(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, after: int, limit: int
    ) -> list[Fact]:
        facts = await self.facts_of(workspace_id, conversation_id)
        said = [fact for fact in facts if isinstance(fact.event, MessagePosted)]
        later = [fact for fact in said if fact.place.offset > after]
        return sorted(later, key=lambda fact: fact.place.offset)[:limit]

    async def latest_messages_of(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, before: int, limit: int
    ) -> list[Fact]:
        said = await self.messages_of(workspace_id, conversation_id, after=-1, limit=len(self.kept))
        return [fact for fact in reversed(said) if fact.place.offset < before][:limit]

    async def has_reached(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, offset: int
    ) -> bool:
        self.was_asked_how_far = True
        facts = await self.facts_of(workspace_id, conversation_id)
        known = [fact.place for fact in facts if fact.place.topic == CONVERSATIONS.name]
        return any(place.offset >= offset for place in known)

    async def has_read(self, place: Place) -> bool:
        self.was_asked_how_far = True
        self._answer()
        partition = place.topic, place.partition
        return any(
            (each.topic, each.partition) == partition and each.offset >= place.offset for each in self.read
        )

    async def find(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> KeptConversation | None:
        return kept_conversation(
            conversation_id, summary_of(await self.facts_of(workspace_id, conversation_id))
        )

    async def list_page(
        self, workspace_id: WorkspaceId, wanted: Filter, limit: int
    ) -> list[KeptConversation]:
        self._answer()
        ids = {fact.conversation_id for fact in self.kept.values() if fact.workspace_id == workspace_id}
        known = [await self.find(workspace_id, each) for each in ids]
        page = [
            each for each in known if each is not None and await self._is_wanted(workspace_id, each, wanted)
        ]
        return sorted(page, key=_newest, reverse=True)[:limit]

    async def _is_wanted(self, workspace_id: WorkspaceId, found: KeptConversation, wanted: Filter) -> bool:
        requested_at = found.request.requested_at
        agents = {*found.agent_ids, *([] if found.offer is None else [found.offer.agent_id])}
        terms = terms_of(wanted.query or "")
        texts = [
            folded(fact.event.message.text)
            for fact in await self.facts_of(workspace_id, found.id)
            if isinstance(fact.event, MessagePosted)
        ]
        return all(
            (
                wanted.status in {None, found.status},
                wanted.agent_id is None or wanted.agent_id in agents,
                wanted.seen_by is None or wanted.seen_by in agents,
                wanted.visitor_id in {None, found.request.visitor.id},
                wanted.requested_from is None or requested_at >= wanted.requested_from,
                wanted.requested_before is None or requested_at < wanted.requested_before,
                wanted.after is None
                or _newest(found) < (wanted.after.requested_at, wanted.after.conversation_id),
                wanted.query is None
                or (terms and any(all(term in text for term in terms) for text in texts)),
            )
        )

    def _answer(self) -> None:
        if self.down:
            raise Unavailable("postgresql", "switched off by the test")


def _newest(conversation: KeptConversation) -> tuple[datetime, ConversationId]:
    return conversation.request.requested_at, conversation.id
