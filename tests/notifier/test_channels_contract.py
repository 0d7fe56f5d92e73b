"""What channels promise, shown on a fake and on each real one, with a real receiver behind it.

To add a channel, give it a :class:`Way` here: how it is reached, how its receiver fails, and what arrived.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from redis.asyncio import Redis

from rondo_common.alerts import ChannelName
from rondo_common.directory.entries import (
    AgentEntry,
    AlertSettings,
    Kind,
    Notifications,
    PushSubscriptionEntry,
    WorkspaceEntry,
    WorkspaceSettings,
)
from rondo_common.directory.view import Directory, DirectoryChange
from rondo_common.events import AgentDefined, Event, PushSubscribed, WorkspaceDefined
from rondo_common.ids import EventId, WorkspaceId
from rondo_common.smtp import SmtpSession, smtp_server
from rondo_notifier.adapters.channels.chat_hooks import ChatHooksChannel
from rondo_notifier.adapters.channels.email import EmailChannel
from rondo_notifier.adapters.channels.inbox import InboxChannel
from rondo_notifier.adapters.channels.web_push import Vapid, WebPushChannel, topic_of
from rondo_notifier.adapters.http_webhook_sender import webhook_session
from rondo_notifier.adapters.redis_mail_board import RedisMailBoard
from rondo_notifier.adapters.smtp_mailer import SmtpMailer
from rondo_notifier.domain.alerts import Act
from rondo_notifier.ports import Channel, Notice, Receipt
from tests.history.mail_server import Mailbox, mail_server, text_of
from tests.notifier.alert_offers import ACME, ALL, GRACE, alert
from tests.notifier.fake_mailboxes import FakeMailboxes
from tests.notifier.push_service import PushService, push_service

NOW = datetime.now(UTC).replace(microsecond=0)
VAPID_KEY = "A" * 42 + "E"
AGENT = AgentEntry(id=GRACE.id, name="Grace <Hopper>", email="grace@example.com", place=1)


def directory(workspace_id: WorkspaceId, hooks: Sequence[str] = ()) -> Directory:
    view = Directory()
    settings = WorkspaceSettings(alerts=AlertSettings(chat_hooks=tuple(hooks)))
    workspace = WorkspaceEntry(id=workspace_id, name="Acme", settings=settings, created_at=NOW)
    put(view, workspace_id, Kind.WORKSPACE, workspace_id, WorkspaceDefined(workspace=workspace))
    put(view, workspace_id, Kind.AGENT, AGENT.id, AgentDefined(agent=AGENT))
    return view


def put(view: Directory, workspace_id: WorkspaceId, kind: Kind, name: str, event: Event | None) -> None:
    view.apply(DirectoryChange(workspace_id, kind, name, event, 0, 0))


def notice(workspace_id: WorkspaceId, act: Act = "ring", at: datetime = NOW, number: int = 1) -> Notice:
    found = alert(NOW, ALL, workspace_id, offer_id=f"offer-{number}")
    return Notice(
        id=EventId(f"{found.record.id}/{act}"),
        workspace_id=workspace_id,
        agent=AGENT,
        alert=found.record,
        act=act,
        visitor=found.course.visitor,
        url="https://chat.example.com/inbox/?conversation=cnv_1",
        at=at,
    )


def has_none() -> None:
    raise AssertionError("this channel has no receiver that could fail")


@dataclass
class Way:
    """A channel, its receiver's failures, and what arrived: ``ring`` or ``recall`` for each."""

    channel: Channel
    workspace_id: WorkspaceId
    arrived: Callable[[], list[str]]
    break_down: Callable[[], None] = has_none
    refuse: Callable[[], None] = has_none
    takes_back: bool = True
    is_once_only: bool = True
    """Whether the same notice twice arrives once, as a recipient sees it."""


