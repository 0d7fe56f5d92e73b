"""Conversations that talk both ways while processes die: both sides and the transcript are the same.

``RONDO_TEST_ENDURANCE`` says how many conversations (40 in the suite).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from httpx_sse import SSEError

from tests.e2e.client import Caller, Heard, Json, Workspace, at_most, new_workspace
from tests.e2e.conftest import RunningStack

CONVERSATIONS = int(os.environ.get("RONDO_TEST_ENDURANCE", "40"))
AT_ONCE = 32
MESSAGES_A_SIDE = 12
AGENTS = 8
VICTIMS = ("gateway-2", "notifier", "gateway", "history", "gateway-2", "gateway")
DEADLINE_S = 300.0
RETRY_S = 0.2
PAUSE_S = 0.15
"""Between two messages of a side, so that a talk lasts through the strikes."""
TEXTS = ("hello", "👩‍💻 ä", "مرحبا", "zero\u200bwidth", "<script>alert(1)</script>", "'; DROP TABLE x; --")

pytestmark = [
    pytest.mark.usefixtures("dead_gateways"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.timeout(900),
]


class Gateways:
    """Two gateways; who finds one dead goes to the other, as behind a balancer."""

    def __init__(self, running: RunningStack) -> None:
        self._urls = [running.url("gateway"), running.url("gateway-2")]
        self._turn = random.Random(7)

    def any(self, path: str) -> str:
        return self._turn.choice(self._urls) + path

    async def persistently(self, caller: Caller, method: str, path: str, body: object = None) -> Json:
        """Call as an integrator should: repeat what was not answered."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    answer = await caller.call(method, self.any(path), body)
                    if answer.status_code < 500 and answer.status_code != 202:
                        assert answer.is_success, (method, path, answer.text)
                        result: Json = answer.json() if answer.content else {}
                        return result
                await asyncio.sleep(RETRY_S)


class Ear:
    """A reader who comes back with their cursor, to any gateway, as often as it takes."""

    def __init__(self, gateways: Gateways, caller: Caller, path: str) -> None:
        self._gateways = gateways
        self._caller = caller
        self._path = path
        self._cursor: str | None = None
        self.said: defaultdict[str, list[str]] = defaultdict(list)
        self.heard: list[str] = []
        self.connections = 0
        self.is_there = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Ear]:
        task = asyncio.create_task(self._listen())
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self.is_there.wait()
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(httpx.TransportError, SSEError, StopAsyncIteration, AssertionError):
                await self._listen_once()
            await asyncio.sleep(RETRY_S)

    async def _listen_once(self) -> None:
        async with self._caller.stream(self._gateways.any(self._path), self._cursor) as events:
            self.connections += 1
            while True:
                self._take(await events.next())

    def _take(self, told: Heard) -> None:
        if told.type == "stream.closed":
            return
        if told.type == "snapshot":
            self.heard += ["repeated snapshot"] if self.is_there.is_set() else []
            self.is_there.set()
        elif told.type == "message.posted":
            self.heard.append(told.cursor)
            self.said[told.event["conversation_id"]].append(told.data["id"])
        self._cursor = told.cursor or self._cursor


async def test_while_processes_die_both_sides_and_the_transcript_stay_the_same(
    root: Caller, running: RunningStack
) -> None:
    workspace = await new_workspace(root)
    names = [f"agent-{number}" for number in range(AGENTS)]
    await workspace.agents(*names, capacity=10_000)
    gateways = Gateways(running)
    tokens = {name: await workspace.agent(name) for name in names}
    talking = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        desks = {
            name: await stack.enter_async_context(Ear(gateways, token, "/v1/agents/me/stream").open())
            for name, token in tokens.items()
        }
        deaf = await _who_never_reads(running, tokens[names[0]])
        talks = [
            _talk(workspace, gateways, name, tokens[name], desks[name], talking)
            for name in (names[number % AGENTS] for number in range(CONVERSATIONS))
        ]
        striking = asyncio.create_task(_strike(running, talking))
        async with asyncio.timeout(DEADLINE_S * 2):
            await at_most(AT_ONCE, talks)
        await striking
        deaf.close()
        await deaf.wait_closed()
        for desk in desks.values():
            assert len(set(desk.heard)) == len(desk.heard), "an agent was told something twice"
        assert sum(desk.connections for desk in desks.values()) > AGENTS, "nobody had to come back"


