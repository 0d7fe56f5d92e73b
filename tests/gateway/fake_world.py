"""A world for the gateway without servers, and a caller who stands in it."""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from rondo_common.answers import Answer
from rondo_common.clock import Clock
from rondo_common.conversation import (
    AgentCard,
    Ended,
    EndReason,
    Message,
    Offer,
    Party,
    Request,
    RoundRobinRoute,
    Status,
    Visitor,
)
from rondo_common.conversation_view import ConversationView
from rondo_common.directory.entries import (
    AgentEntry,
    ApiKeyEntry,
    Kind,
    WorkspaceEntry,
    WorkspaceSettings,
)
from rondo_common.envelope import Envelope
from rondo_common.errors import Unavailable
from rondo_common.events import AgentDefined, ApiKeyDefined, Event, WorkspaceDefined
from rondo_common.ids import (
    AgentId,
    ApiKeyId,
    CommandId,
    ConversationId,
    VisitorId,
    WorkspaceId,
)
from rondo_common.system_clock import utc_now
from rondo_gateway.adapters.jwt_tokens import JwtTokens
from rondo_gateway.adapters.visitor_identities import VisitorIdentities
from rondo_gateway.bootstrap import World, build_app
from rondo_gateway.domain.assignments import Assignments
from rondo_gateway.domain.listing import KeptConversation, KeptPage, Wanted
from rondo_gateway.domain.report import Report, ReportQuestion
from rondo_gateway.domain.representation import MessageList
from rondo_gateway.domain.sign_in import SessionTimes
from rondo_gateway.domain.tokens import AgentSubject, TokenClaims, VisitorSubject, claims_for
from rondo_gateway.domain.transcript import Transcript
from rondo_gateway.entrypoints.open_streams import OpenStreams
from rondo_gateway.entrypoints.session_cookies import Site
from rondo_gateway.entrypoints.stream_readers import StreamTimes
from rondo_gateway.ports import Definition, Issuer
from tests.gateway.fake_alert_book import FakeAlertBook
from tests.gateway.fake_conversations import FakeConversations
from tests.gateway.fake_directory import FakeDirectory
from tests.gateway.fake_mailboxes import FakeMailboxes
from tests.gateway.fake_metrics import FakeLiveMetrics
from tests.gateway.fake_places import FakePlaces
from tests.gateway.fake_presence import FakePresence
from tests.gateway.fake_queue import FakeWaitingQueue
from tests.gateway.fake_rate_limiter import FakeRateLimiter
from tests.gateway.fake_sign_in import FakeSessions, FakeTickets
from tests.gateway.fake_visitor_presence import FakeVisitorPresence
from tests.gateway.fake_webhook_desk import FakeWebhookDesk

NOON = datetime.now(UTC).replace(microsecond=0)
"""The fakes' present. Whole seconds, as tokens count in those."""
ROOT_KEY = "root-key-of-the-tests"
TOKEN_SECRET = "token-secret-of-the-tests-0123456789"
ACME = WorkspaceId("acme")
ACME_KEY = "rk_acme"
GLOBEX = WorkspaceId("globex")
GLOBEX_KEY = "rk_globex"
GRACE = AgentId("grace")
BOB = AgentId("bob")
ADA = VisitorId("ada")
CNV = ConversationId("cnv_1")