class FakeChannel:
    """A :class:`Channel` without a receiver."""

    name = ChannelName.CHAT_HOOKS
    is_confirmed = True

    def __init__(self) -> None:
        self.arrived: dict[EventId, str] = {}
        self.receipt = Receipt("told")

    def reaches(self, workspace_id: WorkspaceId, agent: AgentEntry) -> bool:  # noqa: ARG002 - the port's
        return True

    async def deliver(self, notices: Sequence[Notice]) -> list[Receipt]:
        receipts = []
        for each in notices:
            if each.act == "ring" and each.alert.expires_at <= each.at:
                receipts.append(Receipt("refused", "the offer is over"))
                continue
            if self.receipt.outcome == "told":
                self.arrived[each.id] = each.act
            receipts.append(self.receipt)
        return receipts


async def forget_nothing(workspace_id: WorkspaceId, subscription: PushSubscriptionEntry) -> None:
    """No subscription is gone in these tests, but where they say so."""


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def fake_way(workspace_id: WorkspaceId, _: AsyncExitStack, __: Redis) -> Way:
    channel = FakeChannel()

    def answer(receipt: Receipt) -> Callable[[], None]:
        return lambda: setattr(channel, "receipt", receipt)

    return Way(
        channel,
        workspace_id,
        lambda: list(channel.arrived.values()),
        answer(Receipt("later", "busy")),
        answer(Receipt("refused", "no")),
    )


async def inbox_way(workspace_id: WorkspaceId, _: AsyncExitStack, __: Redis) -> Way:
    mailboxes = FakeMailboxes()
    types = {"alert.sent": "ring", "alert.withdrawn": "recall"}

    def arrived() -> list[str]:
        return [types[each.entry.type] for found in mailboxes.delivered.values() for each in found]

    return Way(InboxChannel(mailboxes), workspace_id, arrived)


async def push_way(workspace_id: WorkspaceId, stack: AsyncExitStack, _: Redis) -> Way:
    service = await stack.enter_async_context(push_service())
    session = await stack.enter_async_context(webhook_session(allow_private=True))
    view = directory(workspace_id)
    entry = service.subscription(AGENT.id)
    put(view, workspace_id, Kind.PUSH_SUBSCRIPTION, entry.id, PushSubscribed(subscription=entry))
    vapid = Vapid(VAPID_KEY, "mailto:ops@example.com")
    channel = WebPushChannel(session, view, vapid, forget_nothing, allow_private=True)
    types = {"alert.sent": "ring", "alert.withdrawn": "recall"}

    def arrived() -> list[str]:
        # What has the tag and type of another replaces it on the screen.
        shown = {(each.payload["tag"], each.payload["type"]): None for each in service.received}
        return [types[kind] for _, kind in shown]

    def answer(status: int) -> Callable[[], None]:
        return lambda: service.statuses.append(status)

    return Way(channel, workspace_id, arrived, answer(503), answer(403))


async def email_way(workspace_id: WorkspaceId, stack: AsyncExitStack, redis: Redis) -> Way:
    mails, channel = mailed(stack, redis)

    def arrived() -> list[str]:
        # Mail programs show what has the Message-ID of another once.
        return ["ring" for _ in {each["Message-ID"] for each in mails.messages}]

    return Way(
        channel,
        workspace_id,
        arrived,
        lambda: mails.refusals.append("451 try again later"),
        lambda: mails.refusals.append("550 there is nobody of that name"),
        takes_back=False,
    )


def mailed(stack: AsyncExitStack, redis: Redis) -> tuple[Mailbox, EmailChannel]:
    mails = stack.enter_context(mail_server())
    session = SmtpSession(smtp_server(mails.url))
    stack.push_async_callback(session.close)
    mailer = SmtpMailer(session, "Rondo <rondo@example.com>", "https://chat.example.com")
    return mails, EmailChannel(mailer, RedisMailBoard(redis), lambda _: 0.0)


