"""A whole chat on a secure stack: every service does all it ever writes, with exactly its ACLs."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from rondo_command.doctor.kafka import examine_kafka
from rondo_common.access import OPERATORS, SERVICES
from rondo_common.examination import Level
from rondo_common.kafka.connection import KafkaConnection, make_producer, make_reader
from rondo_common.topics import CHAT_REQUESTS, CONVERSATIONS, DEAD_LETTERS, DIRECTORY, TOPICS, Topic
from rondo_local import process, state
from tests.e2e.client import Caller, Json, Workspace, eventually
from tests.notifier.push_service import PushService, push_service
from tests.secure.conftest import SecureStack

POLL_S = 0.2
PUSHED_WITHIN_S = 180
WRITTEN_WITHIN_S = 180
READERS_OF_CHATS = {"rondo.router", "rondo.history", "rondo.notifier"}


@asynccontextmanager
async def reading(connection: KafkaConnection, *topics: Topic) -> AsyncIterator[AIOKafkaConsumer]:
    """All that stands on the topics, from their beginning."""
    consumer = make_reader(connection)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(each.name, n) for each in topics for n in range(each.partitions)])
        await consumer.seek_to_beginning()
        yield consumer
    finally:
        await consumer.stop()


async def _chat(workspace: Workspace, grace: Caller) -> None:
    """From the request to the last line of the transcript."""
    asked = await workspace.ask(to="grace", visitor={"id": "ada", "first_name": "Ada"})
    await workspace.until(asked["id"], "offered")
    path = f"/v1/conversations/{asked['id']}"
    await grace.post(f"{path}/accept")
    visitor = workspace.bearer(asked["visitor_token"])
    await visitor.post(f"{path}/messages", {"client_message_id": "1", "text": "hello"})
    await grace.post(f"{path}/messages", {"client_message_id": "1", "text": "good morning"})
    await workspace.post(f"{path}/end")
    await workspace.transcript(asked["id"], messages=2)


async def _ring_until_pushed(workspace: Workspace, pushes: PushService) -> None:
    """Ring until the browser is pushed to: a notifier that has just started may come to it too late."""
    async with asyncio.timeout(PUSHED_WITHIN_S):
        while not pushes.tries:
            asked = await workspace.ask(to="grace")
            while not pushes.tries:
                if (await workspace.conversation(asked["id"]))["status"] not in {"requested", "offered"}:
                    break
                await asyncio.sleep(POLL_S)


async def _subscribed(grace: Caller, pushes: PushService) -> None:
    """A browser that is gone: the notifier takes it out of the directory."""
    pushes.statuses += [410] * 100
    body = {"endpoint": f"{pushes.url}/gone", "keys": pushes.keys}
    await grace.post("/v1/agents/me/push_subscriptions", body)


async def test_a_chat_goes_from_request_to_transcript_and_every_writer_writes(
    running: SecureStack, workspace: Workspace
) -> None:
    await workspace.agents("grace", capacity=10)
    grace = await workspace.agent("grace")
    async with push_service() as pushes:
        await _subscribed(grace, pushes)
        await _chat(workspace, grace)
        await _ring_until_pushed(workspace, pushes)
        erased = await workspace.call("DELETE", "/v1/visitors/ada")
        assert erased.status_code == 202, erased.text
        await _until_every_writer_wrote(running)
    await _until_metrics_are_told(workspace)


async def _until_metrics_are_told(workspace: Workspace) -> None:
    async def told() -> Json | None:
        answer = await workspace.call("GET", "/v1/metrics/live")
        return dict(answer.json()) if answer.is_success else None

    await eventually(told, "live metrics to be told")


def _awaited() -> set[tuple[str, str]]:
    """Every service and topic it writes. Dead letters have a test of their own."""
    return {
        (writer, topic.name) for topic in TOPICS if topic is not DEAD_LETTERS for writer in topic.writers
    }


async def _until_every_writer_wrote(running: SecureStack) -> None:
    """Read what stands on every topic until each of its writers is seen on it."""
    missing = _awaited()
    async with reading(running.admin, *TOPICS) as consumer:
        try:
            async with asyncio.timeout(WRITTEN_WITHIN_S):
                while missing:
                    record = await consumer.getone()
                    missing.discard((_writer(record), record.topic))
        except TimeoutError:
            pytest.fail(f"never written: {sorted(missing)}")


def _writer(record: ConsumerRecord) -> str:
    """Who wrote a record: its source says it; tombstones and bookkeeping have none."""
    source = dict(record.headers).get("ce_source", b"").decode()
    if source:
        return str(source).removeprefix("/rondo/")
    if record.topic == DIRECTORY.name:
        # Nothing is deleted in this test but what the notifier lets go.
        return "notifier" if record.value is None else "gateway"
    return next(each for each in TOPICS if each.name == record.topic).writers[0]


async def test_what_cannot_be_handled_is_put_aside_by_every_reader(running: SecureStack) -> None:
    producer = make_producer(running.admin, request_timeout_ms=10_000)
    await producer.start()
    try:
        for topic in (CHAT_REQUESTS, CONVERSATIONS):
            await producer.send_and_wait(topic.name, b"no event", partition=0)
    finally:
        await producer.stop()
    waiting = set(READERS_OF_CHATS)
    async with reading(running.by_password(OPERATORS), DEAD_LETTERS) as consumer, asyncio.timeout(60):
        while waiting:
            record = await consumer.getone()
            headers = dict(record.headers)
            waiting.discard(headers["rondo_reader"].decode())


async def test_the_doctor_finds_all_of_it_fine_as_an_operator(running: SecureStack) -> None:
    async def all_fine() -> Json | None:
        # Groups may still be moving.
        findings = await _examined({**os.environ, **running.env})
        kafka = [each for each in findings if each["subject"].startswith(("kafka", "topic", "group"))]
        assert len(kafka) > len(TOPICS)
        return {"all": kafka} if all(each["level"] == "ok" for each in kafka) else None

    await eventually(all_fine, "a doctor with nothing to say of Kafka")


async def test_the_doctor_is_right_as_any_service_too(running: SecureStack) -> None:
    """Who may not see something is told so, and not that it is not there."""
    for user in SERVICES:
        findings = await examine_kafka(running.servers.told(user))
        assert not [each for each in findings if each.level is Level.WRONG], user
        assert [each for each in findings if "may not see" in each.says], user


def test_no_secret_stands_in_a_log_or_among_arguments(running: SecureStack) -> None:
    layout = running.layout
    remembered = state.load(layout.state_file)
    assert remembered is not None
    secrets = {remembered.password_seed, remembered.root_key, remembered.token_secret}
    secrets |= set(running.entrance.passwords().values())
    secrets |= {_key(file) for file in layout.certificates.glob("*.key")}
    names = process.recorded(layout)
    assert len(names) > len(SERVICES)
    for name in names:
        identity = process.running(layout, name)
        assert identity is not None, name
        arguments = Path(f"/proc/{identity.pid}/cmdline").read_text(encoding="utf-8")
        assert not [each for each in secrets if each in arguments], name
    for log in layout.logs.iterdir():
        text = log.read_text(encoding="utf-8", errors="replace")
        assert not [each for each in secrets if each in text], log.name


def _key(file: Path) -> str:
    """A line of a private key that is in no other."""
    return max(file.read_text(encoding="ascii").splitlines(), key=len)


async def _examined(env: dict[str, str]) -> list[Json]:
    run = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "rondo_command", "doctor", "--json"),
        env=env,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await run.communicate()
    findings: list[Json] = json.loads(out)
    return findings