class FakeEventLog:
    """A :class:`rondo_gateway.ports.EventLog` that remembers."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope[Event]] = []
        self.is_unreachable = False

    async def publish(self, envelope: Envelope[Event]) -> int:
        if self.is_unreachable:
            raise Unavailable("kafka", "switched off by the test")
        self.envelopes.append(envelope)
        return len(self.envelopes) - 1

    @property
    def events(self) -> list[Event]:
        return [envelope.event for envelope in self.envelopes]


class FakeAnswers:
    """A :class:`rondo_gateway.ports.Answers`: ``decide`` stands for the router."""

    def __init__(self) -> None:
        self.decide: Callable[[CommandId], Awaitable[Answer | None]] = self._never

    @contextlib.asynccontextmanager
    async def expected(
        self,
        workspace_id: WorkspaceId,  # noqa: ARG002 - one router for all
        command_id: CommandId,
    ) -> AsyncIterator[Callable[[float], Awaitable[Answer | None]]]:
        async def answer(_: float) -> Answer | None:
            return await self.decide(command_id)

        yield answer

    async def _never(self, _: CommandId) -> Answer | None:
        return None


class FakeHistory:
    """A :class:`rondo_gateway.ports.History` that knows what the test tells it."""

    def __init__(self) -> None:
        self.transcripts: dict[ConversationId, Transcript] = {}
        self.pages: dict[ConversationId, MessageList] = {}
        self.kept: dict[ConversationId, KeptConversation] = {}
        self.wanted: list[tuple[WorkspaceId, Wanted]] = []
        self.questions: list[tuple[WorkspaceId, ReportQuestion]] = []
        self.has_mail = True
        self.report = Report(data=[])
        self.stories: dict[ConversationId, Assignments] = {}
        self.asked_for: list[int] = []
        self.is_unreachable = False

    async def messages(
        self,
        workspace_id: WorkspaceId,  # noqa: ARG002 - ids differ between the tests' workspaces
        conversation_id: ConversationId,
        *,
        limit: int,
        after: str | None,  # noqa: ARG002 - one page is all there is
        at_least: int,
    ) -> MessageList:
        self._check()
        self.asked_for.append(at_least)
        page = self.pages.get(conversation_id, MessageList(data=[], next_cursor=None))
        return page.model_copy(update={"data": page.data[:limit]})

    async def latest_messages(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        *,
        limit: int,
        before: str | None,
        at_least: int,
    ) -> MessageList:
        place = workspace_id, conversation_id
        page = await self.messages(*place, limit=1000, after=before, at_least=at_least)
        return page.model_copy(update={"data": page.data[::-1][:limit]})

    async def transcript(
        self,
        workspace_id: WorkspaceId,  # noqa: ARG002 - as above
        conversation_id: ConversationId,
        *,
        at_least: int,
    ) -> Transcript | None:
        self._check()
        self.asked_for.append(at_least)
        return self.transcripts.get(conversation_id)

    async def conversation(
        self,
        workspace_id: WorkspaceId,  # noqa: ARG002 - as above
        conversation_id: ConversationId,
    ) -> KeptConversation | None:
        self._check()
        return self.kept.get(conversation_id)

    async def conversations(
        self, workspace_id: WorkspaceId, wanted: Wanted, *, requests_at_least: int
    ) -> KeptPage:
        self._check()
        self.asked_for.append(requests_at_least)
        self.wanted.append((workspace_id, wanted))
        return KeptPage(data=list(self.kept.values())[: wanted.limit], next_cursor=None)

    async def can_mail(self) -> bool:
        self._check()
        return self.has_mail

    async def live_chat_report(self, workspace_id: WorkspaceId, question: ReportQuestion) -> Report:
        self._check()
        self.questions.append((workspace_id, question))
        return self.report

    async def assignments(
        self,
        workspace_id: WorkspaceId,  # noqa: ARG002 - as above
        conversation_id: ConversationId,
        *,
        at_least: int,
    ) -> Assignments | None:
        self._check()
        self.asked_for.append(at_least)
        return self.stories.get(conversation_id)

    def _check(self) -> None:
        if self.is_unreachable:
            raise Unavailable("history", "switched off by the test")


class ClockedTokens(JwtTokens):
    """Tokens that expire by the world's clock. The library looks at the real one."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(TOKEN_SECRET)
        self._clock = clock

    def read(self, token: str, *, expired_s_max: int = 0) -> TokenClaims:
        ahead_s = round((utc_now() - self._clock()).total_seconds())
        return super().read(token, expired_s_max=expired_s_max + ahead_s)


