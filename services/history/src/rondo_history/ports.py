"""What the history needs from the world, with what it promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rondo_common.ids import ConversationId, WorkspaceId
from rondo_history.domain.fact import Fact


class Archive(Protocol):
    """Keeps facts. What it has is never changed.

    Raises:
        Unavailable: it cannot be reached; nothing of the call happened that repeating it would double.
    """

    async def keep(self, facts: Sequence[Fact]) -> None:
        """Keep all of them, durably, or none. A fact whose id is known stays as it was first kept."""
        ...

    async def facts_of(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> list[Fact]:
        """Everything kept of a conversation, in no particular order; empty when it is not known."""
        ...

    async def messages_of(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, after: int, limit: int
    ) -> list[Fact]:
        """The first ``limit`` messages of a conversation with an offset above ``after``, by offset."""
        ...

    async def has_reached(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, offset: int
    ) -> bool:
        """Whether the conversation is kept up to ``offset`` of its partition of the log."""
        ...
