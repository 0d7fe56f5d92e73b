"""A visitor's open stream shows that they are there. See ``endings.lua`` of the router for what follows."""

from __future__ import annotations

from datetime import timedelta

from rondo_common.clock import Clock
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_gateway.ports import VisitorPresence

SEEN_AHEAD = timedelta(seconds=45)
"""A stream is taken to be open for so long after each heartbeat: two of them may be late. Should its
gateway die, the visitor was last seen then."""


class VisitorStream:
    """One stream of one visitor, renewed by its heartbeats."""

    def __init__(
        self,
        presence: VisitorPresence,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        stream_id: str,
        clock: Clock,
    ) -> None:
        self._presence = presence
        self._place = workspace_id, conversation_id, stream_id
        self._clock = clock

    async def beat(self) -> None:
        """It is open. Raises ``Unavailable``."""
        now = self._clock()
        await self._presence.see(*self._place, now, now + SEEN_AHEAD)

    async def close(self) -> None:
        """It was closed. Raises ``Unavailable``: then it is taken to be open for a while yet."""
        await self._presence.leave(*self._place, self._clock())
