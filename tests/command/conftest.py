"""The command line as a person calls it, on a real Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Any, cast

import pytest
from click.testing import Result
from typer.testing import CliRunner

from rondo_command.__main__ import GROUP, build_app
from rondo_common.envelope import Envelope
from rondo_common.events import Event
from rondo_common.kafka.connection import KafkaConnection, make_producer
from rondo_common.kafka.publisher import KafkaPublisher, Outgoing, outgoing
from rondo_common.kafka.topic_admin import create_topics
from rondo_common.topics import CHAT_REQUESTS, TOPICS

DEADLINE_S = 60.0

Rondo = Callable[..., Result]
"""Runs the command line: its arguments, and ``input`` for what a person types."""


@pytest.fixture
def rondo(monkeypatch: pytest.MonkeyPatch) -> Rondo:
    """The command line with every installed command, in wide letters without colours."""
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setenv("NO_COLOR", "1")
    app, runner = build_app(entry_points(group=GROUP)), CliRunner()

    def run(*arguments: str, input: str | None = None) -> Result:  # noqa: A002 - as the runner calls it
        return cast("Result", runner.invoke(app, list(arguments), input=input))

    return run


@pytest.fixture
def kafka(kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> KafkaConnection:
    """A broker that has the topics; the command line knows it."""
    connection = KafkaConnection(kafka_bootstrap, client_id="command-tests")
    asyncio.run(create_topics(connection, TOPICS, replication_factor=1))
    monkeypatch.setenv("RONDO_KAFKA_BOOTSTRAP", kafka_bootstrap)
    return connection


def record_of(envelope: Envelope[Any]) -> Outgoing:
    """The record of an event of a conversation."""
    key = envelope.workspace_id if envelope.event.TOPIC is CHAT_REQUESTS else envelope.event.conversation_id
    return outgoing(cast("Envelope[Event]", envelope), key)


def publish(kafka: KafkaConnection, records: Sequence[Outgoing]) -> None:
    """Write records, in this order."""

    async def write() -> None:
        publisher = KafkaPublisher(
            lambda: make_producer(kafka, request_timeout_ms=60_000), deadline_s=DEADLINE_S
        )
        await publisher.publish(records)
        await publisher.stop()

    asyncio.run(write())