@dataclass
class FakeWorld:
    """Everything the gateway stands on, without servers. Two workspaces; Grace and Bob are agents, who
    have been present for a while."""

    directory: FakeDirectory = field(default_factory=FakeDirectory)
    places: FakePlaces = field(default_factory=FakePlaces)
    webhook_desk: FakeWebhookDesk = field(default_factory=FakeWebhookDesk)
    webhook_allow_private: bool = False
    alerts: FakeAlertBook = field(default_factory=FakeAlertBook)
    push_public_key: str | None = "BPublicKey"
    conversations: FakeConversations = field(default_factory=FakeConversations)
    log: FakeEventLog = field(default_factory=FakeEventLog)
    answers: FakeAnswers = field(default_factory=FakeAnswers)
    mailboxes: FakeMailboxes = field(default_factory=FakeMailboxes)
    metrics: FakeLiveMetrics = field(default_factory=FakeLiveMetrics)
    history: FakeHistory = field(default_factory=FakeHistory)
    presence: FakePresence = field(default_factory=FakePresence)
    presence_lease_s: float = 75.0
    limiter: FakeRateLimiter = field(default_factory=FakeRateLimiter)
    visitors: FakeVisitorPresence = field(default_factory=FakeVisitorPresence)
    identities: VisitorIdentities = field(
        default_factory=lambda: VisitorIdentities(TOKEN_SECRET, lambda: uuid.uuid4().hex)
    )
    tickets: FakeTickets = field(default_factory=FakeTickets)
    session_times: SessionTimes = field(default_factory=SessionTimes)
    issuer: Issuer | None = None
    public_url: str = ""
    open_streams: OpenStreams = field(default_factory=OpenStreams)
    times: StreamTimes = field(default_factory=lambda: StreamTimes(redis_retry_s=0.01, queue_look_s=0.01))
    now: datetime = NOON

    def __post_init__(self) -> None:
        self.queue = FakeWaitingQueue(self.conversations)
        self.sessions = FakeSessions(self.tickets)
        self.tokens = ClockedTokens(lambda: self.now)

    async def furnish(self) -> None:
        """Put the two workspaces into the directory, with both agents there."""
        for workspace_id, key in ((ACME, ACME_KEY), (GLOBEX, GLOBEX_KEY)):
            await self.directory.write(workspace_id, _workspace(workspace_id, key))
            for agent_id in (GRACE, BOB):
                await self.presence.renew(workspace_id, agent_id, self.now, self.presence_lease_s)
                await self.presence.note_announced(workspace_id, agent_id, self.now, self.presence_lease_s)

    def app(self) -> FastAPI:
        """The gateway over this world."""
        world = World(
            directory=self.directory,
            directory_log=self.directory,
            places=self.places,
            webhook_desk=self.webhook_desk,
            alerts=self.alerts,
            push_public_key=self.push_public_key,
            webhook_allow_private=self.webhook_allow_private,
            conversations=self.conversations,
            log=self.log,
            answers=self.answers,
            mailboxes=self.mailboxes,
            metrics=self.metrics,
            queue=self.queue,
            presence=self.presence,
            presence_lease_s=self.presence_lease_s,
            history=self.history,
            tokens=self.tokens,
            identities=self.identities,
            rate_limiter=self.limiter,
            visitor_presence=self.visitors,
            clock=lambda: self.now,
            stream_times=self.times,
            sessions=self.sessions,
            tickets=self.tickets,
            session_times=self.session_times,
            site=Site(self.public_url),
            issuer=self.issuer,
        )
        return build_app(world, ROOT_KEY, self.open_streams)

    def agent_token(self, agent_id: AgentId = GRACE, workspace_id: WorkspaceId = ACME) -> str:
        """A token of an agent, valid for an hour."""
        return self._token(AgentSubject(agent_id), workspace_id)

    def visitor_token(self, visitor_id: VisitorId = ADA, workspace_id: WorkspaceId = ACME) -> str:
        """A token of a visitor, valid for an hour."""
        return self._token(VisitorSubject(visitor_id), workspace_id)

    def workspace(self, workspace_id: WorkspaceId = ACME) -> WorkspaceEntry:
        """A workspace as it stands in the directory."""
        found = self.directory.find(workspace_id)
        assert found is not None
        assert found.workspace is not None
        return found.workspace

    async def settle(self, workspace_id: WorkspaceId = ACME, **settings: Any) -> None:
        """Change settings of a workspace."""
        workspace = self.workspace(workspace_id)
        changed = WorkspaceSettings.model_validate(workspace.settings.model_dump() | settings)
        entry = workspace.model_copy(update={"settings": changed})
        definition = Definition(Kind.WORKSPACE, workspace_id, WorkspaceDefined(workspace=entry))
        await self.directory.write(workspace_id, [definition])

    def _token(self, subject: AgentSubject | VisitorSubject, workspace_id: WorkspaceId) -> str:
        return self.tokens.issue(claims_for(subject, self.workspace(workspace_id), self.now, 3600))


