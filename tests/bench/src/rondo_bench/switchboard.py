"""Rondo under load: routed chats a second, and how long from a request to the agent's ring."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

import aiohttp
from aiokafka import AIOKafkaConsumer

from rondo_bench.figures import Latency
from rondo_bench.load import at_once, steadily
from rondo_bench.routers import Log
from rondo_common.ids import WorkspaceId
from rondo_common.tasks import end_tasks

OFFERED = b"rondo.assignment.offered.v1"
SETTLE_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Workspace:
    """A workspace made for one run, with agents who never fill up."""

    http: aiohttp.ClientSession
    url: str
    id: str
    headers: dict[str, str]
    agents: list[str]

    async def ask(self) -> str:
        """Ask for a chat; the conversation's id."""
        body = {
            "visitor": {"first_name": "Ada", "email": "ada@example.com", "company": "Example"},
            "route": {"type": "round_robin"},
            "page": {"url": "https://example.com/pricing"},
            "answers": {"topic": "prices"},
        }
        async with self.http.post(
            f"{self.url}/v1/conversations", json=body, headers=self.headers
        ) as answer:
            answer.raise_for_status()
            return str((await answer.json())["id"])


@contextlib.asynccontextmanager
async def workspace(url: str, root_key: str, *, agents: int) -> AsyncIterator[Workspace]:
    """A fresh workspace; it is deleted afterwards."""
    root = {"Authorization": f"Bearer {root_key}"}
    workspace_id = f"bench-{uuid.uuid4().hex[:8]}"
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        body = {"id": workspace_id, "name": workspace_id}
        key = await _created(http, url, body, root)
        headers = {"Authorization": f"Bearer {key}"}
        async with http.patch(
            f"{url}/v1/workspace", json={"offer_timeout_s": 600}, headers=headers
        ) as answer:
            answer.raise_for_status()
        names = [f"agent-{number:03}" for number in range(agents)]
        for name in names:
            agent = {"name": name, "email": f"{name}@example.com", "capacity": 10_000}
            async with http.put(f"{url}/v1/agents/{name}", json=agent, headers=headers) as answer:
                answer.raise_for_status()
        yield Workspace(http, url, workspace_id, headers, names)
        async with http.delete(f"{url}/v1/workspaces/{workspace_id}", headers=root):
            pass


async def _created(
    http: aiohttp.ClientSession, url: str, body: dict[str, str], root: dict[str, str]
) -> str:
    """The API key of a new workspace, asked for again while Rondo is busy with the end of another."""
    async with asyncio.timeout(SETTLE_TIMEOUT_S):
        while True:
            async with http.post(f"{url}/v1/workspaces", json=body, headers=root) as answer:
                if answer.status != HTTPStatus.SERVICE_UNAVAILABLE:
                    answer.raise_for_status()
                    return str((await answer.json())["api_key"])
            await asyncio.sleep(1.0)


async def routed_per_second(
    bench: Workspace, bootstrap: str, *, chats: int, concurrency: int
) -> tuple[float, float]:
    """Chats a second from the first request to the last offer in the log; and requests a second."""
    async with _offers(bootstrap, bench.id) as offers:
        started = time.perf_counter()

        async def ask(_: int) -> None:
            await bench.ask()

        requested_s = await at_once(ask, total=chats, concurrency=concurrency)
        async with asyncio.timeout(SETTLE_TIMEOUT_S):
            await offers.reached(chats)
        return chats / (offers.last_at - started), chats / requested_s


@dataclass
class Rings:
    """When requests were sent and rung, by conversation; times of ``perf_counter`` and wall clock."""

    sent: dict[str, float] = field(default_factory=dict)
    rung: dict[str, tuple[float, float, float]] = field(default_factory=dict)