async def hooks_way(workspace_id: WorkspaceId, stack: AsyncExitStack, _: Redis) -> Way:
    lines: list[str] = []
    statuses: list[int] = []

    async def take(request: web.Request) -> web.Response:
        if statuses:
            return web.Response(status=statuses.pop(0))
        lines.append(json.loads(await request.text())["text"])
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    session = await stack.enter_async_context(webhook_session(allow_private=True))
    view = directory(workspace_id, [f"http://127.0.0.1:{runner.addresses[0][1]}/hook"])

    def arrived() -> list[str]:
        assert not any("Ada" in each for each in lines)
        return ["recall" if "no longer" in each else "ring" for each in lines]

    return Way(
        ChatHooksChannel(session, view, allow_private=True),
        workspace_id,
        arrived,
        lambda: statuses.append(500),
        lambda: statuses.append(404),
        is_once_only=False,
    )


WAYS: dict[str, Any] = {
    "fake": fake_way,
    "inbox": inbox_way,
    "web_push": push_way,
    "email": email_way,
    "chat_hooks": hooks_way,
}
OUTSIDE = [name for name in WAYS if name != "inbox"]
"""Whose receiver is not Rondo's own. An inbox is a mailbox in Redis: the absence of that is raised, it
refuses nobody, and whoever is there reads it at once or not at all."""
outside = pytest.mark.parametrize("way", OUTSIDE, indirect=True)


@pytest.fixture(params=WAYS)
async def way(request: pytest.FixtureRequest, stack: AsyncExitStack, redis: Redis) -> Way:
    workspace_id = WorkspaceId(f"w-{request.node.name[-12:]}-{id(stack)}")
    made: Way = await WAYS[request.param](workspace_id, stack, redis)
    return made


async def test_it_reaches_an_agent_who_wants_it(way: Way) -> None:
    assert way.channel.reaches(way.workspace_id, AGENT)


async def test_a_ring_arrives_and_is_taken_back(way: Way) -> None:
    rung = await way.channel.deliver([notice(way.workspace_id)])
    assert rung == [Receipt("told")]
    assert way.arrived() == ["ring"]
    assert await way.channel.deliver([notice(way.workspace_id, "recall")]) == [Receipt("told")]
    assert way.arrived() == (["ring", "recall"] if way.takes_back else ["ring"])


async def test_the_same_ring_again_is_no_second_one(way: Way) -> None:
    for _ in range(2):
        assert await way.channel.deliver([notice(way.workspace_id)]) == [Receipt("told")]
    assert way.arrived() == ["ring"] * (1 if way.is_once_only else 2)


@outside
async def test_what_is_over_does_not_ring(way: Way) -> None:
    late = notice(way.workspace_id, at=NOW + timedelta(hours=1))
    (receipt,) = await way.channel.deliver([late])
    assert receipt.outcome == "refused"
    assert way.arrived() == []


@outside
async def test_a_receiver_that_is_busy_may_take_it_later(way: Way) -> None:
    way.break_down()
    (receipt,) = await way.channel.deliver([notice(way.workspace_id)])
    assert receipt.outcome == "later"
    assert receipt.error


@outside
async def test_a_receiver_that_refuses_is_believed(way: Way) -> None:
    way.refuse()
    (receipt,) = await way.channel.deliver([notice(way.workspace_id)])
    assert receipt.outcome == "refused"
    assert receipt.error


# --- what is special about email ---------------------------------------------------------------


async def test_a_mail_says_who_waits_and_where_to_answer(stack: AsyncExitStack, redis: Redis) -> None:
    mails, channel = mailed(stack, redis)
    waiting = notice(WorkspaceId(f"w-{id(stack)}"))
    await channel.deliver([waiting])
    (mail,) = mails.messages
    assert (mail["To"], mail["Subject"]) == ('"Grace <Hopper>" <grace@example.com>', "A chat waits for you")
    assert waiting.url in text_of(mail, "plain")
    assert waiting.url in text_of(mail, "html")
    assert waiting.visitor in text_of(mail, "plain")


