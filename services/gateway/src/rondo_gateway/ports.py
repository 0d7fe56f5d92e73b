"""What the gateway needs from the world, with what each part promises.

Every method may raise ``Unavailable``: what it stands on is out of reach, and unless it says
otherwise, nothing was taken; the same call may succeed later.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from rondo_common.answers import Answer
from rondo_common.conversation import Message
from rondo_common.conversation_view import ConversationView
from rondo_common.directory.entries import Kind, WorkspaceEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.envelope import Envelope
from rondo_common.events import ConversationEvent, Event
from rondo_common.ids import (
    AgentId,
    ApiKeyId,
    CommandId,
    ConversationId,
    EventId,
    WebhookId,
    WorkspaceId,
)
from rondo_common.mailbox import StreamEvent
from rondo_common.webhooks import DeliveryRecord, DeliveryState, Reread
from rondo_gateway.domain.cursors import Cursor, Extent
from rondo_gateway.domain.representation import MessageList
from rondo_gateway.domain.tokens import TokenClaims
from rondo_gateway.domain.transcript import Transcript

# --- the directory -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Definition:
    """One entry to be defined anew; ``event`` None removes it."""

    kind: Kind
    entry_id: str
    event: Event | None


class DirectoryView(Protocol):
    """The directory as far as this process has read it. Looking never blocks."""

    def find(self, workspace_id: WorkspaceId) -> WorkspaceDirectory | None:
        """A workspace that exists, or None."""
        ...

    def workspaces(self) -> Iterable[WorkspaceEntry]:
        """Every workspace that exists."""
        ...

    def find_api_key(self, sha256: str) -> tuple[WorkspaceId, ApiKeyId] | None:
        """Whose key has this hash, if its workspace still exists."""
        ...

    async def refresh(self) -> None:
        """Return when everything written before this call was read, by whichever gateway.

        Bounded in time, and shared by concurrent callers, so that unknown names cannot be used to
        keep Kafka busy.
        """
        ...

    async def see_own_writes(self, workspace_id: WorkspaceId) -> None:
        """Return when every write of the workspace that any gateway has answered was read."""
        ...

    async def newest_offset(self, workspace_id: WorkspaceId) -> int:
        """The newest offset (exclusive) that any gateway has answered a write of the workspace with."""
        ...


WRITE_ENTRIES_MAX = 500
"""How many entries are written at once at most, so that others come in between."""


class DirectoryLog(Protocol):
    """Changes the directory."""

    def changing(self, workspace_id: WorkspaceId) -> AbstractAsyncContextManager[None]:
        """Only one at a time, over all gateways, for changes that depend on what is there."""
        ...

    async def write(self, workspace_id: WorkspaceId, definitions: Sequence[Definition]) -> list[int]:
        """Define entries, in order; the offset of each.

        Returns when the log has them, this process has read them, and every request that any
        gateway takes from then on tells the router to have read them first. After ``Unavailable``
        some may stand; write all of them again.
        """
        ...


class Places(Protocol):
    """Numbers the agents of each workspace as they join, over all gateways, without a lock."""

    async def next(self, workspace_id: WorkspaceId, last: int) -> int | None:
        """A place that nobody was given before, greater than all that were, and greater than ``last``.

        None when it does not know what was given before (a new workspace, or Redis was lost): catch up
        with the log, then ``begin``.
        """
        ...

    async def begin(self, workspace_id: WorkspaceId, last: int) -> int:
        """As :meth:`next`, where ``last`` is the greatest place that the log knows."""
        ...


# --- webhooks ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EndpointState:
    """How deliveries to an endpoint go: since when all fail, and which activation was given up for it."""

    failing_since: datetime | None = None
    given_up: EventId | None = None


class WebhookDesk(Protocol):
    """What the notifier does for webhook endpoints, and what it is asked to do."""

    async def states(
        self, workspace_id: WorkspaceId, webhook_ids: Sequence[WebhookId]
    ) -> list[EndpointState]:
        """The state of each endpoint."""
        ...

    async def deliveries(
        self,
        workspace_id: WorkspaceId,
        webhook_id: WebhookId,
        *,
        state: DeliveryState | None,
        limit: int,
        before: int | None,
    ) -> tuple[list[DeliveryRecord], int | None]:
        """The latest deliveries (in that state), newest first, from below a number; the number to go on
        from, None at the end."""
        ...

    async def ask_for_test(
        self, workspace_id: WorkspaceId, webhook_id: WebhookId, test_id: EventId
    ) -> None:
        """Have a test sent. Durable when it returns."""
        ...

    async def ask_for_replay(
        self, workspace_id: WorkspaceId, webhook_id: WebhookId, reread: Reread
    ) -> bool:
        """Have events sent again. Durable when it returns. False when another replay is not done yet."""
        ...


# --- the log -----------------------------------------------------------------------------------


class EventLog(Protocol):
    """Puts events and commands into the log."""

    async def publish(self, envelope: Envelope[ConversationEvent]) -> int:
        """Return when the log has it, replicated as configured: its offset. Repeating it is harmless:
        readers know its id."""
        ...


# --- conversations -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reservation:
    """What an ``Idempotency-Key`` stands for, if it is new: these, for 24 hours."""

    idempotency_key: str
    fingerprint: str
    conversation_id: ConversationId
    requested_at: datetime


class BeginOutcome(StrEnum):
    """Whether an ``Idempotency-Key`` was known."""

    NEW = "new"
    REPLAYED = "replayed"
    MISMATCH = "mismatch"
    """Known, with another request."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a request begins: the ids it has had since it was first made."""

    outcome: BeginOutcome
    conversation_id: ConversationId
    requested_at: datetime
    is_shown: bool
    """True when the conversation has a view: its request is in the log for certain."""
    directory_offset: int
    """The router must have read the workspace's directory up to here before deciding."""


