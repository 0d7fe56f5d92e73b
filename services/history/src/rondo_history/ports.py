"""What the history needs from the world, with what it promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rondo_common.ids import ConversationId, WorkspaceId
from rondo_history.domain.fact import Fact, Place
from rondo_history.domain.listing import Filter, KeptConversation


class Archive(Protocol):
    """Keeps facts. What it has is never changed.

    Raises:
        Unavailable: it cannot be reached; nothing of the call happened that repeating it would double.
    """

    async def keep(self, facts: Sequence[Fact], *, read_to: Place | None = None) -> None:
        """Keep all of them, durably, or none. A fact whose id is known stays as it was first kept; of a
        conversation that was erased nothing is kept but its figures.

        ``read_to`` is the last record of the log that these facts come from: all before it in its
        partition is kept then.
        """
        ...

    async def facts_of(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> list[Fact]:
        """Everything kept of a conversation, in no particular order; empty when it is not known."""
        ...

    async def steps_of(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> list[Fact]:
        """As :meth:`facts_of`, without what was said and read: never many."""
        ...

    async def messages_of(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, after: int, limit: int
    ) -> list[Fact]:
        """The first ``limit`` messages of a conversation with an offset above ``after``, by offset."""
        ...

    async def has_read(self, place: Place) -> bool:
        """Whether the log was read up to ``place`` in its partition, and all of that is kept."""
        ...

    async def find(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> KeptConversation | None:
        """A conversation at a glance; None when it is not known, or was erased."""
        ...

    async def list_page(
        self, workspace_id: WorkspaceId, wanted: Filter, limit: int
    ) -> list[KeptConversation]:
        """The first ``limit`` of the conversations that are wanted, newest first."""
        ...

    async def has_reached(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, offset: int
    ) -> bool:
        """Whether the conversation is kept up to ``offset`` of its partition of the log."""
        ...
