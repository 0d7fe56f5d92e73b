"""Alerts on real servers: from offers on the topic to browsers, mailboxes and back, through crashes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from rondo_common.alerts import AlertRecord, AlertState, ChannelName, alert_id_of
from rondo_common.clock import milliseconds
from rondo_common.conversation import EndReason, Party
from rondo_common.directory.entries import (
    AgentEntry,
    AlertSettings,
    Kind,
    WorkspaceEntry,
    WorkspaceSettings,
    directory_key,
)
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AcknowledgeAlert,
    AgentDefined,
    AlertEvent,
    AssignmentAccepted,
    AssignmentTimedOut,
    ChatEnded,
    Event,
    PushSubscribed,
    WorkspaceDefined,
)
from rondo_common.ids import AlertId, ConversationId, EventId, WorkspaceId
from rondo_common.kafka.connection import KafkaConnection, make_producer, make_reader
from rondo_common.kafka.publisher import KafkaPublisher, outgoing
from rondo_common.kafka.topic_admin import create_topics
from rondo_common.mailbox import ENTRY_FIELD, StreamEvent
from rondo_common.redis.keys import agent_mailbox_key, alert_key, presence_key
from rondo_common.topics import ALERTS, TOPICS
from rondo_common.webhooks import Reread
from rondo_notifier.adapters.kafka_past_events import KafkaPastEvents
from rondo_notifier.bootstrap import run
from rondo_notifier.settings import NotifierSettings
from tests.history.mail_server import Mailbox, mail_server
from tests.notifier.alert_offers import GRACE, offer
from tests.notifier.push_service import PushService, push_service

DEADLINE_S = 60.0
POLL_S = 0.05
VAPID_KEY = "A" * 42 + "E"
AGENT = AgentEntry(id=GRACE.id, name="Grace", email="grace@example.com", place=1)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Office:
    """A workspace on the real servers, with Grace and her browser."""

    kafka: KafkaConnection
    redis: Redis
    pushes: PushService
    settings: dict[str, Any]
    workspace_id: WorkspaceId = field(default_factory=lambda: WorkspaceId(f"w-{uuid.uuid4().hex[:12]}"))

    async def open(self, **alerts: Any) -> None:
        """Put it into the directory."""
        settings = WorkspaceSettings(alerts=AlertSettings.model_validate(alerts))
        entry = WorkspaceEntry(id=self.workspace_id, name="Acme", settings=settings, created_at=now())
        subscription = self.pushes.subscription(AGENT.id)
        subscribed = PushSubscribed(subscription=subscription)
        await self.tell(
            *(
                (directory_key(self.workspace_id, kind, name), event, None)
                for kind, name, event in (
                    (Kind.WORKSPACE, str(self.workspace_id), WorkspaceDefined(workspace=entry)),
                    (Kind.AGENT, str(AGENT.id), AgentDefined(agent=AGENT)),
                    (Kind.PUSH_SUBSCRIPTION, str(subscription.id), subscribed),
                )
            )
        )

    async def tell(self, *records: tuple[str, Event, EventId | None]) -> None:
        """Publish events under their keys."""
        publisher = KafkaPublisher(
            lambda: make_producer(self.kafka, request_timeout_ms=60_000), deadline_s=DEADLINE_S
        )
        await publisher.publish(
            [
                outgoing(
                    Envelope(
                        event_id or EventId(uuid.uuid4().hex), "/tests", now(), self.workspace_id, event
                    ),
                    key,
                )
                for key, event, event_id in records
            ]
        )
        await publisher.stop()

    async def offer(
        self, *, lasts_s: float = 90, at: datetime | None = None
    ) -> tuple[ConversationId, AlertId]:
        """Grace is offered a chat."""
        conversation_id = ConversationId(f"cnv_{uuid.uuid4().hex}")
        event_id = EventId(uuid.uuid4().hex)
        event = offer(at or now(), conversation_id, lasts_s=lasts_s)
        await self.tell((conversation_id, event, event_id))
        return conversation_id, alert_id_of(event_id)

    async def open_inbox(self) -> None:
        """Grace has an inbox open."""
        lease: dict[str, int] = {AGENT.id: milliseconds(now() + timedelta(seconds=75))}
        await self.redis.zadd(presence_key(self.workspace_id), lease)

    async def alert(self, alert_id: AlertId) -> AlertRecord | None:
        """As anybody may see it."""
        text = await self.redis.hget(alert_key(self.workspace_id, alert_id), "record")
        return None if text is None else AlertRecord.model_validate_json(text)

    async def until(self, alert_id: AlertId, state: AlertState) -> AlertRecord:
        """The alert, once it is in that state."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                found = await self.alert(alert_id)
                if found is not None and found.state is state:
                    return found
                await asyncio.sleep(POLL_S)

    async def mailbox(self, count: int) -> list[StreamEvent]:
        """What Grace's stream has told of alerts, once there is so much."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                entries: Any = await self.redis.xrange(agent_mailbox_key(self.workspace_id, AGENT.id))
                events = [StreamEvent.model_validate_json(fields[ENTRY_FIELD]) for _, fields in entries]
                alerts = [each for each in events if each.type.startswith("alert.")]
                if len(alerts) >= count:
                    return alerts
                await asyncio.sleep(POLL_S)

    async def told(self) -> list[Envelope[Event]]:
        """What ``rondo.alerts`` has of this workspace, each event once."""
        past = KafkaPastEvents(lambda: make_reader(self.kafka))
        reread = Reread(since=now() - timedelta(hours=1), until=now() + timedelta(hours=1))
        found: dict[EventId, Envelope[Event]] = {}
        async for envelopes, _ in past.read({ALERTS.name: range(ALERTS.partitions)}, reread):
            found |= {each.id: each for each in envelopes if each.workspace_id == self.workspace_id}
        return list(found.values())


@asynccontextmanager
async def notifier(office: Office) -> AsyncIterator[None]:
    """The service, stopped in order at the end."""
    stop = asyncio.Event()
    running = asyncio.create_task(run(NotifierSettings(http_port=free_port(), **office.settings), stop))
    try:
        yield
    finally:
        stop.set()
        await running


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def notifier_process(office: Office) -> Any:
    """The service as a process of its own, to be killed."""
    env = {f"RONDO_{name.upper()}": str(value) for name, value in office.settings.items()}
    env |= {"RONDO_HTTP_PORT": str(free_port()), "PATH": os.environ["PATH"]}
    process = subprocess.Popen([sys.executable, "-m", "rondo_notifier"], env=env, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def kafka_bootstrap(own_kafka_bootstrap: str) -> str:
    """See :func:`own_kafka_bootstrap`."""
    return own_kafka_bootstrap


@pytest.fixture
def mails() -> Any:
    with mail_server() as mailbox:
        yield mailbox


@pytest.fixture
async def office(
    kafka_bootstrap: str, redis_url: str, redis: Redis, mails: Mailbox
) -> AsyncIterator[Office]:
    kafka = KafkaConnection(kafka_bootstrap, client_id="alert-tests")
    await create_topics(kafka, TOPICS, replication_factor=1)
    async with push_service() as pushes:
        settings = {
            "kafka_bootstrap": kafka_bootstrap,
            "redis_url": redis_url,
            "smtp_url": mails.url,
            "vapid_private_key": VAPID_KEY,
            "webhook_allow_private": True,
            "public_url": "https://chat.example.com",
        }
        yield Office(kafka, redis, pushes, settings)


def reports(found: AlertRecord) -> list[tuple[str, str]]:
    return [(each.channel, each.state) for each in found.channels]


def recounted(told: Sequence[Envelope[Event]]) -> dict[AlertId, AlertState]:
    """Each alert's state, by the last event that tells of it."""
    return {
        each.event.alert.id: each.event.alert.state for each in told if isinstance(each.event, AlertEvent)
    }


