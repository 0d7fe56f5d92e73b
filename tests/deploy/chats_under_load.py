"""Chats at a Rondo that is upgraded, drained or killed meanwhile: what its callers notice of it.

``python -m tests.deploy.chats_under_load URL ROOT_KEY SECONDS [WORKERS]`` plays whole chats, from
the request to the transcript, each beside a visitor's stream that resumes by itself. Every request that is
not answered as it should be at its first attempt is printed and counted; so is every stream that missed or
repeated a message. Half of the workers keep their connections, half open one for each request.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from rondo_common.tasks import end_tasks

MESSAGES = 12
MESSAGE_DELAY_S = 0.15
RETRY_DELAY_S = 0.3
WAIT_S = 60.0
REQUEST_TIMEOUT_S = 20.0
SILENCE_S_MAX = 45.0
RINGS = {"assignment.offered", "snapshot"}


@dataclass
class Tally:
    """What went well, and what did not."""

    done: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    def fail(self, kind: str, what: str) -> None:
        """Count a failure, and say at once what it was."""
        self.failed[kind] += 1
        print(f"{time.strftime('%X')} {kind}: {what}", flush=True)


class Caller:
    """Sends requests until each is answered as it should be."""

    def __init__(self, client: httpx.AsyncClient, tally: Tally) -> None:
        self._client = client
        self._tally = tally

    async def __call__(self, method: str, path: str, key: str, body: object = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": uuid.uuid4().hex}
        while True:
            try:
                answer = await self._client.request(method, path, headers=headers, json=body)
            except httpx.HTTPError as error:
                self._tally.fail(type(error).__name__, f"{method} {path}")
            else:
                if answer.is_success:
                    self._tally.done["requests"] += 1
                    return answer
                self._tally.fail(str(answer.status_code), f"{method} {path}: {answer.text[:200]}")
            await asyncio.sleep(RETRY_DELAY_S)


class Stream:
    """A live stream that comes back with its cursor whenever it ends."""

    def __init__(self, client: httpx.AsyncClient, path: str, token: str, tally: Tally) -> None:
        self._client = client
        self._path = path
        self._token = token
        self._tally = tally
        self._cursor: str | None = None
        self._changed = asyncio.Condition()
        self.events: list[tuple[str, str]] = []

    async def run(self) -> None:
        while True:
            try:
                await self._read()
                self._tally.done["streams ended in order"] += 1
            except httpx.HTTPError:
                self._tally.done["streams cut off"] += 1
                await asyncio.sleep(RETRY_DELAY_S)

    async def until(self, holds: Callable[[str, str], bool]) -> None:
        """Wait until an event's type and data are as asked for. Raises TimeoutError."""
        async with asyncio.timeout(WAIT_S), self._changed:
            await self._changed.wait_for(lambda: any(holds(*each) for each in self.events))

    async def _read(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        if self._cursor:
            headers["Last-Event-ID"] = self._cursor
        async with self._client.stream("GET", self._path, headers=headers) as answer:
            if not answer.is_success:
                self._tally.fail(f"stream {answer.status_code}", self._path)
                await asyncio.sleep(RETRY_DELAY_S)
                return
            event: dict[str, str] = {}
            async for line in answer.aiter_lines():
                if line and not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    event[name] = value
                elif not line and "data" in event:
                    await self._take(event)
                    event = {}

    async def _take(self, event: dict[str, str]) -> None:
        self._cursor = event.get("id", self._cursor)
        if event["event"] == "snapshot" and json.loads(event["data"])["data"].get("resumed") is False:
            self._tally.fail("stream not resumed", self._path)
        async with self._changed:
            self.events.append((event["event"], event["data"]))
            self._changed.notify_all()


@asynccontextmanager
async def _listening(
    client: httpx.AsyncClient, path: str, token: str, tally: Tally
) -> AsyncIterator[Stream]:
    stream = Stream(client, path, token, tally)
    task = asyncio.create_task(stream.run())
    try:
        yield stream
    finally:
        await end_tasks([task])


async def _chat(
    call: Caller, client: httpx.AsyncClient, key: str, agent: str, inbox: Stream, token: str, tally: Tally
) -> None:
    body = {"visitor": {"id": uuid.uuid4().hex}, "route": {"type": "agent", "agent_id": agent}}
    asked: dict[str, Any] = (await call("POST", "/v1/conversations", key, body)).json()
    chat = f"/v1/conversations/{asked['id']}"
    async with _listening(client, f"{chat}/stream", asked["visitor_token"], tally) as visitor:
        await inbox.until(lambda kind, data: kind in RINGS and asked["id"] in data)
        await call("POST", f"{chat}/accept", token)
        active = '"status": "active"', '"status":"active"'
        await visitor.until(
            lambda kind, data: kind == "assignment.accepted" or any(each in data for each in active)
        )
        sent = []
        for number in range(MESSAGES):
            who = token if number % 2 else asked["visitor_token"]
            message = {"client_message_id": str(number), "text": f"line {number}"}
            sent.append((await call("POST", f"{chat}/messages", who, message)).json()["id"])
            await asyncio.sleep(MESSAGE_DELAY_S)
        await visitor.until(lambda kind, data: kind == "message.posted" and sent[-1] in data)
        await call("POST", f"{chat}/end", token)
        await visitor.until(lambda kind, _: kind == "conversation.ended")
        posted = [data for kind, data in visitor.events if kind == "message.posted"]
    if [next((each for each in sent if each in data), "") for data in posted] != sent:
        tally.fail("stream lost or doubled", chat)
    await _until_written(call, f"{chat}/transcript", key)
    tally.done["chats"] += 1


async def _until_written(call: Caller, path: str, key: str) -> None:
    async with asyncio.timeout(WAIT_S):
        while True:
            text = (await call("GET", path, key)).text
            if all(f"line {number}" in text for number in range(MESSAGES)):
                return
            await asyncio.sleep(RETRY_DELAY_S)


async def _work(url: str, key: str, number: int, until: float, tally: Tally) -> None:
    limits = httpx.Limits(max_keepalive_connections=20 if number % 2 else 0)
    waits = httpx.Timeout(REQUEST_TIMEOUT_S, read=SILENCE_S_MAX)
    async with (
        httpx.AsyncClient(base_url=url, timeout=REQUEST_TIMEOUT_S, limits=limits) as client,
        httpx.AsyncClient(base_url=url, timeout=waits) as streams,
    ):
        call = Caller(client, tally)
        agent = f"agent-{number}"
        await call("PUT", f"/v1/agents/{agent}", key, {"name": agent, "email": f"{agent}@example.com"})
        token = (await call("POST", f"/v1/agents/{agent}/token", key, {"ttl_s": 3600})).json()["token"]
        async with _listening(streams, f"/v1/agents/{agent}/stream", token, tally) as inbox:
            await inbox.until(lambda kind, _: kind == "snapshot")
            while time.monotonic() < until:
                try:
                    await _chat(call, streams, key, agent, inbox, token, tally)
                except TimeoutError:
                    tally.fail("waited in vain", f"a chat of {agent}")


async def play(url: str, root_key: str, seconds: float, workers: int) -> Tally:
    """Play chats for as long as that, in a workspace made for it."""
    tally = Tally()
    async with httpx.AsyncClient(base_url=url, timeout=REQUEST_TIMEOUT_S) as client:
        workspace = {"id": f"load-{uuid.uuid4().hex[:8]}", "name": "Load"}
        made = await Caller(client, tally)("POST", "/v1/workspaces", root_key, workspace)
    until = time.monotonic() + seconds
    async with asyncio.TaskGroup() as together:
        for number in range(workers):
            together.create_task(_work(url, made.json()["api_key"], number, until, tally))
    return tally


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        seen = asyncio.run(
            play(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]) if sys.argv[4:] else 4)
        )
        print(json.dumps({"done": seen.done, "failed": seen.failed}, indent=1))
        sys.exit(1 if seen.failed else 0)
