"""What an installation needs: processor, memory and disk of whole chats and of open streams, by process.

``make sizing`` prints the figures that docs/operations/sizing.md is made of. They are of one machine; what
holds elsewhere is how they stand to each other.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import uvloop
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from rondo_bench.listeners import listening
from rondo_bench.load import steadily
from rondo_bench.processes import cpu_s, resident_kib
from rondo_bench.streams import agent_tokens
from rondo_bench.switchboard import Workspace, workspace
from rondo_common.tasks import end_tasks
from rondo_local.env_file import read_env
from rondo_local.layout import Layout
from rondo_local.stack import Stack

AGENTS = 100
CHATS_PER_SECOND = 4.0
CHATS_S = 120.0
WARM_S = 10.0
MESSAGES = 10
STREAMS = 5_000
IDLE_S = 60.0
SETTLE_S = 5.0
HOUR_S = 3600
KIB = 1024


@dataclass(frozen=True, slots=True)
class Span:
    """What each process used in some seconds, and the memory it holds at their end."""

    seconds: float
    cpu_s: dict[str, float]
    resident_kib: dict[str, int]

    def cores(self, name: str) -> float:
        """How many processors it kept busy."""
        return self.cpu_s[name] / self.seconds


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands on disk and in Redis, in bytes."""

    kafka: int
    postgres: int
    redis: int


@dataclass(frozen=True)
class Measured:
    """The stack that is measured."""

    stack: Stack
    env: dict[str, str]

    async def during(self, doing: Awaitable[None]) -> Span:
        """What every process uses while something is done."""
        before, started = self._cpu_s(), time.monotonic()
        await doing
        seconds, after = time.monotonic() - started, self._cpu_s()
        used = {name: after[name] - before[name] for name in after}
        return Span(seconds, used, {name: resident_kib(pid) for name, pid in self._pids().items()})

    async def kept(self) -> Kept:
        """What is stored now."""
        log = self.stack.layout.data / "kafka" / "log"
        postgres = await asyncpg.connect(self.env["RONDO_POSTGRES_DSN"])
        redis = Redis.from_url(self.env["RONDO_REDIS_URL"])
        try:
            return Kept(
                sum(each.stat().st_size for each in log.glob("rondo.*/*.log")),
                await postgres.fetchval("SELECT pg_database_size(current_database())"),
                (await redis.info("memory"))["used_memory"],
            )
        finally:
            await postgres.close()
            await redis.aclose()

    def _pids(self) -> dict[str, int]:
        return {each.name: each.pid for each in self.stack.status() if each.pid is not None}

    def _cpu_s(self) -> dict[str, float]:
        return {name: cpu_s(pid) for name, pid in self._pids().items()}


async def main(console: Console) -> None:
    """Measure on the running stack, and print."""
    layout = Layout.of_checkout()
    measured = Measured(Stack(layout, {}, lambda _name, _line: None), read_env(layout.env_file))
    url, root_key = measured.env["RONDO_URL"], measured.env["RONDO_ROOT_KEY"]
    async with workspace(url, root_key, agents=AGENTS) as bench:
        tokens = await agent_tokens(bench)
        async with _answering(bench, tokens):
            await _chats(bench, WARM_S)
            console.print("[dim]agents who wait for chats[/]")
            idle = await measured.during(asyncio.sleep(IDLE_S))
            console.print(f"[dim]whole chats of {MESSAGES} messages[/]")
            before = await measured.kept()
            chats = await measured.during(_chats(bench, CHATS_S))
            await asyncio.sleep(SETTLE_S)
            after = await measured.kept()
        console.print(f"[dim]{STREAMS} idle streams[/]")
        bare = await measured.during(asyncio.sleep(SETTLE_S))
        async with _many_streams(bench, tokens):
            streams = await measured.during(asyncio.sleep(IDLE_S))
    console.print(_table(idle, chats, bare, streams))
    console.print(_storage(before, after))