async def test_without_an_inbox_the_browser_is_pushed_and_told_when_somebody_has_the_chat(
    office: Office,
) -> None:
    await office.open()
    async with notifier(office):
        conversation_id, alert_id = await office.offer()
        (rung,) = await office.pushes.wait_for(1)
        assert rung.payload["alert_id"] == alert_id
        assert rung.payload["url"] == f"https://chat.example.com/inbox/?conversation={conversation_id}"
        found = await office.until(alert_id, AlertState.DELIVERED)
        assert reports(found) == [("web_push", "delivered")]
        accepted = AssignmentAccepted(conversation_id=conversation_id, agent=GRACE, attempt=1)
        await office.tell((conversation_id, accepted, None))
        (_, recalled) = await office.pushes.wait_for(2)
        assert recalled.payload["type"] == "alert.withdrawn"
        assert recalled.payload["tag"] == rung.payload["tag"]
        await office.until(alert_id, AlertState.ACKNOWLEDGED)
    assert recounted(await office.told()) == {alert_id: AlertState.ACKNOWLEDGED}


async def test_an_open_inbox_that_does_not_answer_is_followed_by_a_push(office: Office) -> None:
    await office.open(ack_timeout_s=0.5)
    await office.open_inbox()
    async with notifier(office):
        conversation_id, alert_id = await office.offer()
        (banner,) = await office.mailbox(1)
        assert (banner.type, banner.data["alert_id"]) == ("alert.sent", alert_id)
        assert banner.data["sound"] is True
        await office.pushes.wait_for(1)
        timed_out = AssignmentTimedOut(conversation_id=conversation_id, agent_id=GRACE.id, attempt=1)
        await office.tell((conversation_id, timed_out, None))
        assert [each.type for each in await office.mailbox(2)] == ["alert.sent", "alert.withdrawn"]
        found = await office.until(alert_id, AlertState.WITHDRAWN)
        await office.pushes.wait_for(2)
        async with asyncio.timeout(DEADLINE_S):
            while reports(found) != [("inbox", "withdrawn"), ("web_push", "withdrawn")]:
                await asyncio.sleep(POLL_S)
                found = await office.until(alert_id, AlertState.WITHDRAWN)
    types = [each.event.TYPE for each in await office.told()]
    assert types == [
        "rondo.alert.sent.v1",
        "rondo.alert.escalated.v1",
        "rondo.alert.delivered.v1",
        "rondo.alert.withdrawn.v1",
    ]


