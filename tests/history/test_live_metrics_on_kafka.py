"""Live metrics on a real Kafka, as a process of their own that is killed in the middle."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

import httpx
import pytest

from rondo_common.envelope import Envelope
from rondo_common.events import Event
from rondo_common.ids import WorkspaceId
from rondo_common.kafka.connection import KafkaConnection, make_producer
from rondo_common.kafka.publisher import KafkaPublisher, outgoing
from rondo_common.kafka.topic_admin import create_topics
from rondo_common.topics import CHAT_REQUESTS, CONVERSATIONS, METRICS, TOPICS
from rondo_common.waits import waits_of
from tests.history.live_chats import ToldChat, any_chat
from tests.history.recount_windows import NOTHING, events_of, read_all, recounted, standing, waits_until
from tests.history.recount_windows import Event as Counted

DEADLINE_S = 120.0
POLL_S = 0.25
SERVICE_LEVEL_S = 7.0
CHATS = 120


@pytest.fixture(scope="module")
def kafka_bootstrap(own_kafka_bootstrap: str) -> str:
    """See :func:`own_kafka_bootstrap`."""
    return own_kafka_bootstrap


@pytest.fixture
async def kafka(kafka_bootstrap: str) -> KafkaConnection:
    """A broker that has the topics."""
    connection = KafkaConnection(kafka_bootstrap, client_id="live-metrics-tests")
    await create_topics(connection, TOPICS, replication_factor=1)
    return connection


class LiveMetricsProcess:
    """``python -m rondo_history.live_metrics``, with its log in a file."""

    def __init__(self, bootstrap: str, log: Path) -> None:
        self._bootstrap = bootstrap
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._port = 0

    async def figure(self, name: str) -> float | None:
        """What it tells Prometheus under this name."""
        async with httpx.AsyncClient(trust_env=False) as http:
            told = (await http.get(f"http://127.0.0.1:{self._port}/metrics")).text
        found = re.search(rf"^{name} (\S+)$", told, re.MULTILINE)
        return None if found is None else float(found[1])

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = self._port = probe.getsockname()[1]
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "rondo_history.live_metrics",
                stdout=log, stderr=log, env={
                    **os.environ,
                    "RONDO_KAFKA_BOOTSTRAP": self._bootstrap,
                    "RONDO_HTTP_PORT": str(port),
                    "RONDO_SERVICE_LEVEL_S": str(SERVICE_LEVEL_S),
                },
            )  # fmt: skip
        async with asyncio.timeout(DEADLINE_S), httpx.AsyncClient() as http:
            while True:
                assert self._process.returncode is None, self._log.read_text()
                with contextlib.suppress(httpx.TransportError):
                    if (await http.get(f"http://127.0.0.1:{port}/readyz")).is_success:
                        return
                await asyncio.sleep(POLL_S)

    async def kill(self) -> None:
        """As the kernel does when memory is short."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """As an orderly shutdown does; the exit status."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        async with asyncio.timeout(DEADLINE_S):
            return await process.wait()


@pytest.fixture
async def live_metrics(kafka: KafkaConnection, tmp_path: Path) -> AsyncIterator[LiveMetricsProcess]:
    """The process, not started yet; gone afterwards."""
    process = LiveMetricsProcess(kafka.bootstrap, tmp_path / "live-metrics.log")
    yield process
    await process.kill()


@pytest.fixture
async def second(kafka: KafkaConnection, tmp_path: Path) -> AsyncIterator[LiveMetricsProcess]:
    """Another one beside it."""
    process = LiveMetricsProcess(kafka.bootstrap, tmp_path / "live-metrics-2.log")
    yield process
    await process.kill()


async def tell(kafka: KafkaConnection, envelopes: Sequence[Envelope[Any]]) -> None:
    """Publish the events in this order."""
    publisher = KafkaPublisher(
        lambda: make_producer(kafka, request_timeout_ms=60_000), deadline_s=DEADLINE_S
    )
    records = [
        outgoing(
            cast("Envelope[Event]", each),
            each.workspace_id if each.event.TOPIC is CHAT_REQUESTS else each.event.conversation_id,
        )
        for each in envelopes
    ]
    await publisher.publish(records)
    await publisher.stop()


async def told_windows(bootstrap: str, workspace_id: WorkspaceId) -> dict[int, dict[str, Any]]:
    """What live metrics told of each window of a workspace last, by its start."""
    windows: dict[int, dict[str, Any]] = {}
    for record in await read_all(bootstrap, METRICS):
        if record.key.decode() == workspace_id:
            value = json.loads(record.value)
            windows[int(datetime.fromisoformat(value["window_start"]).timestamp())] = value
    return windows


def differences(told: dict[int, dict[str, Any]], events: list[Counted]) -> list[str]:
    """Where the figures are not those of the recount."""
    counts = recounted(events, SERVICE_LEVEL_S)
    offer_waits = waits_until(events, "rondo.assignment.offered.v1")
    accept_waits = waits_until(events, "rondo.assignment.accepted.v1")
    first, last = min(counts), max(counts)
    found = [f"window {start} was told, and nothing happened" for start in told if start < first]
    for start in range(first, last + 10, 10):
        waiting, in_queue, active = standing(events, start + 10)
        expected = counts.get(start, {**NOTHING, "fell_back": {}, "breaches": 0}) | {
            "waiting": waiting,
            "queue_length": in_queue,
            "active": active,
        }
        window = told.get(start)
        if window is None:
            if any(expected.values()):
                found.append(f"window {start} was not told: {expected}")
            continue
        window = window | {"breaches": window["service_level_breaches"]}
        found += [
            f"window {start}: {name} is {window[name]}, not {value}"
            for name, value in expected.items()
            if window[name] != value
        ]
        for name, waits in (("offer_wait", offer_waits), ("accept_wait", accept_waits)):
            exact = waits_of(round(each * 1000) for each in waits.get(start, []))
            if window[name] != exact.model_dump(mode="json", exclude_none=True):
                found.append(f"window {start}: {name} is {window[name]}, not {exact}")
    return found


