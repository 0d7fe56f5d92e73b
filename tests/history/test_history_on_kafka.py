"""The whole service on real servers: from the topics to the answer over HTTP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import pytest
from aiokafka import TopicPartition
from pydantic import SecretStr

from rondo_common.envelope import Envelope, decode
from rondo_common.events import (
    AcceptChat,
    ConversationErased,
    Event,
    MessagePosted,
    TranscriptRequested,
    VisitorErased,
)
from rondo_common.ids import VisitorId
from rondo_common.kafka.connection import KafkaConnection, make_producer, make_reader
from rondo_common.kafka.partitioning import partition_of
from rondo_common.kafka.publisher import KafkaPublisher, outgoing
from rondo_common.kafka.topic_admin import create_topics
from rondo_common.topics import CHAT_REQUESTS, CONVERSATIONS, DEAD_LETTERS, TOPICS
from rondo_history.adapters.schema import migrate
from rondo_history.bootstrap import run
from rondo_history.domain.fact import Fact
from rondo_history.settings import HistorySettings
from tests.history.conversations import GRACE, VISITOR, Conversation, fresh_workspace
from tests.history.mail_server import mail_server, text_of

DEADLINE_S = 60.0
POLL_S = 0.05


@pytest.fixture
async def kafka(kafka_bootstrap: str) -> KafkaConnection:
    """A broker that has the topics."""
    connection = KafkaConnection(kafka_bootstrap, client_id="history-tests")
    await create_topics(connection, TOPICS, replication_factor=1)
    return connection


@asynccontextmanager
async def history(
    kafka: KafkaConnection, database: str, smtp_url: str | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """The service, and a client of its HTTP. Stopped in order at the end."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = HistorySettings(
        kafka_bootstrap=kafka.bootstrap,
        http_port=port,
        postgres_dsn=SecretStr(database),
        session_timeout_ms=6_000,
        smtp_url=None if smtp_url is None else SecretStr(smtp_url),
    )
    stop = asyncio.Event()
    running = asyncio.create_task(run(settings, stop))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        stop.set()
        await running


async def tell(kafka: KafkaConnection, events: Sequence[tuple[Conversation, Event | Fact]]) -> None:
    """Publish events; a fact under its own id, so that it can be told twice."""
    publisher = KafkaPublisher(
        lambda: make_producer(kafka, request_timeout_ms=60_000), deadline_s=DEADLINE_S
    )
    records = []
    for chat, told in events:
        event = told.event if isinstance(told, Fact) else told
        envelope = cast("Envelope[Event]", chat.envelope(cast("Any", event)))
        if isinstance(told, Fact):
            envelope = Envelope(told.id, envelope.source, told.occurred_at, told.workspace_id, event)
        key = chat.workspace_id if event.TOPIC is CHAT_REQUESTS else chat.id
        records.append(outgoing(envelope, key))
    await publisher.publish(records)
    await publisher.stop()