async def test_who_says_they_have_seen_it_is_not_pushed(office: Office) -> None:
    await office.open(ack_timeout_s=2)
    await office.open_inbox()
    async with notifier(office):
        conversation_id, alert_id = await office.offer(lasts_s=6)
        await office.mailbox(1)
        seen = AcknowledgeAlert(
            conversation_id=conversation_id,
            alert_id=alert_id,
            agent_id=GRACE.id,
            by=Party(type="agent", id=GRACE.id),
        )
        await office.tell((conversation_id, seen, None))
        await office.until(alert_id, AlertState.ACKNOWLEDGED)
        # The next offer's push shows that the time for the first one's has passed.
        await office.redis.delete(presence_key(office.workspace_id))
        async with asyncio.timeout(DEADLINE_S):
            begun_at = (await office.until(alert_id, AlertState.ACKNOWLEDGED)).created_at
            while now() < begun_at + timedelta(seconds=3):
                await asyncio.sleep(POLL_S)
        _, second = await office.offer()
        (pushed,) = await office.pushes.wait_for(1)
        assert pushed.payload["alert_id"] == second


async def test_nothing_stale_is_told_of_offers_that_are_over(office: Office) -> None:
    await office.open()
    for _ in range(20):
        await office.offer(at=now() - timedelta(seconds=120))
    async with notifier(office):
        _, alert_id = await office.offer()
        (pushed,) = await office.pushes.wait_for(1)
        assert pushed.payload["alert_id"] == alert_id
        await office.until(alert_id, AlertState.DELIVERED)
    assert set(recounted(await office.told())) == {alert_id}


async def test_a_push_service_that_is_busy_is_asked_again_and_a_missed_chat_is_mailed(
    office: Office, mails: Mailbox
) -> None:
    await office.open(escalation=["web_push"])
    office.pushes.statuses += [503, 429]
    async with notifier(office):
        conversation_id, alert_id = await office.offer()
        await office.until(alert_id, AlertState.DELIVERED)
        assert office.pushes.tries == 3
        for attempt in (1, 2, 3):
            timed_out = AssignmentTimedOut(
                conversation_id=conversation_id, agent_id=GRACE.id, attempt=attempt
            )
            await office.tell((conversation_id, timed_out, None))
        (mail,) = await mails.until(1)
        assert mail["To"] == "Grace <grace@example.com>"
        await office.until(alert_id, AlertState.WITHDRAWN)
        news: Any = await office.redis.lrange(
            f"rondo:{{mail}}:news:{office.workspace_id}/{GRACE.id}", 0, -1
        )
        assert len(news) <= 2  # The rest waits for the next mail.
        assert len(mails.messages) == 1