class PostState(StrEnum):
    """What may happen to a message."""

    RESERVED = "reserved"
    """It is this side's to publish (perhaps again: its first attempt was not confirmed)."""
    POSTED = "posted"
    """It is in the log already."""
    NOT_ACTIVE = "not_active"
    """The conversation is not active, or not with this agent."""


@dataclass(frozen=True, slots=True)
class PostReservation:
    """The state, and unless refused the message as first written, with the conversation's agent."""

    state: PostState
    message: Message | None = None
    agent_id: AgentId | None = None


class Conversations(Protocol):
    """Conversations as the router shows them, and the gateway's own effects on them. Each effect is
    atomic and idempotent."""

    async def find(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> ConversationView | None:
        """The conversation, or None."""
        ...

    async def find_for_agent(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, agent_id: AgentId
    ) -> ConversationView | None:
        """The conversation, or None. An agent can hear of an offer moments before the view shows it:
        so while it may still be offered to this agent, wait for that, for a moment."""
        ...

    async def of_agent(self, workspace_id: WorkspaceId, agent_id: AgentId) -> list[ConversationView]:
        """Those offered to or active with the agent, oldest first."""
        ...

    async def begin_request(self, workspace_id: WorkspaceId, reservation: Reservation) -> Beginning:
        """Take the key for this request, or say what it already stands for."""
        ...

    async def show_requested(self, workspace_id: WorkspaceId, view: ConversationView) -> None:
        """Show a conversation that was just requested, unless the router shows it already."""
        ...

    async def reserve_message(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        client_message_id: str,
        message: Message,
    ) -> PostReservation:
        """Check that the conversation is active, with this agent if an agent writes, and mark when
        it was last talked in. A ``client_message_id`` that the side used before gives the message of
        that time."""
        ...

    async def mark_posted(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        client_message_id: str,
        message: Message,
        log_offset: int,
    ) -> bool:
        """Note that the log has the message, and where. True the first time."""
        ...


class Answers(Protocol):
    """The router's answers to commands."""

    def expected(
        self, workspace_id: WorkspaceId, command_id: CommandId
    ) -> AbstractAsyncContextManager[Callable[[float], Awaitable[Answer | None]]]:
        """Listen for the answer to a command; publish the command inside.

        What it gives waits so many seconds at most for the answer: None when there is none by then,
        also because Redis went away meanwhile (the command stays taken).
        """
        ...


# --- mailboxes ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in a mailbox. ``text`` is the event's JSON, as it was delivered."""

    cursor: Cursor
    event: StreamEvent
    text: str
    log_offset: int


class Bell(Protocol):
    """Rings when there may be something new. A ring means "look"."""

    def clear(self) -> None:
        """Listen for the next ring; do so before looking."""
        ...

    def set(self) -> None:
        """Ring."""
        ...

    async def wait(self) -> Literal[True]:
        """Return when it rings, or rang since it was cleared."""
        ...


class Mailboxes(Protocol):
    """What recipients are told, in order."""

    def listen(self, mailbox: str) -> AbstractAsyncContextManager[Bell]:
        """A bell that rings at every delivery from then on."""
        ...

    async def extent(self, mailbox: str) -> Extent | None:
        """What the mailbox keeps; None when it is not there."""
        ...

    async def after(self, mailbox: str, cursor: Cursor, count_max: int) -> list[Entry]:
        """The next entries after ``cursor``, oldest first."""
        ...

    async def until(self, mailbox: str, cursor: Cursor, count_max: int) -> list[Entry]:
        """The last entries up to and with ``cursor``, newest first."""
        ...


# --- history and tokens ------------------------------------------------------------------------


class History(Protocol):
    """What was said, from history's store. It lags behind by moments.

    ``at_least`` is an offset of ``rondo.conversations`` that the caller knows of: history is given a
    moment to have read the conversation that far; then it answers with what it has.
    """

    async def messages(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        *,
        limit: int,
        after: str | None,
        at_least: int,
    ) -> MessageList:
        """The next messages after a cursor, in the order they were said."""
        ...

    async def transcript(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, at_least: int
    ) -> Transcript | None:
        """The whole conversation; None when history does not know it (yet)."""
        ...


class Tokens(Protocol):
    """Bearer tokens of agents and visitors. Does not block."""

    def issue(self, claims: TokenClaims) -> str:
        """A token that says this."""
        ...

    def read(self, token: str) -> TokenClaims:
        """What a token says, if it is one of ours, unchanged, and not expired.

        Raises:
            NotAuthenticated: it is not.
        """
        ...
