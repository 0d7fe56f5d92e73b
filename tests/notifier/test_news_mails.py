"""Emails to people: what they are told of, at most one in a while, over one connection."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from redis.asyncio import Redis

from rondo_common.alerts import AlarmKind
from rondo_common.conversation import EndReason, Party
from rondo_common.directory.entries import (
    AgentEntry,
    AlertSettings,
    Kind,
    Notifications,
    WorkspaceEntry,
    WorkspaceSettings,
)
from rondo_common.directory.view import Directory, DirectoryChange
from rondo_common.envelope import Envelope
from rondo_common.errors import Rejected, Unavailable
from rondo_common.events import (
    AgentDefined,
    AssignmentTimedOut,
    ChatEnded,
    CoverageAlarmRaised,
    Event,
    WebhookDisabled,
    WorkspaceDefined,
)
from rondo_common.ids import AgentId, ConversationId, EventId, ProfileId, WebhookId, WorkspaceId
from rondo_common.smtp import SmtpSession, smtp_server
from rondo_notifier.adapters.redis_mail_board import DUE_KEY, RedisMailBoard
from rondo_notifier.adapters.smtp_mailer import SmtpMailer
from rondo_notifier.domain.mails import MAIL_AGE_S_MAX, MailKind, News, news_of
from rondo_notifier.handlers.mails import MailRound, NewsDesk
from rondo_notifier.ports import Addressee
from tests.history.mail_server import Mailbox, mail_server

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CNV = ConversationId("cnv_1")
GRACE = AgentEntry(id=AgentId("grace"), name="Grace <i>H</i>", email="grace@example.com", place=1)
BOB = AgentEntry(
    id=AgentId("bob"), name="Bob", email="bob@example.com", profile=ProfileId("marketing_admin"), place=2
)
ADA = Party(type="visitor", id="ada")


class Post:
    """A workspace whose people are mailed; its clock is moved by hand."""

    def __init__(self, redis: Redis, url: str, interval_s: int = 600) -> None:
        self.workspace_id = WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")
        self.now = NOON
        self.directory = Directory()
        settings = WorkspaceSettings(alerts=AlertSettings(mail_interval_s=interval_s))
        workspace = WorkspaceEntry(id=self.workspace_id, name="Acme", settings=settings, created_at=NOON)
        self.put(Kind.WORKSPACE, self.workspace_id, WorkspaceDefined(workspace=workspace))
        for agent in (GRACE, BOB):
            self.put(Kind.AGENT, agent.id, AgentDefined(agent=agent))
        self.board = RedisMailBoard(redis)
        self.smtp = SmtpSession(smtp_server(url))
        mailer = SmtpMailer(self.smtp, "Rondo <rondo@example.com>", "https://chat.example.com")
        self.desk = NewsDesk(self.directory, self.board, lambda: self.now)
        self.round = MailRound(self.directory, self.board, mailer, lambda: self.now)
        self.outcomes: list[tuple[Addressee, str | None]] = []

    def put(self, kind: Kind, name: str, event: Event) -> None:
        self.directory.apply(DirectoryChange(self.workspace_id, kind, name, event, 0, 0))

    async def happen(self, *events: Event) -> None:
        await self.desk.take([self.envelope(each) for each in events])

    def envelope(self, event: Event, event_id: str | None = None) -> Envelope[Event]:
        return Envelope(EventId(event_id or uuid.uuid4().hex), "/tests", self.now, self.workspace_id, event)

    async def deliver(self) -> None:
        await self.round.send_due(lambda to, error: self.outcomes.append((to, error)))

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def missed(agent: AgentEntry = GRACE) -> Event:
    return AssignmentTimedOut(conversation_id=CNV, agent_id=agent.id, attempt=1)


@pytest.fixture
def mails() -> Iterator[Mailbox]:
    with mail_server() as mailbox:
        yield mailbox


@pytest.fixture
async def post(redis: Redis, mails: Mailbox) -> AsyncIterator[Post]:
    await redis.delete(DUE_KEY)
    opened = Post(redis, mails.url)
    yield opened
    await opened.smtp.close()
    await redis.delete(DUE_KEY)


def parts(mail: EmailMessage) -> tuple[str, str]:
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


async def test_a_missed_chat_is_mailed_as_text_and_html(post: Post, mails: Mailbox) -> None:
    await post.happen(missed())
    await post.deliver()
    (mail,) = mails.messages
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("You missed a chat", "auto-generated")
    text, html = parts(mail)
    assert "https://chat.example.com/inbox/?conversation=cnv_1" in text
    assert "Grace <i>H</i>" in text
    assert "Grace &lt;i&gt;H&lt;/i&gt;" in html
    assert "<i>" not in html
    assert post.outcomes == [(Addressee(post.workspace_id, GRACE.id), None)]


async def test_a_flood_is_one_mail_and_a_digest(post: Post, mails: Mailbox) -> None:
    await post.happen(missed())
    await post.deliver()
    for _ in range(9):
        await post.happen(missed())
        post.pass_time(10)
        await post.deliver()
    assert len(mails.messages) == 1
    post.pass_time(600)
    await post.deliver()
    await post.deliver()
    first, digest = mails.messages
    assert digest["Subject"] == "9 things you should know"
    assert parts(digest)[0].count("did not answer") == 9
    assert first["Message-ID"] != digest["Message-ID"]


async def test_what_is_told_twice_is_mailed_once(post: Post, mails: Mailbox) -> None:
    envelope = post.envelope(missed())
    await post.desk.take([envelope, envelope])
    await post.deliver()
    await post.desk.take([envelope])
    post.pass_time(1000)
    await post.deliver()
    assert len(mails.messages) == 1


async def test_an_alarm_does_not_wait_for_the_digest(post: Post, mails: Mailbox) -> None:
    await post.happen(missed(BOB))
    await post.deliver()
    alarm = CoverageAlarmRaised(alarm_id="a", alarm=AlarmKind.NOBODY_REACHABLE, detail="Nobody is there.")
    await post.happen(alarm)
    await post.deliver()
    assert [each["To"] for each in mails.messages] == ["Bob <bob@example.com>"] * 2
    assert mails.messages[1]["Subject"] == "Visitors cannot reach anybody"


async def test_a_server_that_is_busy_is_asked_again_with_the_same_message_id(
    post: Post, mails: Mailbox
) -> None:
    mails.refusals += ["451 later"]
    await post.happen(missed())
    await post.deliver()
    assert "451" in str(post.outcomes[-1][1])
    post.pass_time(29)
    await post.deliver()
    assert mails.messages == []
    post.pass_time(2)
    await post.deliver()
    assert len(mails.messages) == 1


@pytest.mark.usefixtures("post")
async def test_a_server_that_is_away_loses_nothing(redis: Redis, mails: Mailbox) -> None:
    away = Post(redis, f"smtp://127.0.0.1:{mails.port}?starttls=always")  # It offers no TLS.
    await away.happen(missed())
    await away.deliver()
    assert "smtp is out of reach" in str(away.outcomes[-1][1])
    news: Any = await redis.lrange(f"rondo:{{mail}}:news:{away.workspace_id}/{GRACE.id}", 0, -1)
    assert len(news) == 1


async def test_who_is_refused_for_good_gets_no_second_try(post: Post, mails: Mailbox) -> None:
    mails.refusals += ["550 no such user"]
    await post.happen(missed())
    await post.deliver()
    assert "550" in str(post.outcomes[-1][1])
    post.pass_time(10_000)
    await post.deliver()
    assert mails.messages == []


async def test_mails_go_over_one_connection_while_it_lasts() -> None:
    connections: list[object] = []

    class Counting(Mailbox):
        async def handle_EHLO(  # noqa: N802 - aiosmtpd's
            self,
            server: object,  # noqa: ARG002 - aiosmtpd's
            session: Any,
            envelope: object,  # noqa: ARG002 - aiosmtpd's
            hostname: str,
            responses: list[str],
        ) -> list[str]:
            session.host_name = hostname
            connections.append(session.peer)
            return responses

    mailbox = Counting()
    with served(mailbox) as port:
        session = SmtpSession(smtp_server(f"smtp://127.0.0.1:{port}?starttls=never"))
        for number in range(5):
            await session.send(message(number))
        assert len(mailbox.messages) == 5
        assert len(connections) == 1
    with served(mailbox, port):  # It was started again: the old connection is of no use.
        await session.send(message(5))
        assert len(mailbox.messages) == 6
        mailbox.refusals += ["550 never", "451 later"]
        with pytest.raises(Rejected):
            await session.send(message(6))
        with pytest.raises(Unavailable):
            await session.send(message(7))
        await session.send(message(8))
        assert len(connections) == 2
        await session.close()
        await session.close()


@pytest.mark.parametrize("starttls", ["auto", "always"])
async def test_mails_travel_over_tls_where_the_servers_certificate_is_trusted(
    tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, starttls: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    mailbox = Mailbox()
    with served(mailbox, tls=tls) as port:  # It takes nothing without TLS.
        session = SmtpSession(smtp_server(f"smtp://localhost:{port}?starttls={starttls}"))
        await session.send(message(1))
        await session.send(message(2))
        await session.close()
    assert len(mailbox.messages) == 2


async def test_starttls_is_insisted_on_where_it_is_asked_for(tls: ssl.SSLContext) -> None:
    mailbox = Mailbox()
    with served(mailbox, tls=tls) as port:
        session = SmtpSession(smtp_server(f"smtp://127.0.0.1:{port}?starttls=always"))
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            await session.send(message(1))  # Nobody vouches for the server's certificate.
        await session.close()
    assert mailbox.messages == []


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    from tests.notifier.certificates import self_signed  # noqa: PLC0415 - for this test alone

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path))
    return context


@contextmanager
def served(mailbox: Mailbox, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    import socket  # noqa: PLC0415 - a port is asked for here alone

    if not port:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
    controller = Controller(
        mailbox, hostname="127.0.0.1", port=port, tls_context=tls, require_starttls=tls is not None
    )
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def message(number: int) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.com", "b@example.com", str(number)
    mail.set_content("hej")
    return mail


def news(event: Event, agents: Sequence[AgentEntry] = (GRACE, BOB), age_s: float = 0) -> list[News]:
    view = Directory()
    ws = WorkspaceId("acme")
    workspace = WorkspaceEntry(id=ws, name="Acme", created_at=NOON)
    view.apply(DirectoryChange(ws, Kind.WORKSPACE, ws, WorkspaceDefined(workspace=workspace), 0, 0))
    for each in agents:
        view.apply(DirectoryChange(ws, Kind.AGENT, each.id, AgentDefined(agent=each), 0, 0))
    found = view.find(ws)
    assert found is not None
    envelope = Envelope(EventId("e"), "/tests", NOON - timedelta(seconds=age_s), ws, event)
    return news_of(envelope, found, NOON)


def test_each_event_is_news_to_those_who_can_do_something() -> None:
    lost = ChatEnded(conversation_id=CNV, reason=EndReason.AGENT_LOST, by=ADA, agent_id=GRACE.id)
    over = ChatEnded(conversation_id=CNV, reason=EndReason.VISITOR_ENDED, by=ADA, agent_id=GRACE.id)
    off = WebhookDisabled(webhook_id=WebhookId("crm"), url="https://x", failing_since=NOON, error="500")
    assert [(each.agent_id, each.kind) for each in news(missed())] == [("grace", MailKind.MISSED_CHAT)]
    assert [(each.agent_id, each.kind) for each in news(lost)] == [("bob", MailKind.AGENT_LOST)]
    assert [(each.agent_id, each.kind) for each in news(off)] == [("bob", MailKind.WEBHOOK_DISABLED)]
    assert news(over) == []


def test_nobody_is_mailed_who_does_not_want_it_is_gone_or_much_too_late() -> None:
    quiet = GRACE.model_copy(update={"notifications": Notifications(email=False)})
    assert news(missed(), [quiet]) == []
    assert news(missed(), [BOB]) == []
    assert news(missed(), age_s=MAIL_AGE_S_MAX + 1) == []
