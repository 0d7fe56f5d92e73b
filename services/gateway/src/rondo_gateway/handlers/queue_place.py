"""Where a waiting conversation stands in the queue, as far as its reader was told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from rondo_common.clock import Clock
from rondo_common.conversation import Queue, Status
from rondo_common.ids import ConversationId, EventId, WorkspaceId
from rondo_common.mailbox import StreamEvent
from rondo_gateway.ports import Bell, WaitingQueue

QUEUED = "conversation.queued"
OFFERED = "assignment.offered"
WAITING_IS_OVER = frozenset(
    {
        "assignment.accepted",
        "conversation.fell_back",
        "conversation.withdrawn",
        "conversation.ended",
    }
)
MAY_WAIT = frozenset({Status.REQUESTED, Status.QUEUED, Status.OFFERED})
"""An offer that nobody answers may lead (back) into the queue."""


class QueuePlace:
    """One reader's knowledge of a conversation's place. The queue moves on without an event in the
    mailbox, so the place is looked up when the queue's bell rings, and told when it has changed."""

    def __init__(
        self,
        queue: WaitingQueue,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        clock: Clock,
        new_id: Callable[[], EventId],
    ) -> None:
        self._queue = queue
        self._workspace_id = workspace_id
        self._conversation_id = conversation_id
        self._clock = clock
        self._new_id = new_id
        self._told: Queue | None = None
        self._is_offered = False
        self.is_worth_watching = True
        """Whether the conversation may be waiting, or come to wait."""

    def listen(self) -> AbstractAsyncContextManager[Bell]:
        """A bell that rings at every change of the queue. Raises ``Unavailable``."""
        return self._queue.listen(self._workspace_id)

    def hear_state(self, status: Status, queue: Queue | None) -> None:
        """The reader is told this state."""
        self._told = queue
        self._is_offered = status is Status.OFFERED
        self.is_worth_watching = status in MAY_WAIT

    def hear(self, event: StreamEvent) -> None:
        """The reader is told this event."""
        if event.type == QUEUED:
            self._told = Queue.model_validate(event.data["queue"], extra="ignore")
            self._is_offered = False
            self.is_worth_watching = True
        elif event.type == OFFERED:
            self._is_offered = True
        elif event.type in WAITING_IS_OVER:
            self.is_worth_watching = False

    async def look(self) -> Queue | None:
        """The place, if the reader was told another; None if not, or if it does not wait. Raises
        ``Unavailable``."""
        place = await self._queue.place_of(self._workspace_id, self._conversation_id)
        return None if place == self._told else place

    def tell(self, place: Queue) -> StreamEvent | None:
        """The event that tells ``place``; None when it stopped being news since it was looked up."""
        if not self.is_worth_watching or self._is_offered or place == self._told:
            return None
        self._told = place
        return StreamEvent(
            id=self._new_id(),
            type=QUEUED,
            conversation_id=self._conversation_id,
            occurred_at=self._clock(),
            data={"queue": place.model_dump(mode="json")},
        )
