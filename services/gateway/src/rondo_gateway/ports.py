"""What the gateway needs from the world, with what each part promises.

Every method may raise ``Unavailable``: what it stands on is out of reach, and unless it says
otherwise, nothing was taken; the same call may succeed later.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol

from rondo_common.alerts import AlertRecord
from rondo_common.answers import Answer
from rondo_common.conversation import Message, Queue, Rating
from rondo_common.conversation_view import ConversationView
from rondo_common.directory.entries import Kind, WorkspaceEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.envelope import Envelope
from rondo_common.events import Event
from rondo_common.ids import (
    AgentId,
    AlertId,
    ApiKeyId,
    CommandId,
    ConversationId,
    EventId,
    MessageId,
    VisitorId,
    WebhookId,
    WorkspaceId,
)
from rondo_common.mailbox import StreamEvent
from rondo_common.webhooks import DeliveryRecord, DeliveryState, Reread
from rondo_gateway.domain.assignments import Assignments
from rondo_gateway.domain.cursors import Cursor, Extent
from rondo_gateway.domain.identity import Identity
from rondo_gateway.domain.listing import KeptConversation, KeptPage, Wanted
from rondo_gateway.domain.metrics_board import MetricsWindow, Posted
from rondo_gateway.domain.report import Report, ReportQuestion
from rondo_gateway.domain.representation import MessageList
from rondo_gateway.domain.sign_in import KeptSession
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

    def find_site(self, site_key: str) -> WorkspaceId | None:
        """Whose site key this is, if that workspace still exists."""
        ...

    def is_origin_known(self, origin: str) -> bool:
        """Whether any workspace lets pages of ``origin`` call."""
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

    async def publish(self, envelope: Envelope[Event]) -> int:
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


Side = Literal["visitor", "agent"]
"""Who reads: the agent, or the visitor (with the website's backend)."""


class Conversations(Protocol):
    """Conversations as the router shows them, and the gateway's own effects on them. Each effect is
    atomic and idempotent.

    While the router fills a Redis that lost everything, what is missing may still come: whoever looks
    for it waits a moment, then gets ``Unavailable``. What is there is found at once.
    """

    async def find(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> ConversationView | None:
        """The conversation, with its place in the queue while it waits there; or None."""
        ...

    async def find_for_agent(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, agent_id: AgentId
    ) -> ConversationView | None:
        """The conversation, or None. An agent can hear of an offer moments before the view shows it:
        so while it may still be offered to this agent, wait for that, for a moment."""
        ...

    async def find_shown(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, log_offset: int
    ) -> ConversationView | None:
        """The conversation once its view has what the log says of it up to this offset. After some seconds,
        no longer than a command waits for its answer: as it is then."""
        ...

    async def of_agent(self, workspace_id: WorkspaceId, agent_id: AgentId) -> list[ConversationView]:
        """Those offered to or with the agent, oldest first."""
        ...

    async def loads(self, workspace_id: WorkspaceId, agent_ids: Sequence[AgentId]) -> dict[AgentId, int]:
        """How many conversations each of the agents has, or is offered."""
        ...

    async def begin_request(self, workspace_id: WorkspaceId, reservation: Reservation) -> Beginning:
        """Take the key for this request, or say what it already stands for."""
        ...

    async def show_requested(
        self, workspace_id: WorkspaceId, view: ConversationView, request_offset: int
    ) -> None:
        """Show a conversation that was just requested, unless the router shows it already; and note
        where the log has the request."""
        ...

    async def newest_request(self, workspace_id: WorkspaceId) -> int:
        """Where the log has the workspace's newest request that was noted; -1 before the first."""
        ...

    async def find_many(
        self, workspace_id: WorkspaceId, conversation_ids: Sequence[ConversationId]
    ) -> dict[ConversationId, ConversationView]:
        """Those of the conversations that are there, as they are now."""
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

    async def reserve_mail(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> int | None:
        """Count one more transcript of the conversation sent by email; None. When there were too many
        lately: in how many seconds there may be another."""
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

    async def is_read_further(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, side: Side, message_id: MessageId
    ) -> bool | None:
        """Whether the message comes after everything that side is known to have read; None when no
        message of the conversation is known by that id."""
        ...

    async def mark_read(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, side: Side, message_id: MessageId
    ) -> None:
        """Note that the side has read so far. It never goes back."""
        ...

    async def mark_rated(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, rating: Rating, log_offset: int
    ) -> bool:
        """Show the conversation's rating, which the log has there, unless a later one is shown. False if
        one was shown before. A conversation that is not shown any more stays so."""
        ...

    async def forget_rating(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> None:
        """Show no rating of the conversation any more."""
        ...

    async def unread_by_agent(
        self, workspace_id: WorkspaceId, conversation_ids: Sequence[ConversationId]
    ) -> dict[ConversationId, int]:
        """How many of the visitor's messages the agent's side has not read, in each of them. What was
        said before Redis lost everything counts as read."""
        ...


class VisitorPresence(Protocol):
    """Until when the visitor of each conversation was seen, over all their streams and all gateways."""

    async def see(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        stream_id: str,
        now: datetime,
        until: datetime,
    ) -> None:
        """A stream of the visitor is open, and taken to be so until then unless it is seen again."""
        ...

    async def leave(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, stream_id: str, now: datetime
    ) -> None:
        """The stream was closed. With no other one open, the visitor was last seen now."""
        ...


# --- limits --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Quota:
    """So many a minute of what ``subject`` names, at once or spread; ``limit`` is the setting's name."""

    limit: str
    subject: str
    per_minute: int


class RateLimiter(Protocol):
    """Counts what is taken, over all gateways."""

    async def take(
        self, workspace_id: WorkspaceId, quotas: Sequence[Quota], now: datetime
    ) -> tuple[Quota, int] | None:
        """Take one of each, or of none at all: then which is used up, and for how many ms."""
        ...


class Presence(Protocol):
    """Which agents have an inbox open: leases that any of their devices renews."""

    async def renew(
        self,
        workspace_id: WorkspaceId,
        agent_id: AgentId,
        now: datetime,
        lease_s: float,
        margin_s: float = 0.0,
    ) -> bool:
        """Let the agent be present for ``lease_s`` seconds, or longer if they are already. True when the
        router may not know that they are, because no lease was announced or held for ``margin_s`` more:
        then tell it, and note that by ``note_announced``."""
        ...

    async def note_announced(
        self, workspace_id: WorkspaceId, agent_id: AgentId, now: datetime, lease_s: float
    ) -> None:
        """The router is told: no need to tell it again as long as the lease is renewed in time."""
        ...

    async def present_at(self, workspace_id: WorkspaceId, now: datetime) -> set[AgentId]:
        """Everybody whose lease is not over."""
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


class WhisperingBell(Bell, Protocol):
    """A bell that says something with a ring: what is worth nothing a moment later, and kept nowhere."""

    def whispered(self) -> Sequence[str]:
        """What came along with the rings since this was last asked, oldest first; at least the latest."""
        ...


class Mailboxes(Protocol):
    """What recipients are told, in order."""

    def listen(self, mailbox: str) -> AbstractAsyncContextManager[WhisperingBell]:
        """A bell that rings at every delivery from then on."""
        ...

    async def whisper(self, mailbox: str, text: str) -> None:
        """Ring the bell with a whisper, which is kept nowhere: who does not listen now never hears it."""
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


class WaitingQueue(Protocol):
    """The conversations that wait for an agent, in order."""

    def listen(self, workspace_id: WorkspaceId) -> AbstractAsyncContextManager[Bell]:
        """A bell that rings at every change of the workspace's queue from then on."""
        ...

    async def place_of(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> Queue | None:
        """The conversation's place; None unless it is shown as queued."""
        ...


# --- live metrics ------------------------------------------------------------------------------


class LiveMetrics(Protocol):
    """The last windows of each workspace's live metrics, as far as this process has read the log."""

    async def windows(self, workspace_id: WorkspaceId) -> list[MetricsWindow]:
        """The last windows, by time."""
        ...

    async def last_offset(self, workspace_id: WorkspaceId) -> int:
        """How far the workspace's partition of the log was read: the offset of its last record."""
        ...

    async def after(self, workspace_id: WorkspaceId, offset: int) -> list[Posted] | None:
        """The windows told behind an offset, in the log's order; None when not all of them are kept."""
        ...

    def listen(self, workspace_id: WorkspaceId) -> AbstractAsyncContextManager[Bell]:
        """A bell that rings at every window from then on."""
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

    async def latest_messages(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        *,
        limit: int,
        before: str | None,
        at_least: int,
    ) -> MessageList:
        """The messages before a cursor, or the last ones: the last first."""
        ...

    async def transcript(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, at_least: int
    ) -> Transcript | None:
        """The whole conversation; None when history does not know it (yet)."""
        ...

    async def conversation(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> KeptConversation | None:
        """A conversation as far as it is kept; None when history does not know it (any more)."""
        ...

    async def conversations(
        self, workspace_id: WorkspaceId, wanted: Wanted, *, requests_at_least: int
    ) -> KeptPage:
        """A page of the conversations that are wanted, newest first. ``requests_at_least`` is as
        ``at_least``, of the workspace's requests."""
        ...

    async def can_mail(self) -> bool:
        """Whether transcripts can be sent by email here."""
        ...

    async def live_chat_report(self, workspace_id: WorkspaceId, question: ReportQuestion) -> Report:
        """The figures that are asked for."""
        ...

    async def assignments(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, at_least: int
    ) -> Assignments | None:
        """Whom it was offered to, and why; None when history does not know it (yet)."""
        ...


class Tokens(Protocol):
    """Bearer tokens of agents and visitors. Does not block."""

    def issue(self, claims: TokenClaims) -> str:
        """A token that says this."""
        ...

    def read(self, token: str, *, expired_s_max: int = 0) -> TokenClaims:
        """What a token says, if it is one of ours, unchanged, and not expired; or not longer than that.

        Raises:
            NotAuthenticated: it is not.
        """
        ...


class Identities(Protocol):
    """Who visitors are: the ids of anonymous ones, and what a website signs of those it knows. Does not
    block."""

    def new_anonymous(self, workspace: WorkspaceEntry) -> VisitorId:
        """A fresh id that nobody can guess."""
        ...

    def is_anonymous(self, workspace: WorkspaceEntry, visitor_id: str) -> bool:
        """Whether this workspace was given the id here."""
        ...

    def secret(self, workspace: WorkspaceEntry, salt: str) -> str:
        """The secret that a salt stands for. Always the same."""
        ...

    def read(self, token: str, workspace: WorkspaceEntry, salts: Sequence[str], now: datetime) -> Identity:
        """What the website signed with one of the secrets.

        Raises:
            NotAuthenticated: none of them signed it, or it does not expire soon enough, or has expired.
            Invalid: what it says of the visitor cannot be taken.
        """
        ...


class AlertBook(Protocol):
    """The alerts of agents, as the notifier keeps them.

    Raises:
        Unavailable: they cannot be read now.
    """

    async def of_agent(self, workspace_id: WorkspaceId, agent_id: AgentId) -> list[AlertRecord]:
        """An agent's alerts that are kept, the newest first."""
        ...

    async def find(self, workspace_id: WorkspaceId, alert_id: AlertId) -> AlertRecord | None:
        """One alert, or None."""
        ...

    def watched(
        self, workspace_id: WorkspaceId, alert_id: AlertId
    ) -> AbstractAsyncContextManager[Callable[[AlertRecord, float], Awaitable[AlertRecord]]]:
        """While it is entered, no change of an alert is missed. What it gives waits for another state
        than that of the record, at most so many seconds: the alert then, or as it was."""
        ...


# --- signing in ----------------------------------------------------------------------------------


class TicketKind(StrEnum):
    """What a ticket opens."""

    LINK = "sign_in_link"
    FLOW = "sign_in_flow"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What is good for one use. ``sha256`` is the hash of the secret that names it."""

    workspace_id: WorkspaceId
    kind: TicketKind
    sha256: str


class Tickets(Protocol):
    """Tickets that were given out and not used yet."""

    async def keep(self, ticket: Ticket, content: str, ttl_s: int) -> None:
        """Keep a ticket, with what it is about, for so many seconds at least, and hardly longer."""
        ...

    async def find(self, ticket: Ticket) -> str | None:
        """What a ticket is about; it stays. None when it was used, is over or is none."""
        ...

    async def take(self, ticket: Ticket) -> str | None:
        """As :meth:`find`, and it is used by that: of all who ask, one gets it."""
        ...


class SessionStore(Protocol):
    """The sessions of agents in browsers, named by the hashes of their secrets."""

    async def begin(
        self,
        workspace_id: WorkspaceId,
        sha256: str,
        session: KeptSession,
        now: datetime,
        idle_s: int,
        ticket: Ticket | None = None,
    ) -> bool:
        """Keep a session; with a ``ticket``, only together with using that. False: it was used before.

        The agent has ``SESSIONS_OF_AGENT_MAX`` at most: the one unused for longest ends for another.
        """
        ...

    async def use(
        self, workspace_id: WorkspaceId, agent_id: AgentId, sha256: str, now: datetime, idle_s: int
    ) -> KeptSession | None:
        """The session, if it has not ended: it goes on for ``idle_s`` from now, or a hundredth less."""
        ...

    async def end(self, workspace_id: WorkspaceId, agent_id: AgentId, sha256: str) -> None:
        """End a session, and ring. What is none any more stays so."""
        ...

    async def end_all(self, workspace_id: WorkspaceId, agent_id: AgentId) -> None:
        """End every session of an agent, and ring."""
        ...

    def listen(self, workspace_id: WorkspaceId, agent_id: AgentId) -> AbstractAsyncContextManager[Bell]:
        """A bell that rings when a session of the agent was ended, from then on."""
        ...


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What an issuer is asked: to let somebody sign in, and send their browser to ``redirect_uri``."""

    redirect_uri: str
    state: str
    nonce: str
    code_challenge: str


@dataclass(frozen=True, slots=True)
class Redemption:
    """A code that an issuer gave out, and what must be shown with it."""

    code: str
    redirect_uri: str
    code_verifier: str


class Issuer(Protocol):
    """An OpenID Connect issuer.

    Raises:
        SignInFailed: it is out of reach, refuses, or says what is not its own word.
    """

    @property
    def client_id(self) -> str:
        """What Rondo is called there."""
        ...

    @property
    def name(self) -> str:
        """The issuer's own identifier, a URL."""
        ...

    async def authorization_url(self, request: AuthorizationRequest) -> str:
        """Where a browser goes to sign in."""
        ...

    async def identity(self, redemption: Redemption) -> Mapping[str, Any]:
        """What the issuer says of who signed in: its claims, signed by it and for Rondo; whether they are
        of this sign-in, and of now, is yet to be checked."""
        ...
