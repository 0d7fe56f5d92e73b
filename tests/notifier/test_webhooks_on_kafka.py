"""Webhooks on real servers: from the topics to receivers on loopback, through crashes and losses."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from rondo_common.directory.entries import Kind, WebhookEntry, WorkspaceEntry, directory_key
from rondo_common.envelope import Envelope
from rondo_common.events import Event, WebhookDefined, WebhookDisabled, WorkspaceDefined
from rondo_common.ids import EventId, WebhookId, WorkspaceId
from rondo_common.kafka.connection import KafkaConnection, make_producer, make_reader
from rondo_common.kafka.publisher import KafkaPublisher, outgoing
from rondo_common.kafka.topic_admin import create_topics
from rondo_common.topics import ALERTS, TOPICS
from rondo_common.webhooks import DeliveryRecord, DeliveryState, Reread, records_key
from rondo_gateway.adapters.redis_webhooks import RedisWebhookDesk
from rondo_notifier.adapters.kafka_past_events import KafkaPastEvents
from rondo_notifier.bootstrap import run
from rondo_notifier.settings import NotifierSettings
from tests.notifier.hostile_receiver import Received, Receiver, answers, hangs, receiving
from tests.notifier.webhook_world import SECRET, entry, message

DEADLINE_S = 60.0
POLL_S = 0.05


@dataclass
class Website:
    """A workspace and its receivers, and the log it all goes through."""

    kafka: KafkaConnection
    publisher: KafkaPublisher
    receiver: Receiver
    workspace_id: WorkspaceId = field(default_factory=lambda: WorkspaceId(f"w-{uuid.uuid4().hex[:12]}"))

    async def define(self, *webhooks: WebhookEntry) -> None:
        """Have these endpoints."""
        now = datetime.now(UTC)
        workspace = WorkspaceEntry(id=self.workspace_id, name="W", created_at=now)
        events: list[tuple[str, Event]] = [
            (self._key(Kind.WORKSPACE, self.workspace_id), WorkspaceDefined(workspace=workspace))
        ]
        events += [(self._key(Kind.WEBHOOK, each.id), WebhookDefined(webhook=each)) for each in webhooks]
        envelopes = [
            (key, Envelope(EventId(uuid.uuid4().hex), "/tests", now, self.workspace_id, event))
            for key, event in events
        ]
        await self.publisher.publish([outgoing(envelope, key) for key, envelope in envelopes])

    async def talk(self, conversations: int, messages: int, *, first: int = 0) -> list[str]:
        """That many messages in each of the conversations, as they happen now; their event ids."""
        envelopes = [
            message(
                self.workspace_id,
                self.conversation(conversation),
                f"{number}",
                event_id=self.event(conversation, number),
                at=datetime.now(UTC),
            )
            for number in range(first, first + messages)
            for conversation in range(conversations)
        ]
        await self.publisher.publish([outgoing(each, each.event.conversation_id) for each in envelopes])
        return [each.id for each in envelopes]

    async def disabled(self) -> list[WebhookDisabled]:
        """Which of the workspace's endpoints were told to be given up."""
        now = datetime.now(UTC)
        whole = {ALERTS.name: range(ALERTS.partitions)}
        past = KafkaPastEvents(lambda: make_reader(self.kafka))
        reread = Reread(since=now - timedelta(hours=1), until=now + timedelta(minutes=1))
        return [
            each.event
            async for envelopes, _ in past.read(whole, reread)
            for each in envelopes
            if isinstance(each.event, WebhookDisabled) and each.workspace_id == self.workspace_id
        ]

    def conversation(self, number: int) -> str:
        return f"cnv_{self.workspace_id}_{number}"

    def event(self, conversation: int, number: int) -> str:
        return f"{self.workspace_id}-{conversation}-{number}"

    def _key(self, kind: Kind, entry_id: str) -> str:
        return directory_key(self.workspace_id, kind, entry_id)


@pytest.fixture(scope="module")
def kafka_bootstrap(own_kafka_bootstrap: str) -> str:
    """See :func:`own_kafka_bootstrap`."""
    return own_kafka_bootstrap


