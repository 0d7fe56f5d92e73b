"""Rondo on three Kafka nodes, two of every service, once for the tests that lose or replace some of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from rondo_local import process
from rondo_local.layout import Layout
from rondo_local.stack import Stack
from tests.load.chats import Load, playing
from tests.load.front import Front, in_front_of

BROKERS = ("kafka", "kafka-2", "kafka-3")
GATEWAYS = ("gateway", "gateway-2")
COUNTS = {
    "BROKERS": "3",
    "GATEWAYS": "2",
    "ROUTERS": "2",
    "NOTIFIERS": "2",
    "HISTORIES": "2",
    "LIVE_METRICS": "1",
}
HOUSES = 2
CHAIRS = 1


@dataclass
class Cluster:
    """The stack, and what happens to its processes."""

    stack: Stack
    env: dict[str, str]

    def pid(self, name: str) -> int:
        return int(self.stack.layout.pid_file(name).read_text(encoding="utf-8").split()[0])

    def url(self, name: str) -> str:
        state = json.loads(self.stack.layout.state_file.read_text(encoding="utf-8"))
        return f"http://127.0.0.1:{state['ports'][name]}"

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(self.pid(name), number)

    async def heal(self) -> None:
        """Start what is down. Topics and schema are there."""
        await replace(self.stack, steps=()).up()

    async def replace(self, names: Iterable[str]) -> None:
        """Tell processes to end, as a rollout does, wait until they have by themselves, and start anew."""
        killed = await process.stop(self.stack.layout, names)
        assert killed == [], f"{killed} did not end in time"
        await self.heal()

    @asynccontextmanager
    async def load(self) -> AsyncIterator[tuple[Front, Load]]:
        """Chats through what stands before the gateways, while the body runs."""
        async with in_front_of([self.url(name) for name in GATEWAYS]) as front:
            root_key = self.env["RONDO_ROOT_KEY"]
            async with playing(front, root_key, houses=HOUSES, chairs=CHAIRS) as load:
                yield front, load


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    layout = Layout(root=Path(tmp_path_factory.mktemp("brokers")), jars=Layout.of_checkout().jars)
    stack = Stack(layout, {**os.environ, **COUNTS}, lambda name, line: print(f"{name:<14} {line}"))
    env = asyncio.run(stack.up())
    try:
        yield Cluster(stack, env)
    finally:
        asyncio.run(stack.down())