async def answer_of(client: httpx.AsyncClient, path: str, status: int, *, lines: int = 0) -> Any:
    """What ``path`` answers once it has that status, and that many lines."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                answer = await client.get(path)
            except httpx.TransportError:
                await asyncio.sleep(POLL_S)
                continue
            if answer.status_code == status and len(answer.json().get("lines", ())) >= lines:
                return answer.json()
            await asyncio.sleep(POLL_S)


def transcript_path(chat: Conversation) -> str:
    return f"/internal/v1/workspaces/{chat.workspace_id}/conversations/{chat.id}/transcript"


def fresh_chat() -> Conversation:
    """A conversation of this hour: the history would not keep one of long ago."""
    workspace_id = fresh_workspace()
    began_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    return Conversation(f"cnv_{workspace_id}", workspace_id, began_at=began_at)


async def test_what_the_topics_tell_is_answered_over_http_once_and_in_order(
    kafka: KafkaConnection, database: str
) -> None:
    chat = fresh_chat()
    sayings = [f"line {n} 👩‍💻" for n in range(50)]
    facts = [chat.requested(), chat.accepted(), *map(chat.said, sayings), chat.ended()]
    command = AcceptChat(conversation_id=chat.id, agent_id=GRACE.id)
    await tell(kafka, [(chat, command), *((chat, each) for each in (*facts, *facts))])
    async with history(kafka, database) as client:
        body = await answer_of(client, transcript_path(chat), 200, lines=len(facts))
        ready = await answer_of(client, "/readyz", 200)
    assert [line["text"] for line in body["lines"] if line["type"] == "message"] == sayings
    assert [line["event"] for line in body["lines"] if line["type"] == "system"] == [
        "chat.requested",
        "assignment.accepted",
        "conversation.ended",
    ]
    assert ready["checks"] == {"postgres": "ok", "consumer": "ok"}


async def test_while_the_archive_cannot_be_used_the_history_waits_and_then_catches_up(
    kafka: KafkaConnection, empty_database: str
) -> None:
    chat = fresh_chat()
    await tell(kafka, [(chat, chat.requested()), (chat, chat.said("Hello"))])
    async with history(kafka, empty_database) as client:
        refusal = await answer_of(client, transcript_path(chat), 503)
        assert "postgresql is out of reach" in refusal["detail"]
        waiting: dict[str, str] = {}
        async with asyncio.timeout(DEADLINE_S):
            while not waiting:
                waiting = (await answer_of(client, "/healthz", 200))["blocked"]
        assert all("rondo_history migrate" in reason for reason in waiting.values())
        await migrate(empty_database)
        body = await answer_of(client, transcript_path(chat), 200, lines=2)
        assert body["lines"][-1]["text"] == "Hello"


async def test_a_transcript_asked_for_by_email_arrives_with_all_that_was_said_before(
    kafka: KafkaConnection, database: str
) -> None:
    chat = fresh_chat()
    sayings = [f"line {n}" for n in range(300)]
    facts = [chat.requested(), chat.accepted(), *map(chat.said, sayings)]
    wanted = chat.tell(
        TranscriptRequested(conversation_id=chat.id, to="ada@example.com", by=VISITOR, time_zone="UTC")
    )
    await tell(kafka, [(chat, each) for each in (*facts, wanted)])
    async with history(kafka, database) as client:
        await answer_of(client, transcript_path(chat), 200, lines=len(facts))
        assert (await client.get("/internal/v1/mail")).json() == {"is_configured": False}
    with mail_server() as mailbox:
        # It was kept while there was no mail server, and the log is not read again.
        async with history(kafka, database, mailbox.url) as client:
            (message,) = await mailbox.until(1)
            assert (await client.get("/internal/v1/mail")).json() == {"is_configured": True}
    text = text_of(message, "plain")
    assert [each for each in sayings if f"Ada: {each}\n" in text] == sayings


async def test_an_erasure_reaches_the_others_by_the_log(kafka: KafkaConnection, database: str) -> None:
    chat = fresh_chat()
    erasure = VisitorErased(visitor_id=VisitorId("u-17"), by=VISITOR)
    await tell(kafka, [(chat, chat.requested()), (chat, chat.offered())])
    async with history(kafka, database) as client:
        await answer_of(client, transcript_path(chat), 200, lines=2)
        await tell(kafka, [(chat, erasure), (chat, erasure)])
        await answer_of(client, transcript_path(chat), 404)
        events = await told_of(kafka, chat)
    (erased,) = {envelope.id: envelope for envelope in events}.values()
    assert erased.event == ConversationErased(conversation_id=chat.id, agent_ids=(GRACE.id,))


async def told_of(kafka: KafkaConnection, chat: Conversation) -> list[Envelope[Event]]:
    """What the history wrote about a conversation, once there is something."""
    consumer = make_reader(kafka)
    await consumer.start()
    partition = TopicPartition(CONVERSATIONS.name, partition_of(CONVERSATIONS, chat.workspace_id, chat.id))
    try:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        found: list[Envelope[Event]] = []
        async with asyncio.timeout(DEADLINE_S):
            while not found:
                batches = await consumer.getmany(timeout_ms=200)
                envelopes = [decode(raw.headers, raw.value) for raws in batches.values() for raw in raws]
                found = [
                    each
                    for each in envelopes
                    if each.source == "/rondo/history" and each.workspace_id == chat.workspace_id
                ]
        return found
    finally:
        await consumer.stop()


async def test_a_record_with_the_character_nul_is_dead_lettered_and_the_rest_goes_on(
    kafka: KafkaConnection, database: str
) -> None:
    chat = fresh_chat()
    opening, before = chat.requested(), chat.said("before")
    event = cast("MessagePosted", chat.said("?").event)
    poisoned = event.model_copy(update={"message": event.message.model_copy(update={"text": "nul: \x00"})})
    await tell(kafka, [(chat, opening), (chat, before), (chat, poisoned), (chat, chat.said("after"))])
    async with history(kafka, database) as client:
        body = await answer_of(client, transcript_path(chat), 200, lines=3)
    assert [line["text"] for line in body["lines"][1:]] == ["before", "after"]
    assert chat.id in await dead_letter_keys(kafka)


async def dead_letter_keys(kafka: KafkaConnection) -> set[str]:
    """The keys of every dead letter there is."""
    consumer = make_reader(kafka)
    await consumer.start()
    partition = TopicPartition(DEAD_LETTERS.name, 0)
    try:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        keys: set[str] = set()
        async with asyncio.timeout(DEADLINE_S):
            while await consumer.position(partition) < end:
                batches = await consumer.getmany(timeout_ms=200)
                keys |= {raw.key.decode() for raws in batches.values() for raw in raws}
        return keys
    finally:
        await consumer.stop()
