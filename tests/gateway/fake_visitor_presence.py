"""Visitors' presence in memory."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from rondo_common.errors import Unavailable
from rondo_common.ids import ConversationId, WorkspaceId

Place = tuple[WorkspaceId, ConversationId]


@dataclass
class FakeVisitorPresence:
    """A :class:`rondo_gateway.ports.VisitorPresence` without a server."""

    streams: defaultdict[Place, dict[str, datetime]] = field(default_factory=lambda: defaultdict(dict))
    seen: dict[Place, datetime] = field(default_factory=dict)
    is_unreachable: bool = False

    async def see(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        stream_id: str,
        now: datetime,  # noqa: ARG002 - nothing is forgotten here
        until: datetime,
    ) -> None:
        self._check()
        place = workspace_id, conversation_id
        self.streams[place][stream_id] = until
        self.seen[place] = max(until, self.seen.get(place, until))

    async def leave(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, stream_id: str, now: datetime
    ) -> None:
        self._check()
        place = workspace_id, conversation_id
        self.streams[place].pop(stream_id, None)
        self.seen[place] = max([now, *self.streams[place].values()])

    async def seen_until(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> datetime | None:
        """What the router looks at."""
        return self.seen.get((workspace_id, conversation_id))

    def _check(self) -> None:
        if self.is_unreachable:
            raise Unavailable("redis", "switched off by the test")
