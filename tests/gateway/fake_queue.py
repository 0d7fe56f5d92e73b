"""The waiting queue in memory, with what a router makes of it."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator

from rondo_common.conversation import Queue
from rondo_common.errors import Unavailable
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_common.redis.doorbells import Doorbell
from tests.gateway.fake_conversations import FakeConversations


class FakeWaitingQueue:
    """A :class:`rondo_gateway.ports.WaitingQueue` beside the fake conversations."""

    def __init__(self, conversations: FakeConversations) -> None:
        self.conversations = conversations
        self.lookups = 0
        self.is_unreachable = False
        self._bells: defaultdict[WorkspaceId, set[Doorbell]] = defaultdict(set)

    async def line_up(
        self, workspace_id: WorkspaceId, waiting: list[ConversationId], pace_s: float | None = None
    ) -> None:
        """What the router does: this is the order now."""
        await self.conversations.line_up(workspace_id, waiting, pace_s)
        for bell in self._bells[workspace_id]:
            bell.set()

    def listeners(self, workspace_id: WorkspaceId) -> int:
        """How many listen to the queue's bell."""
        return len(self._bells[workspace_id])

    @contextlib.asynccontextmanager
    async def listen(self, workspace_id: WorkspaceId) -> AsyncIterator[Doorbell]:
        self._check()
        bell = Doorbell()
        self._bells[workspace_id].add(bell)
        try:
            yield bell
        finally:
            self._bells[workspace_id].discard(bell)

    async def place_of(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> Queue | None:
        self._check()
        self.lookups += 1
        return self.conversations.place_of(workspace_id, conversation_id)

    def _check(self) -> None:
        if self.is_unreachable:
            raise Unavailable("redis", "switched off by the test")
