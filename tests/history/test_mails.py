"""Transcripts by email: sent over a real SMTP server, tried again, given up, never lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest

from rondo_common.errors import Rejected, Unavailable
from rondo_common.events import TranscriptRequested
from rondo_common.ids import EventId
from rondo_common.settings import MailSettings
from rondo_common.smtp import SmtpMailer, SmtpServer, smtp_server
from rondo_history.adapters.postgres import Pool, open_pool
from rondo_history.adapters.postgres_archive import PostgresArchive
from rondo_history.adapters.postgres_mails import CLAIMED_S, PostgresMails
from rondo_history.adapters.transcript_mailer import TranscriptMailer
from rondo_history.domain.fact import Fact
from rondo_history.domain.mail import ATTEMPTS_MAX, RETRY_DELAY_S_MAX, TranscriptMail, next_attempt
from rondo_history.handlers import MailOutcome, send_due_mails
from tests.history.conversations import NOON, VISITOR, Conversation
from tests.history.mail_server import Mailbox, mail_server, text_of

SCRIPT = "<script>alert('x')</script> {{ 7*7 }} \u202e"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as found:
        yield found


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    async with open_pool(database) as found:
        yield found


class Post:
    """Everything that sends, at a time that the test moves."""

    def __init__(self, pool: Pool, mailbox: Mailbox) -> None:
        self.archive, self.mails = PostgresArchive(pool), PostgresMails(pool)
        self.mailer = TranscriptMailer(SmtpMailer(smtp_server(mailbox.url)), "Acme <chat@example.com>")
        self.now = NOON + timedelta(hours=1)

    async def send(self) -> list[MailOutcome]:
        return await send_due_mails(self.mails, self.archive, self.mailer, lambda: self.now)


@pytest.fixture
def post(pool: Pool, mailbox: Mailbox) -> Post:
    return Post(pool, mailbox)


def wanted(chat: Conversation, to: str = "ada@example.com") -> Fact:
    return chat.tell(
        TranscriptRequested(conversation_id=chat.id, to=to, by=VISITOR, time_zone="Asia/Tokyo")
    )


async def test_a_transcript_arrives_once_as_text_and_as_harmless_html(post: Post, mailbox: Mailbox) -> None:
    chat = Conversation()
    facts = [chat.requested(), chat.accepted(), chat.said(SCRIPT), chat.said("こんにちは", by="agent")]
    await post.archive.keep([*facts, wanted(chat)])
    await post.archive.keep([*facts])
    assert [outcome.error for outcome in await post.send()] == [None]
    assert await post.send() == []
    post.now += timedelta(days=1)
    assert await post.send() == []
    (message,) = mailbox.messages
    assert (mailbox.recipients, message["To"]) == (["ada@example.com"], "ada@example.com")
    assert message["From"] == "Acme <chat@example.com>"
    assert message["Subject"] == "Your chat on 2026-01-01"
    text, html = text_of(message, "plain"), text_of(message, "html")
    assert SCRIPT in text
    assert "21:00:02  Ada: " in text  # Noon in London is nine in the evening in Tokyo.
    assert "Asia/Tokyo" in text
    assert "こんにちは" in text
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "49" not in html


async def test_asked_for_twice_in_the_log_it_is_sent_once(post: Post, mailbox: Mailbox) -> None:
    chat = Conversation()
    fact = wanted(chat)
    await post.archive.keep([chat.requested(), fact])
    await post.archive.keep([fact])
    await post.send()
    await post.archive.keep([fact])
    await post.send()
    assert len(mailbox.messages) == 1


async def test_a_server_that_is_busy_is_tried_again_later(post: Post, mailbox: Mailbox) -> None:
    chat = Conversation()
    await post.archive.keep([chat.requested(), wanted(chat)])
    mailbox.refusals = ["451 try again"]
    (outcome,) = await post.send()
    assert outcome.error is not None
    assert "451" in outcome.error
    assert await post.send() == []  # Not before its time.
    post.now += timedelta(seconds=11)
    assert [each.error for each in await post.send()] == [None]
    assert len(mailbox.messages) == 1


async def test_what_a_server_refuses_for_good_is_given_up(post: Post, mailbox: Mailbox, pool: Pool) -> None:
    chat = Conversation()
    await post.archive.keep([chat.requested(), wanted(chat)])
    mailbox.refusals = ["550 no such user"]
    await post.send()
    post.now += timedelta(days=2)
    assert await post.send() == []
    row = await pool.fetchrow("SELECT state, error, recipient FROM transcript_mails")
    assert row is not None
    assert (row["state"], row["recipient"]) == ("failed", "")
    assert "550" in row["error"]


async def test_who_died_while_sending_gives_it_up_to_the_next(post: Post, mailbox: Mailbox) -> None:
    chat = Conversation()
    await post.archive.keep([chat.requested(), wanted(chat)])
    (claimed,) = await post.mails.claim_due(post.now)
    assert await post.send() == []
    post.now += timedelta(seconds=CLAIMED_S)
    await post.send()
    (message,) = mailbox.messages
    # Should the first have got through after all, a reader sees that it is the same message.
    assert message["Message-ID"] == f"<{claimed.id}@rondo.invalid>"


async def test_two_senders_do_not_send_the_same(post: Post) -> None:
    chats = [Conversation(f"cnv_{number}") for number in range(4)]
    await post.archive.keep([fact for chat in chats for fact in (chat.requested(), wanted(chat))])
    first, second = await post.mails.claim_due(post.now), await post.mails.claim_due(post.now)
    assert (len(first), second) == (4, [])


async def test_a_server_out_of_reach_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="smtp is out of reach"):
        await SmtpMailer(SmtpServer("127.0.0.1", 1)).send(_message())


async def test_a_recipient_refused_for_good_is_rejected(mailbox: Mailbox) -> None:
    mailbox.refusals = ["554 never"]
    with pytest.raises(Rejected, match="554 never"):
        await SmtpMailer(smtp_server(mailbox.url)).send(_message())


def _message() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", "Hello"
    message.set_content("Hello")
    return message


def test_it_is_tried_ever_less_often_and_then_no_more() -> None:
    def after(attempts: int) -> datetime | None:
        chat = Conversation()
        mail = TranscriptMail(EventId("e"), chat.workspace_id, chat.id, "a@example.com", "UTC", attempts)
        return next_attempt(mail, NOON)

    delays = [after(attempts) for attempts in range(1, ATTEMPTS_MAX)]
    assert delays[0] == NOON + timedelta(seconds=10)
    assert delays[1] == NOON + timedelta(seconds=20)
    assert delays[-1] == NOON + timedelta(seconds=RETRY_DELAY_S_MAX)
    assert after(ATTEMPTS_MAX) is None


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail", SmtpServer("mail", 587)),
        ("smtp://mail:25?starttls=never", SmtpServer("mail", 25, starttls="never")),
        ("smtp://u:p%40ss@mail?starttls=always", SmtpServer("mail", 587, "u", "p@ss", starttls="always")),
        ("smtps://u:p@mail", SmtpServer("mail", 465, "u", "p", implicit_tls=True)),
    ],
)
def test_an_smtp_url_says_where_and_how(url: str, server: SmtpServer) -> None:
    assert smtp_server(url) == server


@pytest.mark.parametrize("url", ["http://u:secret@mail", "smtp://", "smtp://u:secret@mail?starttls=maybe"])
def test_a_url_that_is_none_is_refused_without_repeating_its_password(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RONDO_SMTP_URL", url)
    with pytest.raises(ValueError, match=r"must be|starttls") as caught:
        MailSettings()
    assert "secret" not in str(caught.value)


def test_an_empty_url_means_no_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RONDO_SMTP_URL", "")
    assert MailSettings().smtp_url is None