@asynccontextmanager
async def _answering(bench: Workspace, tokens: dict[str, str]) -> AsyncIterator[None]:
    """Every agent has a stream open, and accepts whatever rings."""
    tasks = [asyncio.create_task(_answer(bench, token)) for token in tokens.values()]
    await asyncio.sleep(SETTLE_S)
    yield
    await end_tasks(tasks)


async def _answer(bench: Workspace, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{bench.url}/v1/agents/me/stream"
    async with bench.http.get(url, headers=headers, timeout=aiohttp.ClientTimeout(total=None)) as stream:
        async for raw in stream.content:
            if raw.startswith(b"data:"):
                event = json.loads(raw[5:])
                if event["type"] == "assignment.offered":
                    await _talk(bench, event["conversation_id"], headers)


async def _talk(bench: Workspace, conversation_id: str, agent: dict[str, str]) -> None:
    """Accept, say as much as the visitor says, and end it."""
    url = f"{bench.url}/v1/conversations/{conversation_id}"
    await _post(bench, f"{url}/accept", agent, None)
    for number in range(MESSAGES):
        who = agent if number % 2 else bench.headers
        text = "A sentence or two is what people write to each other when they talk about prices."
        body = {"client_message_id": f"m-{number}", "text": text}
        await _post(bench, f"{url}/messages", who, body)
    await _post(bench, f"{url}/end", agent, None)


async def _post(bench: Workspace, url: str, headers: dict[str, str], body: Any) -> None:
    async with bench.http.post(url, json=body, headers=headers) as answer:
        answer.raise_for_status()


async def _chats(bench: Workspace, seconds: float) -> None:
    """Chats at a steady pace, each read by its website's backend when it is over."""

    async def chat(_: int) -> None:
        url = f"{bench.url}/v1/conversations/{await bench.ask()}"
        while True:
            async with bench.http.get(url, headers=bench.headers) as answer:
                if (await answer.json())["status"] == "ended":
                    break
            await asyncio.sleep(1.0)
        async with bench.http.get(f"{url}/transcript", headers=bench.headers) as answer:
            answer.raise_for_status()

    await steadily(chat, per_second=CHATS_PER_SECOND, seconds=seconds)


@asynccontextmanager
async def _many_streams(bench: Workspace, tokens: dict[str, str]) -> AsyncIterator[None]:
    at = urlsplit(bench.url)
    some = [("/v1/agents/me/stream", token) for token in tokens.values()]
    streams = (some * (STREAMS // len(some) + 1))[:STREAMS]
    async with listening(str(at.hostname), int(at.port or 0), streams):
        await asyncio.sleep(SETTLE_S)
        yield


def _table(idle: Span, chats: Span, bare: Span, streams: Span) -> Table:
    an_hour = CHATS_PER_SECOND * HOUR_S / 1000
    table = Table(title="Processors and memory, by process", title_justify="left")
    for heading in (
        "process",
        "idle: cores",
        "1,000 chats an hour: cores",
        "memory after them, MiB",
        "1,000 idle streams: cores",
        "1,000 idle streams: MiB",
    ):
        table.add_column(heading, justify="left" if heading == "process" else "right")
    for name in sorted(idle.cpu_s):
        more_kib = streams.resident_kib[name] - bare.resident_kib[name]
        table.add_row(
            name,
            f"{idle.cores(name):.3f}",
            f"{max(0.0, chats.cores(name) - idle.cores(name)) / an_hour:.4f}",
            f"{chats.resident_kib[name] / KIB:.0f}",
            f"{max(0.0, streams.cores(name) - bare.cores(name)) / STREAMS * 1000:.4f}",
            f"{max(0, more_kib) / KIB / STREAMS * 1000:.1f}",
        )
    return table


def _storage(before: Kept, after: Kept) -> str:
    count = int(CHATS_PER_SECOND * CHATS_S)
    each = {
        "Kafka, of each replica": after.kafka - before.kafka,
        "PostgreSQL": after.postgres - before.postgres,
        "Redis": after.redis - before.redis,
    }
    lines = (f"{name}: {more / count / KIB:.1f} KiB a chat" for name, more in each.items())
    return "\n".join(lines)


if __name__ == "__main__":
    uvloop.run(main(Console(width=120)))