@pytest.fixture
async def website(kafka_bootstrap: str) -> AsyncIterator[Website]:
    kafka = KafkaConnection(kafka_bootstrap, client_id="webhook-tests")
    await create_topics(kafka, TOPICS, replication_factor=1)
    publisher = KafkaPublisher(
        lambda: make_producer(kafka, request_timeout_ms=60_000), deadline_s=DEADLINE_S
    )
    async with receiving() as receiver:
        yield Website(kafka, publisher, receiver)
    await publisher.stop()


@asynccontextmanager
async def notifier(kafka_bootstrap: str, redis_url: str) -> AsyncIterator[None]:
    """The service, stopped in order at the end."""
    settings = NotifierSettings(
        kafka_bootstrap=kafka_bootstrap,
        redis_url=redis_url,
        http_port=free_port(),
        webhook_allow_private=True,
    )
    stop = asyncio.Event()
    running = asyncio.create_task(run(settings, stop))
    try:
        yield
    finally:
        stop.set()
        await running


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def active(webhook_id: str, url: str, **more: Any) -> WebhookEntry:
    """An endpoint that was switched on just now."""
    return entry(webhook_id, url, active_since=datetime.now(UTC), **more)


def first_arrivals(received: Sequence[Received]) -> dict[str, list[str]]:
    """The ids of each conversation's events, in the order in which each came for the first time."""
    order: dict[str, list[str]] = defaultdict(list)
    for each in received:
        of_conversation = order[each.event["conversation_id"]]
        if each.id not in of_conversation:
            of_conversation.append(each.id)
    return order


def in_order(website: Website, conversations: int, messages: int) -> dict[str, list[str]]:
    return {
        website.conversation(conversation): [
            website.event(conversation, number) for number in range(messages)
        ]
        for conversation in range(conversations)
    }


async def records(redis: Redis, website: Website, webhook_id: str) -> dict[str, DeliveryRecord]:
    client: Any = redis
    found = await client.hgetall(records_key(website.workspace_id, WebhookId(webhook_id)))
    return {each: DeliveryRecord.model_validate_json(record) for each, record in found.items()}