async def test_killed_in_the_middle_every_alert_is_told_once_in_effect(
    office: Office, mails: Mailbox
) -> None:
    await office.open(escalation=["web_push"])
    alerts: set[AlertId] = set()
    conversations: list[ConversationId] = []
    for round_ in range(3):
        with notifier_process(office) as process:
            for _ in range(10):
                conversation_id, alert_id = await office.offer(lasts_s=300)
                alerts.add(alert_id)
                conversations.append(conversation_id)
            await office.pushes.wait_for(round_ * 10 + 3)
            process.send_signal(signal.SIGKILL)
            process.wait()
    ended = [
        (
            each,
            ChatEnded(
                conversation_id=each,
                reason=EndReason.VISITOR_ENDED,
                by=Party(type="visitor", id="ada"),
                agent_id=GRACE.id,
            ),
            None,
        )
        for each in conversations
    ]
    async with notifier(office):
        for alert_id in alerts:
            await office.until(alert_id, AlertState.DELIVERED)
        await office.tell(*ended)
        for alert_id in alerts:
            await office.until(alert_id, AlertState.WITHDRAWN)
    rings = [each for each in office.pushes.received if each.payload["type"] == "alert.sent"]
    assert {each.payload["alert_id"] for each in rings} == alerts
    shown = {(each.payload["tag"], each.payload["alert_id"]) for each in rings}
    assert len(shown) == len(alerts)
    assert recounted(await office.told()) == dict.fromkeys(alerts, AlertState.WITHDRAWN)
    assert mails.messages == []


async def test_a_lost_redis_is_filled_again_from_the_topics(office: Office) -> None:
    await office.open(escalation=["web_push"])
    async with notifier(office):
        first, first_alert = await office.offer(lasts_s=300)
        second, second_alert = await office.offer(lasts_s=300)
        await office.pushes.wait_for(2)
        await office.until(first_alert, AlertState.DELIVERED)
        await office.until(second_alert, AlertState.DELIVERED)
    # While nobody is there, Redis is lost and one of the chats is taken.
    keys = [key async for key in office.redis.scan_iter(f"rondo:{{{office.workspace_id}}}*")]
    keys += [key async for key in office.redis.scan_iter("rondo:alerts:*")]
    await office.redis.delete(*keys)
    accepted = AssignmentAccepted(conversation_id=first, agent=GRACE, attempt=1)
    await office.tell((first, accepted, None))
    async with notifier(office):
        await office.until(first_alert, AlertState.ACKNOWLEDGED)
        await office.until(second_alert, AlertState.DELIVERED)
        timed_out = AssignmentTimedOut(conversation_id=second, agent_id=GRACE.id, attempt=1)
        await office.tell((second, timed_out, None))
        await office.until(second_alert, AlertState.WITHDRAWN)
        received = await office.pushes.wait_for(4)
    rings = [each.payload["alert_id"] for each in received if each.payload["type"] == "alert.sent"]
    assert sorted(rings) == sorted([first_alert, second_alert])
    assert recounted(await office.told()) == {
        first_alert: AlertState.ACKNOWLEDGED,
        second_alert: AlertState.WITHDRAWN,
    }


async def test_a_redis_lost_under_a_running_notifier_is_filled_again(office: Office) -> None:
    await office.open(escalation=[ChannelName.WEB_PUSH])
    async with notifier(office):
        _, alert_id = await office.offer(lasts_s=300)
        await office.until(alert_id, AlertState.DELIVERED)
        keys = [key async for key in office.redis.scan_iter(f"rondo:{{{office.workspace_id}}}*")]
        keys += [key async for key in office.redis.scan_iter("rondo:alerts:*")]
        await office.redis.delete(*keys)
        await office.until(alert_id, AlertState.DELIVERED)
    assert len(office.pushes.received) == 1