# --- what is special about Web Push ------------------------------------------------------------


@pytest.fixture
async def pushes(stack: AsyncExitStack) -> PushService:
    return await stack.enter_async_context(push_service())


async def push_channel(
    stack: AsyncExitStack, view: Directory, forgotten: list[str], *, allow_private: bool = True
) -> WebPushChannel:
    session = await stack.enter_async_context(webhook_session(allow_private=allow_private))

    async def forget(_: WorkspaceId, subscription: PushSubscriptionEntry) -> None:
        forgotten.append(subscription.id)

    vapid = Vapid(VAPID_KEY, "mailto:ops@example.com")
    return WebPushChannel(session, view, vapid, forget, allow_private=allow_private)


def subscribed(view: Directory, service: PushService, *names: str) -> None:
    for name in names:
        event = PushSubscribed(subscription=service.subscription(AGENT.id, name))
        put(view, ACME, Kind.PUSH_SUBSCRIPTION, f"psh_{name}", event)


async def test_a_push_is_encrypted_signed_urgent_and_as_long_as_its_offer(
    stack: AsyncExitStack, pushes: PushService
) -> None:
    view = directory(ACME)
    subscribed(view, pushes, "1", "2")
    channel = await push_channel(stack, view, [])
    sent = notice(ACME, at=NOW + timedelta(seconds=30))
    await channel.deliver([sent])
    first, second = pushes.received
    assert {first.path, second.path} == {"/1", "/2"}
    assert first.audience == pushes.url
    headers = {name: first.headers[name] for name in ("ttl", "urgency", "topic", "content-encoding")}
    assert headers == {
        "ttl": "60",
        "urgency": "high",
        "topic": topic_of("cnv_1"),
        "content-encoding": "aes128gcm",
    }
    assert first.payload == {
        "type": "alert.sent",
        "alert_id": sent.alert.id,
        "conversation_id": "cnv_1",
        "title": "A chat for you",
        "body": "Ada <b>Lovelace</b>, Example waits for your answer.",
        "url": sent.url,
        "tag": "rondo-cnv_1",
        "expires_at": first.payload["expires_at"],
    }
    await channel.deliver([notice(ACME, "recall", at=NOW + timedelta(seconds=85))])
    withdrawn = pushes.received[-1]
    assert (withdrawn.payload["type"], withdrawn.payload["tag"]) == ("alert.withdrawn", "rondo-cnv_1")
    assert withdrawn.headers["topic"] == first.headers["topic"]


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(
    stack: AsyncExitStack, pushes: PushService, status: int
) -> None:
    view, forgotten = directory(ACME), list[str]()
    subscribed(view, pushes, "1")
    pushes.statuses.append(status)
    (receipt,) = await (await push_channel(stack, view, forgotten)).deliver([notice(ACME)])
    assert receipt.outcome == "refused"
    assert forgotten == ["psh_1"]


async def test_redirects_are_not_followed_and_private_addresses_not_reached(
    stack: AsyncExitStack, pushes: PushService
) -> None:
    view = directory(ACME)
    subscribed(view, pushes, "1")
    pushes.statuses.append(307)
    (receipt,) = await (await push_channel(stack, view, [])).deliver([notice(ACME)])
    assert receipt.outcome == "refused"
    assert pushes.tries == 1
    guarded = await push_channel(stack, view, [], allow_private=False)
    (receipt,) = await guarded.deliver([notice(ACME)])
    assert receipt.error == "only https is allowed here"
    assert pushes.tries == 1


async def test_nobody_is_told_in_a_way_they_do_not_want(stack: AsyncExitStack, redis: Redis) -> None:
    quiet = AGENT.model_copy(update={"notifications": Notifications(web_push=False, email=False)})
    _, channel = mailed(stack, redis)
    assert not channel.reaches(ACME, quiet)