async def request_to_ring(bench: Workspace, *, per_second: float, seconds: float) -> dict[str, Latency]:
    """The time from sending a request to the ring on the agent's live stream, and its parts."""
    rings = Rings()

    async def ask(_: int) -> None:
        at, wall = time.perf_counter(), time.time()
        rings.sent[await bench.ask()] = at
        sent_wall.append((at, wall))

    sent_wall: list[tuple[float, float]] = []
    async with _listening(bench, rings):
        await steadily(ask, per_second=per_second, seconds=seconds)
    offset = sent_wall[0][1] - sent_wall[0][0]
    both = [(rings.sent[each], *rings.rung[each]) for each in rings.sent if each in rings.rung]
    return {
        "request_to_ring": Latency.of([rung - sent for sent, rung, _, _ in both]),
        "request_to_decision": Latency.of([decided - offset - sent for sent, _, decided, _ in both]),
        "decision_to_mailbox": Latency.of([mailed - decided for _, _, decided, mailed in both]),
        "mailbox_to_ring": Latency.of([rung + offset - mailed for _, rung, _, mailed in both]),
    }


async def offer_to_ring(bench: Workspace, log: Log, *, per_second: float, seconds: float) -> Latency:
    """The time from an offer, as its event has it, to the ring on the agent's live stream.

    The requests are put straight into the log, so that answering them is no part of the load.
    """
    rings = Rings()

    async def ask(_: int) -> None:
        await log.ask([WorkspaceId(bench.id)])

    offset = time.time() - time.perf_counter()
    async with _listening(bench, rings):
        await steadily(ask, per_second=per_second, seconds=seconds)
    return Latency.of([rung + offset - decided for rung, decided, _ in rings.rung.values()])


@contextlib.asynccontextmanager
async def _listening(bench: Workspace, rings: Rings) -> AsyncIterator[None]:
    """Every agent has a stream open; it stays a little for what is still under way."""
    streams = [asyncio.create_task(_listen(bench, agent, rings)) for agent in bench.agents]
    await asyncio.sleep(1.0)  # The streams' snapshots are not part of the figures.
    yield
    await asyncio.sleep(1.0)
    await end_tasks(streams)


async def _listen(bench: Workspace, agent: str, rings: Rings) -> None:
    async with bench.http.post(
        f"{bench.url}/v1/agents/{agent}/token", json={"ttl_s": 3600}, headers=bench.headers
    ) as answer:
        token = (await answer.json())["token"]
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{bench.url}/v1/agents/me/stream"
    timeout = aiohttp.ClientTimeout(total=None)
    async with bench.http.get(url, headers=headers, timeout=timeout) as stream:
        cursor = ""
        async for raw in stream.content:
            line = raw.decode().rstrip()
            if line.startswith("id:"):
                cursor = line[3:].strip()
            elif line.startswith("data:"):
                _note_ring(rings, cursor, json.loads(line[5:]))


def _note_ring(rings: Rings, cursor: str, event: dict[str, Any]) -> None:
    if event["type"] == "assignment.offered":
        decided = datetime.fromisoformat(event["occurred_at"]).timestamp()
        mailed = int(cursor.split("-", maxsplit=1)[0]) / 1000
        rings.rung[event["conversation_id"]] = (time.perf_counter(), decided, mailed)


class _Offers:
    """Counts a workspace's offers on the topic."""

    def __init__(self) -> None:
        self.count = 0
        self.last_at = 0.0
        self._more = asyncio.Event()

    def add(self) -> None:
        self.count += 1
        self.last_at = time.perf_counter()
        self._more.set()

    async def reached(self, count: int) -> None:
        while self.count < count:
            self._more.clear()
            await self._more.wait()


@contextlib.asynccontextmanager
async def _offers(bootstrap: str, workspace_id: str) -> AsyncIterator[_Offers]:
    consumer = AIOKafkaConsumer(
        "rondo.conversations", bootstrap_servers=bootstrap, enable_auto_commit=False
    )
    await consumer.start()
    await consumer.seek_to_end()
    offers = _Offers()

    async def count() -> None:
        async for record in consumer:
            headers = dict(record.headers)
            if headers["ce_type"] == OFFERED and headers["ce_rondoworkspace"] == workspace_id.encode():
                offers.add()

    task = asyncio.create_task(count())
    try:
        yield offers
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await consumer.stop()