async def until_right(bootstrap: str, workspace_id: WorkspaceId) -> dict[int, dict[str, Any]]:
    """The windows, once all of them are as a recount has them."""
    found = ["nothing was told"]
    try:
        async with asyncio.timeout(DEADLINE_S):
            while found:
                await asyncio.sleep(POLL_S)
                records = await read_all(bootstrap, CHAT_REQUESTS, CONVERSATIONS)
                told = await told_windows(bootstrap, workspace_id)
                found = differences(told, events_of(records, workspace_id))
    except TimeoutError:
        pytest.fail("\n".join(found))
    return told


async def until_told(bootstrap: str, workspace_id: WorkspaceId) -> None:
    """Wait until there are figures of the workspace, whichever."""
    async with asyncio.timeout(DEADLINE_S):
        while not await told_windows(bootstrap, workspace_id):
            await asyncio.sleep(POLL_S)


def fresh_workspace() -> WorkspaceId:
    return WorkspaceId(f"ws-{uuid.uuid4().hex}")


async def test_figures_equal_a_recount_though_the_process_is_killed_and_events_come_twice(
    kafka: KafkaConnection, live_metrics: LiveMetricsProcess
) -> None:
    chance = Random(7)
    workspace_id, began = fresh_workspace(), datetime.now(UTC) - timedelta(seconds=100)
    chats = [
        any_chat(workspace_id, began + timedelta(milliseconds=chance.randint(0, 60_000)), chance)
        for _ in range(CHATS)
    ]
    envelopes = sorted((each for chat in chats for each in chat.envelopes), key=lambda each: each.time)
    third = len(envelopes) // 3

    await tell(kafka, envelopes[:third])
    await live_metrics.start()
    await tell(kafka, [*envelopes[third // 2 : third], *envelopes[third : 2 * third]])
    await until_told(kafka.bootstrap, workspace_id)
    await live_metrics.kill()
    await tell(kafka, [*envelopes[2 * third :], *envelopes[third : third + 30]])
    await live_metrics.start()
    await tell(kafka, envelopes[:30])

    told = await until_right(kafka.bootstrap, workspace_id)
    assert sum(window["requested"] for window in told.values()) == CHATS
    assert any(window["queue_length"] for window in told.values())
    assert any(window["service_level_breaches"] for window in told.values())
    assert await live_metrics.stop() == 0


async def test_a_late_event_corrects_the_window_it_belongs_to(
    kafka: KafkaConnection, live_metrics: LiveMetricsProcess
) -> None:
    workspace_id, began = fresh_workspace(), datetime.now(UTC) - timedelta(seconds=60)
    chat = ToldChat(workspace_id, began).offered(began + timedelta(seconds=1))
    chat.accepted(began + timedelta(seconds=15))
    await live_metrics.start()
    await tell(kafka, [chat.envelopes[0], chat.envelopes[2]])
    await until_right(kafka.bootstrap, workspace_id)
    await tell(kafka, [chat.envelopes[1]])
    told = await until_right(kafka.bootstrap, workspace_id)
    assert sum(window["offered"] for window in told.values()) == 1
    async with asyncio.timeout(DEADLINE_S):
        while not await live_metrics.figure("rondo_waiting_chats"):
            await asyncio.sleep(POLL_S)
    assert await live_metrics.figure("rondo_live_metrics_delay_seconds") is not None
    # Killed right after it: the tables have what the topics had, and no window is told anew but right.
    await live_metrics.kill()
    chat.ended(datetime.now(UTC))
    await tell(kafka, chat.envelopes[3:])
    await live_metrics.start()
    await until_right(kafka.bootstrap, workspace_id)


async def test_processes_share_the_work_and_one_takes_over_from_another_that_is_killed(
    kafka: KafkaConnection, live_metrics: LiveMetricsProcess, second: LiveMetricsProcess
) -> None:
    chance = Random(11)
    began = datetime.now(UTC) - timedelta(seconds=70)
    workspaces = [fresh_workspace() for _ in range(4)]
    chats = [
        any_chat(
            chance.choice(workspaces), began + timedelta(milliseconds=chance.randint(0, 30_000)), chance
        )
        for _ in range(CHATS)
    ]
    envelopes = sorted((each for chat in chats for each in chat.envelopes), key=lambda each: each.time)
    third = len(envelopes) // 3
    await live_metrics.start()
    await tell(kafka, envelopes[:third])
    await second.start()
    await tell(kafka, envelopes[third : 2 * third])
    for workspace_id in workspaces:
        await until_told(kafka.bootstrap, workspace_id)
    await live_metrics.kill()
    await tell(kafka, [*envelopes[2 * third :], *envelopes[:30]])
    for workspace_id in workspaces:
        await until_right(kafka.bootstrap, workspace_id)