def bearer(credential: str) -> dict[str, str]:
    """The header that shows a credential."""
    return {"Authorization": f"Bearer {credential}"}


def client_of(app: FastAPI) -> httpx.AsyncClient:
    """A client that calls ``app`` without a network."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


def a_request(visitor_id: VisitorId = ADA) -> Request:
    """What Ada asked for."""
    visitor = Visitor(id=visitor_id, first_name="Ada", last_name="Lovelace")
    return Request(visitor=visitor, route=RoundRobinRoute(), requested_at=NOON)


def requested(conversation_id: ConversationId = CNV) -> ConversationView:
    """Ada's conversation, just asked for."""
    return ConversationView(conversation_id, Status.REQUESTED, a_request())


def offered(agent_id: AgentId = GRACE, conversation_id: ConversationId = CNV) -> ConversationView:
    """Ada's conversation, offered to an agent."""
    expires_at = NOON + timedelta(seconds=100)
    offer = Offer(agent_id=agent_id, attempt=1, offered_at=NOON, expires_at=expires_at)
    return ConversationView(conversation_id, Status.OFFERED, a_request(), offer=offer)


def active(agent_id: AgentId = GRACE, conversation_id: ConversationId = CNV) -> ConversationView:
    """Ada's conversation with an agent."""
    agent = AgentCard(id=agent_id, name=agent_id.title())
    return ConversationView(conversation_id, Status.ACTIVE, a_request(), agent=agent)


def queued(conversation_id: ConversationId = CNV) -> ConversationView:
    """Ada's conversation, waiting."""
    return ConversationView(conversation_id, Status.QUEUED, a_request())


def transferring(to: AgentId = BOB) -> ConversationView:
    """Ada's conversation with Grace, who hands it over."""
    return replace(active(), offer=offered(to).offer)


def ended() -> ConversationView:
    """Ada's conversation with Grace, after Ada ended it."""
    by = Party(type="visitor", id=ADA)
    end = Ended(reason=EndReason.VISITOR_ENDED, by=by, at=NOON)
    return ConversationView(CNV, Status.ENDED, a_request(), active().agent, ended=end)


def a_message(number: int, *, by: str = "visitor", author_id: str = ADA) -> Message:
    """One line of the talk."""
    return Message.model_validate(
        {
            "id": f"msg_{number}",
            "author": {"type": by, "id": author_id, "name": None},
            "text": f"message {number}",
            "sent_at": NOON + timedelta(seconds=number),
        }
    )


def json_of(response: httpx.Response, status: int) -> Any:
    """The response's JSON, if it has that status."""
    assert response.status_code == status, (response.status_code, response.text)
    return response.json()


def _workspace(workspace_id: WorkspaceId, api_key: str) -> list[Definition]:
    workspace = WorkspaceEntry(id=workspace_id, name=workspace_id.title(), created_at=NOON)
    sha256 = hashlib.sha256(api_key.encode()).hexdigest()
    key = ApiKeyEntry(id=ApiKeyId(f"key_{workspace_id}"), sha256=sha256, created_at=NOON)
    agents = [
        AgentEntry(id=agent_id, name=agent_id.title(), email=f"{agent_id}@example.com")
        for agent_id in (GRACE, BOB)
    ]
    return [
        Definition(Kind.WORKSPACE, workspace_id, WorkspaceDefined(workspace=workspace)),
        Definition(Kind.API_KEY, key.id, ApiKeyDefined(api_key=key)),
        *(Definition(Kind.AGENT, agent.id, AgentDefined(agent=agent)) for agent in agents),
    ]
