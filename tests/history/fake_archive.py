"""The archive in memory, with the promises of the real one."""

from __future__ import annotations

from collections.abc import Sequence

from rondo_common.errors import Unavailable
from rondo_common.events import MessagePosted
from rondo_common.ids import ConversationId, EventId, WorkspaceId
from rondo_common.topics import CONVERSATIONS
from rondo_history.domain.fact import Fact


class FakeArchive:
    """See :class:`rondo_history.ports.Archive`. ``down`` makes it unavailable."""

    def __init__(self) -> None:
        self.kept: dict[EventId, Fact] = {}
        self.down = False
        self.was_asked_how_far = False

    async def keep(self, facts: Sequence[Fact]) -> None:
        self._answer()
        for fact in facts:
            self.kept.setdefault(fact.id, fact)

    async def facts_of(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> list[Fact]:
        self._answer()
        wanted = (workspace_id, conversation_id)
        return [fact for fact in self.kept.values() if (fact.workspace_id, fact.conversation_id) == wanted]

    async def messages_of(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, after: int, limit: int
    ) -> list[Fact]:
        facts = await self.facts_of(workspace_id, conversation_id)
        said = [fact for fact in facts if isinstance(fact.event, MessagePosted)]
        later = [fact for fact in said if fact.place.offset > after]
        return sorted(later, key=lambda fact: fact.place.offset)[:limit]

    async def has_reached(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, offset: int
    ) -> bool:
        self.was_asked_how_far = True
        facts = await self.facts_of(workspace_id, conversation_id)
        known = [fact.place for fact in facts if fact.place.topic == CONVERSATIONS.name]
        return any(place.offset >= offset for place in known)

    def _answer(self) -> None:
        if self.down:
            raise Unavailable("postgresql", "switched off by the test")
