"""Webhooks delivered by one notifier to a fast receiver, beside a bare client loop against the same one."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from rondo_bench.figures import Row
from rondo_bench.load import at_once
from rondo_common.conversation import Author, Message
from rondo_common.directory.entries import (
    Kind,
    WebhookEntry,
    WebhookSecret,
    WorkspaceEntry,
    directory_key,
)
from rondo_common.envelope import Envelope
from rondo_common.events import Event, MessagePosted, WebhookDefined, WorkspaceDefined
from rondo_common.ids import AgentId, ConversationId, EventId, MessageId, WebhookId, WorkspaceId
from rondo_common.kafka.connection import KafkaConnection, make_producer
from rondo_common.kafka.publisher import KafkaPublisher, Outgoing, outgoing
from rondo_common.webhooks import SECRET_PREFIX
from rondo_local.layout import Layout
from rondo_local.stack import Stack

ENDPOINTS = 50
EVENTS = 400
CONVERSATIONS = 100
DELIVERIES = ENDPOINTS * EVENTS
WARM_UP_SHARE = 0.1
CONCURRENCY = 100
AIM_RATIO = 0.5
POLL_S = 0.02
DEADLINE_S = 300.0
BODY = b'{"id":"e","type":"message.posted","data":{"text":"%s"}}' % (b"x" * 300)


async def webhook_rows(say: Callable[[str], None]) -> list[Row]:
    """Measure on a stack of this bench's own, which may deliver to this machine."""
    async with _receiver() as url, aiohttp.ClientSession() as http:
        say("raw HTTP: a bare client that posts to a fast receiver")
        bare = await _bare(url)
        say("webhooks: one notifier delivers to the same receiver")
        with tempfile.TemporaryDirectory() as root:
            async with _stack(Path(root)) as bootstrap:
                rondo = await _delivered(bootstrap, url, http)
    ratio = rondo / bare
    return [
        Row(
            "webhooks delivered a second, one notifier",
            f"{rondo:.0f}",
            f"{bare:.0f} bare aiohttp posts",
            ratio,
            f"≥ {AIM_RATIO} ×",
            ratio >= AIM_RATIO,
        )
    ]


@asynccontextmanager
async def _receiver() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rondo_bench.webhook_receiver", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def _stack(root: Path) -> AsyncIterator[str]:
    layout = Layout(root=root, jars=Layout.of_checkout().jars)
    stack = Stack(layout, {**os.environ, "RONDO_WEBHOOK_ALLOW_PRIVATE": "true"}, lambda _, __: None)
    env = await stack.up()
    try:
        yield env["RONDO_KAFKA_BOOTSTRAP"]
    finally:
        await stack.clean()


async def _bare(url: str) -> float:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONCURRENCY)) as http:

        async def post(_: int) -> None:
            async with http.post(url, data=BODY) as answer:
                await answer.read()

        await at_once(post, total=DELIVERIES // 10, concurrency=CONCURRENCY)
        return DELIVERIES / await at_once(post, total=DELIVERIES, concurrency=CONCURRENCY)


async def _delivered(bootstrap: str, url: str, http: aiohttp.ClientSession) -> float:
    connection = KafkaConnection(bootstrap, client_id="rondo-bench")
    publisher = KafkaPublisher(
        lambda: make_producer(connection, request_timeout_ms=30_000), deadline_s=DEADLINE_S
    )
    workspace_id = WorkspaceId(f"bench-{uuid.uuid4().hex[:10]}")
    try:
        await publisher.publish(_definitions(workspace_id, url))
        warm_up = int(EVENTS * WARM_UP_SHARE)
        await _until(http, url, await _say(publisher, workspace_id, url, http, warm_up))
        began = time.perf_counter()
        await _until(http, url, await _say(publisher, workspace_id, url, http, EVENTS))
        return DELIVERIES / (time.perf_counter() - began)
    finally:
        await publisher.stop()


async def _say(
    publisher: KafkaPublisher, workspace_id: WorkspaceId, url: str, http: aiohttp.ClientSession, events: int
) -> int:
    """Publish so many messages; how many the receiver will have got when all are delivered."""
    before = await _count(http, url)
    await publisher.publish([_message(workspace_id, number) for number in range(events)])
    return before + events * ENDPOINTS


async def _until(http: aiohttp.ClientSession, url: str, count: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while await _count(http, url) < count:
            await asyncio.sleep(POLL_S)


async def _count(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as answer:
        return int(await answer.text())


def _definitions(workspace_id: WorkspaceId, url: str) -> list[Outgoing]:
    now = datetime.now(UTC)
    workspace = WorkspaceEntry(id=workspace_id, name="Bench", created_at=now)
    events: list[tuple[Kind, str, Event]] = [
        (Kind.WORKSPACE, workspace_id, WorkspaceDefined(workspace=workspace))
    ]
    for number in range(ENDPOINTS):
        webhook = WebhookEntry(
            id=WebhookId(f"hook-{number}"),
            url=url,
            event_types=("*",),
            secrets=(WebhookSecret(secret=SECRET_PREFIX + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),),
            active_since=now,
            activation=EventId("bench"),
        )
        events.append((Kind.WEBHOOK, webhook.id, WebhookDefined(webhook=webhook)))
    return [
        outgoing(
            Envelope(EventId(uuid.uuid4().hex), "/bench", now, workspace_id, event),
            directory_key(workspace_id, kind, entry_id),
        )
        for kind, entry_id, event in events
    ]


def _message(workspace_id: WorkspaceId, number: int) -> Outgoing:
    now = datetime.now(UTC)
    said = Message(
        id=MessageId(f"msg_{uuid.uuid4().hex}"),
        author=Author(type="visitor", id="ada", name="Ada"),
        text="x" * 100,
        sent_at=now,
    )
    event = MessagePosted(
        conversation_id=ConversationId(f"cnv_{workspace_id}_{number % CONVERSATIONS}"),
        message=said,
        client_message_id=str(number),
        agent_id=AgentId("grace"),
    )
    envelope = Envelope(EventId(uuid.uuid4().hex), "/bench", now, workspace_id, event)
    return outgoing(envelope, event.conversation_id)