async def _talk(
    workspace: Workspace,
    gateways: Gateways,
    name: str,
    agent: Caller,
    desk: Ear,
    talking: asyncio.Event,
) -> None:
    ask = {"route": {"type": "agent", "agent_id": name}, "visitor": {"first_name": "Ada"}}
    asked = await _asked(workspace, gateways, ask)
    path = f"/v1/conversations/{asked['id']}"
    visitor = workspace.bearer(asked["visitor_token"])
    await _until(lambda: _has_status(gateways, workspace, path, "offered"))
    await gateways.persistently(agent, "POST", f"{path}/accept")
    async with Ear(gateways, visitor, f"{path}/stream").open() as ear:
        talking.set()
        said = await asyncio.gather(_say(gateways, agent, path, "a"), _say(gateways, visitor, path, "v"))
        expected = {each["id"]: each["text"] for side in said for each in side}
        await _until(lambda: _all_heard(ear, asked["id"], len(expected)))
        await _until(lambda: _all_heard(desk, asked["id"], len(expected)))
    await gateways.persistently(workspace, "POST", f"{path}/end")
    transcript = await _transcript(workspace, gateways, path)
    lines = [line for line in transcript["lines"] if line["type"] == "message"]
    assert ear.said[asked["id"]] == desk.said[asked["id"]]
    assert len(ear.said[asked["id"]]) == len(expected) == 2 * MESSAGES_A_SIDE
    assert len(set(ear.heard)) == len(ear.heard)
    assert [line["text"] for line in lines] == [expected[each] for each in ear.said[asked["id"]]]
    for side in said:
        order = [each for each in ear.said[asked["id"]] if each in {one["id"] for one in side}]
        assert order == [each["id"] for each in side], "a side's words changed places"


async def _asked(workspace: Workspace, gateways: Gateways, body: Json) -> Json:
    key = os.urandom(8).hex()
    while True:
        with contextlib.suppress(httpx.TransportError):
            url = gateways.any("/v1/conversations")
            answer = await workspace.call("POST", url, body, headers={"Idempotency-Key": key})
            if answer.status_code == 202:
                result: Json = answer.json()
                return result
        await asyncio.sleep(RETRY_S)


async def _say(gateways: Gateways, caller: Caller, path: str, side: str) -> list[Json]:
    said = []
    for number in range(MESSAGES_A_SIDE):
        message = {
            "client_message_id": f"{side}-{number}",
            "text": f"{number} {TEXTS[number % len(TEXTS)]}",
        }
        said.append(await gateways.persistently(caller, "POST", f"{path}/messages", message))
        await asyncio.sleep(PAUSE_S)
    return said


async def _strike(running: RunningStack, talking: asyncio.Event) -> None:
    await talking.wait()
    for victim in VICTIMS:
        running.kill(victim)
        await running.heal()


async def _who_never_reads(running: RunningStack, agent: Caller) -> asyncio.StreamWriter:
    """A client that opens a stream and reads nothing of it, ever."""
    at = urlsplit(running.url("gateway"))
    reader, writer = await asyncio.open_connection(at.hostname, at.port, limit=1)
    del reader
    credential = agent.headers["Authorization"]
    writer.write(
        f"GET /v1/agents/me/stream HTTP/1.1\r\nHost: rondo\r\nAuthorization: {credential}\r\n\r\n".encode()
    )
    await writer.drain()
    return writer


async def _has_status(gateways: Gateways, workspace: Workspace, path: str, status: str) -> bool:
    return bool((await gateways.persistently(workspace, "GET", path))["status"] == status)


async def _all_heard(ear: Ear, conversation_id: str, count: int) -> bool:
    return len(ear.said[conversation_id]) >= count


async def _transcript(workspace: Workspace, gateways: Gateways, path: str) -> Json:
    found: list[Json] = []

    async def is_complete() -> bool:
        transcript = await gateways.persistently(workspace, "GET", f"{path}/transcript")
        found.append(transcript)
        return any(line.get("event") == "conversation.ended" for line in transcript["lines"])

    await _until(is_complete)
    return found[-1]


async def _until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not await is_so():
            await asyncio.sleep(RETRY_S / 4)
