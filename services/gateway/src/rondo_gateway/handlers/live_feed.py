"""One reader's way through one mailbox: a snapshot or the place they left, then whatever comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from rondo_common.clock import Clock
from rondo_common.conversation import Queue
from rondo_common.ids import ConversationId, EventId
from rondo_common.mailbox import StreamEvent
from rondo_gateway.domain.cursors import ORIGIN, Cursor, can_resume
from rondo_gateway.domain.representation import AgentSnapshot, ConversationSnapshot, Snapshot
from rondo_gateway.handlers.queue_place import QueuePlace
from rondo_gateway.handlers.visitor_streams import VisitorStream
from rondo_gateway.ports import Mailboxes

BATCH_ENTRIES_MAX = 100
STREAM_CLOSED = "stream.closed"

TakeSnapshot = Callable[[Cursor], Awaitable[ConversationSnapshot | AgentSnapshot]]
"""The state at a cursor or later: whatever happened after the cursor is told again."""

FindShown = Callable[[Cursor], Awaitable[Cursor]]
"""The latest place, not after a cursor, up to which the views have everything that was told."""


class Closing(StrEnum):
    """Why a stream ends that its reader did not leave."""

    RESTARTING = "restarting"
    """This process stops: come back, to another one."""
    TOO_SLOW = "too_slow"
    """The reader does not take what it is told: come back when it does, nothing is lost for a while."""
    NOT_PERMITTED = "not_permitted"
    """The credential ended, or the conversation is somebody else's now."""
    FAILED = "failed"
    """A defect of Rondo: come back."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event as the stream tells it; ``data`` is JSON on one line. Nobody goes on after a sign."""

    cursor: Cursor | None
    type: str
    data: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What a stream is about: its mailbox, its state, and whether its reader may still read it; its
    place in the queue, if it can have one; and whose presence its being open renews, if anybody's."""

    mailbox: str
    conversation_id: ConversationId | None
    find_shown: FindShown
    take_snapshot: TakeSnapshot
    is_permitted: Callable[[], Awaitable[bool]]
    concerns: Callable[[StreamEvent], bool]
    """Whether the reader is to see a sign of somebody's."""
    place: QueuePlace | None = None
    renew_presence: Callable[[], Awaitable[None]] | None = None
    visitor: VisitorStream | None = None
    """Set where the stream shows that a visitor is there."""


class LiveFeed:
    """One reader's way through one mailbox. Holds a batch at most."""

    def __init__(
        self, subject: Subject, mailboxes: Mailboxes, clock: Clock, new_id: Callable[[], EventId]
    ) -> None:
        self._subject = subject
        self._mailboxes = mailboxes
        self._clock = clock
        self._new_id = new_id
        self._cursor = ORIGIN
        self.has_more = True
        """Whether there may be something after what was given last, although no bell has rung since."""

    @property
    def mailbox(self) -> str:
        """Where to listen for its bell."""
        return self._subject.mailbox

    @property
    def conversation_id(self) -> ConversationId | None:
        """The conversation it is about; None for an agent's."""
        return self._subject.conversation_id

    @property
    def place(self) -> QueuePlace | None:
        """The place in the queue to watch; None for a stream without one."""
        return self._subject.place

    async def is_permitted(self) -> bool:
        """Whether the reader may still read. Raises ``Unavailable``."""
        return await self._subject.is_permitted()

    async def renew_presence(self) -> None:
        """The stream is still open."""
        if self._subject.renew_presence is not None:
            await self._subject.renew_presence()

    async def beat(self) -> bool:
        """The reader is still there: whether they may still read. Raises ``Unavailable``."""
        if self._subject.visitor is not None:
            await self._subject.visitor.beat()
        return await self.is_permitted()

    async def close(self) -> None:
        """The reader is gone. Raises ``Unavailable``."""
        if self._subject.visitor is not None:
            await self._subject.visitor.close()

    def signs(self, whispers: Iterable[str]) -> list[Told]:
        """What of the whispers the reader is to see."""
        heard = [StreamEvent.model_validate_json(each) for each in whispers]
        return [
            Told(None, sign.type, sign.model_dump_json()) for sign in heard if self._subject.concerns(sign)
        ]

    async def start(self, last: Cursor | None) -> list[Told]:
        """Go on right after ``last`` if that is possible; else a snapshot. Raises ``Unavailable``."""
        if last is None:
            return [await self._snapshot(resumed=None)]
        self._cursor = last
        return await self.check()

    async def check(self) -> list[Told]:
        """A snapshot if what comes after the cursor is no longer kept; else nothing."""
        if can_resume(self._cursor, await self._mailboxes.extent(self.mailbox)):
            return []
        return [await self._snapshot(resumed=False)]

    async def next(self) -> list[Told]:
        """What happened since, oldest first; at most a batch. Raises ``Unavailable``."""
        entries = await self._mailboxes.after(self.mailbox, self._cursor, BATCH_ENTRIES_MAX)
        self.has_more = len(entries) == BATCH_ENTRIES_MAX
        if self.has_more:
            # Far behind: what came right after the cursor may have been let go meanwhile.
            lost = await self.check()
            if lost:
                return lost
        if entries:
            self._cursor = entries[-1].cursor
        if self.place is not None:
            for entry in entries:
                self.place.hear(entry.event)
        return [Told(entry.cursor, entry.event.type, entry.text) for entry in entries]

    def closing(self, reason: Closing) -> Told:
        """The last event. It has no cursor: a reader goes on after what came before."""
        event = StreamEvent(
            id=self._new_id(),
            type=STREAM_CLOSED,
            conversation_id=self._subject.conversation_id,
            occurred_at=self._clock(),
            data={"reason": reason},
        )
        return Told(None, event.type, event.model_dump_json())

    def tell_place(self, place: Queue) -> list[Told]:
        """The place in the queue that was found, unless what was told since made it old. It stands in no
        mailbox, so its cursor is that of what was told before."""
        event = None if self.place is None else self.place.tell(place)
        return [] if event is None else [Told(self._cursor, event.type, event.model_dump_json())]

    async def _snapshot(self, *, resumed: bool | None) -> Told:
        # The cursor comes before the state: what happens in between is told twice, never not.
        extent = await self._mailboxes.extent(self.mailbox)
        cursor = ORIGIN if extent is None else await self._subject.find_shown(extent.last)
        state = await self._subject.take_snapshot(cursor)
        snapshot = Snapshot(
            id=self._new_id(),
            conversation_id=self._subject.conversation_id,
            occurred_at=self._clock(),
            data=state.model_copy(update={"resumed": resumed}),
        )
        self._cursor = cursor
        self.has_more = True
        if self.place is not None and isinstance(state, ConversationSnapshot):
            self.place.hear_state(state.conversation.status, state.conversation.queue)
        return Told(cursor, snapshot.type, snapshot.model_dump_json())