async def until_all_are(
    redis: Redis, website: Website, webhook_id: str, state: DeliveryState, count: int
) -> dict[str, DeliveryRecord]:
    """The records of an endpoint, once that many are in this state."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            found = await records(redis, website, webhook_id)
            if sum(each.state is state for each in found.values()) >= count:
                return found
            await asyncio.sleep(POLL_S)


async def test_everything_that_happens_is_sent_signed_and_in_the_order_of_its_conversation(
    website: Website, kafka_bootstrap: str, redis_url: str, redis: Redis
) -> None:
    await website.define(
        active("all", website.receiver.url("/all")),
        active("ended", website.receiver.url("/ended"), event_types=("conversation.ended",)),
        active("off", website.receiver.url("/off"), enabled=False),
    )
    async with notifier(kafka_bootstrap, redis_url):
        ids = await website.talk(5, 20)
        await website.receiver.until(lambda: len(website.receiver.at("/all")) >= len(ids))
        log = await until_all_are(redis, website, "all", DeliveryState.DELIVERED, len(ids))
    assert [each.path for each in website.receiver.requests] == ["/all"] * len(ids)
    assert first_arrivals(website.receiver.requests) == in_order(website, 5, 20)
    told = website.receiver.requests[0].verified(SECRET)
    assert told["workspace_id"] == website.workspace_id
    assert (told["type"], told["id"]) == ("message.posted", website.receiver.requests[0].id)
    assert told["data"]["author"] == {"type": "visitor", "id": "ada", "name": "Ada"}
    assert set(log) == set(ids)
    assert all(len(each.attempts) == 1 for each in log.values())


async def test_killed_in_the_middle_everything_arrives_under_its_id_and_in_order(
    website: Website, kafka_bootstrap: str, redis_url: str, redis: Redis
) -> None:
    await website.define(active("crm", website.receiver.url("/crm")))
    env = os.environ | {
        "RONDO_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "RONDO_REDIS_URL": redis_url,
        "RONDO_WEBHOOK_ALLOW_PRIVATE": "true",
        "RONDO_HTTP_PORT": str(free_port()),
    }
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rondo_notifier", env=env, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        ids = await website.talk(8, 40)
        await website.receiver.until(lambda: len(website.receiver.requests) >= len(ids) // 4)
    finally:
        os.kill(victim.pid, signal.SIGKILL)
        await victim.wait()
    before = len({each.id for each in website.receiver.requests})
    assert before < len(ids), "it was too fast to be killed in the middle"
    async with notifier(kafka_bootstrap, redis_url):
        await website.receiver.until(
            lambda: {each.id for each in website.receiver.requests} == set(ids), DEADLINE_S
        )
        await until_all_are(redis, website, "crm", DeliveryState.DELIVERED, len(ids))
    assert first_arrivals(website.receiver.requests) == in_order(website, 8, 40)
    repeated = len(website.receiver.requests) - len(ids)
    assert repeated <= 10, "only what was under way may come twice"


async def test_dead_endpoints_hold_nobody_else_back(
    website: Website, kafka_bootstrap: str, redis_url: str, redis: Redis
) -> None:
    healthy = [f"/well-{number}" for number in range(45)]
    dead = [f"/dead-{number}" for number in range(5)]
    for number, path in enumerate(dead):
        website.receiver.behave[path] = hangs if number % 2 else answers(500)
    await website.define(
        *(active(path.strip("/"), website.receiver.url(path)) for path in [*healthy, *dead])
    )
    async with notifier(kafka_bootstrap, redis_url):
        ids = await website.talk(20, 4)
        wanted = len(ids) * len(healthy)
        await website.receiver.until(
            lambda: sum(each.path in healthy for each in website.receiver.requests) >= wanted, DEADLINE_S
        )
        # By now, those that hang have seen no more than what they may hold at once.
        hanging = [len(website.receiver.at(path)) for path in dead[1::2]]
        for path in healthy:
            await until_all_are(redis, website, path.strip("/"), DeliveryState.DELIVERED, len(ids))
    for path in healthy:
        assert first_arrivals(website.receiver.at(path)) == in_order(website, 20, 4)
        assert len(website.receiver.at(path)) == len(ids)
    assert all(0 < count <= len(ids) for count in hanging)
    for path in dead:
        log = await records(redis, website, path.strip("/"))
        assert all(each.state is not DeliveryState.DELIVERED for each in log.values())


async def test_an_endpoint_that_is_gone_gets_nothing_more_and_its_owner_is_told(
    website: Website, kafka_bootstrap: str, redis_url: str, redis: Redis
) -> None:
    website.receiver.behave["/gone"] = answers(410)
    gone = active("gone", website.receiver.url("/gone"))
    await website.define(gone, active("well", website.receiver.url("/well")))
    desk = RedisWebhookDesk(redis)
    async with notifier(kafka_bootstrap, redis_url):
        first = await website.talk(1, 1)
        async with asyncio.timeout(DEADLINE_S):
            while (await desk.states(website.workspace_id, [gone.id]))[0].given_up != gone.activation:
                await asyncio.sleep(POLL_S)
        later = await website.talk(2, 1, first=1)
        await until_all_are(redis, website, "well", DeliveryState.DELIVERED, 3)
    (told,) = await website.disabled()
    assert (told.webhook_id, told.error, told.url) == ("gone", "answered 410", gone.url)
    assert [each.id for each in website.receiver.at("/gone")] == first
    assert {each.id for each in website.receiver.at("/well")} == {*first, *later}


async def test_a_receiver_that_asks_to_be_left_alone_is(
    website: Website, kafka_bootstrap: str, redis_url: str, redis: Redis
) -> None:
    website.receiver.behave["/crm"] = answers(503, b"", "retry-after: 20")
    await website.define(active("crm", website.receiver.url("/crm")))
    async with notifier(kafka_bootstrap, redis_url):
        (delivery,) = await website.talk(1, 1)
        log = await until_all_are(redis, website, "crm", DeliveryState.RETRYING, 1)
    (made,), next_at = log[delivery].attempts, log[delivery].next_attempt_at
    assert next_at is not None
    assert next_at - made.at >= timedelta(seconds=20)


async def test_what_was_missed_comes_again_with_a_replay_under_the_same_ids(
    website: Website, kafka_bootstrap: str, redis_url: str, redis: Redis
) -> None:
    webhook = active("crm", website.receiver.url("/crm"))
    await website.define(webhook)
    async with notifier(kafka_bootstrap, redis_url):
        early = await website.talk(2, 3)
        await website.receiver.until(lambda: len(website.receiver.requests) >= len(early))
        await website.define(webhook.model_copy(update={"enabled": False}))
        outage = datetime.now(UTC)
        missed = await website.talk(2, 3, first=3)
        await website.define(webhook.model_copy(update={"active_since": datetime.now(UTC)}))
        late = await website.talk(2, 3, first=6)
        desk = RedisWebhookDesk(redis)
        until = datetime.now(UTC) + timedelta(seconds=1)
        reread = Reread(since=outage, until=until)
        assert await desk.ask_for_replay(website.workspace_id, WebhookId("crm"), reread)
        await website.receiver.until(
            lambda: {each.id for each in website.receiver.requests} >= {*early, *missed, *late}
        )
        await _until_replayed(redis, website)
        await until_all_are(redis, website, "crm", DeliveryState.DELIVERED, len(early + missed + late))
    came = [each.id for each in website.receiver.requests]
    assert all(came.count(each) == 1 for each in early), "what was before that time does not come again"
    assert all(came.count(each) >= 1 for each in (*missed, *late))


async def _until_replayed(redis: Redis, website: Website) -> None:
    client: Any = redis
    async with asyncio.timeout(DEADLINE_S):
        while await client.hlen(f"rondo:{{{website.workspace_id}}}:webhook:crm:asked"):
            await asyncio.sleep(POLL_S)


async def test_a_test_is_sent_at_once_and_once(
    website: Website, kafka_bootstrap: str, redis_url: str, redis: Redis
) -> None:
    website.receiver.behave["/crm"] = answers(500)
    await website.define(active("crm", website.receiver.url("/crm"), event_types=("conversation.ended",)))
    desk = RedisWebhookDesk(redis)
    async with notifier(kafka_bootstrap, redis_url):
        await desk.ask_for_test(website.workspace_id, WebhookId("crm"), EventId("t-1"))
        log = await until_all_are(redis, website, "crm", DeliveryState.FAILED, 1)
    (received,) = website.receiver.requests
    assert received.verified(SECRET)["type"] == "webhook.test"
    assert received.id == "t-1"
    assert len(log["t-1"].attempts) == 1


async def test_what_waited_in_a_redis_that_was_lost_is_read_again_from_the_topics(
    website: Website, kafka_bootstrap: str, redis_url: str, redis: Redis
) -> None:
    website.receiver.behave["/crm"] = answers(503)
    await website.define(active("crm", website.receiver.url("/crm")))
    async with notifier(kafka_bootstrap, redis_url):
        ids = await website.talk(4, 2)
        heads = {website.event(number, 0) for number in range(4)}
        await website.receiver.until(lambda: {each.id for each in website.receiver.requests} >= heads)
        del website.receiver.behave["/crm"]
        client: Any = redis
        lost = [
            each
            for pattern in (f"rondo:{{{website.workspace_id}}}:*", "rondo:webhooks:*")
            async for each in client.scan_iter(match=pattern)
        ]
        await client.delete(*lost)
        log = await until_all_are(redis, website, "crm", DeliveryState.DELIVERED, len(ids))
    assert set(log) == set(ids)
    delivered = [each for each in website.receiver.requests if each.id in ids]
    assert first_arrivals(delivered) == in_order(website, 4, 2)
