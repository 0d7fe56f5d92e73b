"""Rondo as its callers see it: a small client of the public API for the end-to-end tests."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from httpx_sse import EventSource, aconnect_sse

DEADLINE_S = 60.0
POLL_S = 0.02

Json = dict[str, Any]
Result = TypeVar("Result")


@dataclass
class Caller:
    """Somebody with a credential."""

    http: httpx.AsyncClient
    headers: dict[str, str]

    async def call(
        self, method: str, path: str, body: object = None, *, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return await self.http.request(method, path, json=body, headers={**self.headers, **(headers or {})})

    async def get(self, path: str) -> Json:
        return _good(await self.call("GET", path))

    async def post(self, path: str, body: object = None) -> Json:
        return _good(await self.call("POST", path, body))

    async def put(self, path: str, body: object) -> Json:
        return _good(await self.call("PUT", path, body))

    def bearer(self, token: str) -> Caller:
        return Caller(self.http, {"Authorization": f"Bearer {token}"})

    @asynccontextmanager
    async def stream(self, path: str, last_event_id: str | None = None) -> AsyncIterator[Events]:
        headers = dict(self.headers)
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        timeout = httpx.Timeout(DEADLINE_S, read=None)
        async with aconnect_sse(self.http, "GET", path, headers=headers, timeout=timeout) as source:
            assert source.response.status_code == 200, await source.response.aread()
            yield Events(source)


@dataclass(frozen=True)
class Heard:
    """One event of a live stream."""

    cursor: str
    type: str
    event: Json

    @property
    def data(self) -> Json:
        data: Json = self.event["data"]
        return data


class Events:
    """A live stream, read with a deadline."""

    def __init__(self, source: EventSource) -> None:
        self._events = source.aiter_sse()

    async def next(self) -> Heard:
        async with asyncio.timeout(DEADLINE_S):
            while not (sse := await anext(self._events)).data:
                pass  # A heartbeat.
        return Heard(sse.id, sse.event, json.loads(sse.data))

    async def until(self, kind: str) -> Heard:
        while (heard := await self.next()).type != kind:
            pass
        return heard

    async def take(self, count: int) -> list[Heard]:
        return [await self.next() for _ in range(count)]


@dataclass
class Workspace(Caller):
    """A workspace of its own for one test, as its website's backend sees it."""

    id: str = field(default="")

    async def agents(self, *names: str, **fields: object) -> None:
        for name in names:
            body = {"name": name.title(), "email": f"{name}@example.com", **fields}
            await self.put(f"/v1/agents/{name}", body)

    async def agent(self, name: str) -> Caller:
        token = await self.post(f"/v1/agents/{name}/token", {"ttl_s": 3600})
        return self.bearer(token["token"])

    async def ask(self, *, to: str | None = None, key: str | None = None, **fields: object) -> Json:
        route = {"type": "agent", "agent_id": to} if to else {"type": "round_robin"}
        body = {"visitor": {"first_name": "Ada", "email": "ada@example.com"}, "route": route, **fields}
        headers = {"Idempotency-Key": key} if key else {}
        response = await self.call("POST", "/v1/conversations", body, headers=headers)
        assert response.status_code == 202, response.text
        answer: Json = response.json()
        return answer

    async def conversation(self, conversation_id: str) -> Json:
        return await self.get(f"/v1/conversations/{conversation_id}")

    async def until(self, conversation_id: str, *statuses: str) -> Json:
        async def reached() -> Json | None:
            conversation = await self.conversation(conversation_id)
            return conversation if conversation["status"] in statuses else None

        return await eventually(reached, f"{conversation_id} to be {' or '.join(statuses)}")

    async def settled(self, conversation_id: str) -> Json:
        return await self.until(conversation_id, "offered", "active", "ended", "fell_back", "withdrawn")

    async def connected(self, name: str) -> tuple[Json, Caller, Caller]:
        """A conversation that ``name`` accepted; and the agent and the visitor in it."""
        conversation = await self.ask(to=name)
        await self.until(conversation["id"], "offered")
        agent = await self.agent(name)
        await agent.post(f"/v1/conversations/{conversation['id']}/accept")
        return conversation, agent, self.bearer(conversation["visitor_token"])

    async def transcript(self, conversation_id: str, *, messages: int) -> Json:
        """The transcript, once it has that many messages and the end of the conversation."""

        async def complete() -> Json | None:
            response = await self.call("GET", f"/v1/conversations/{conversation_id}/transcript")
            if response.status_code != 200:
                return None
            transcript: Json = response.json()
            said = [line for line in transcript["lines"] if line["type"] == "message"]
            over = any(line.get("event") == "conversation.ended" for line in transcript["lines"])
            return transcript if len(said) >= messages and over else None

        return await eventually(complete, f"{messages} messages in the transcript")


async def new_workspace(root: Caller, **settings: object) -> Workspace:
    workspace_id = f"t-{uuid.uuid4().hex[:10]}"
    made = await root.post("/v1/workspaces", {"id": workspace_id, "name": workspace_id})
    headers = {"Authorization": f"Bearer {made['api_key']}"}
    workspace = Workspace(root.http, headers, workspace_id)
    if settings:
        response = await workspace.call("PATCH", "/v1/workspace", settings)
        assert response.status_code == 200, response.text
    return workspace


async def eventually(look: Callable[[], Awaitable[Result | None]], what: str) -> Result:
    """Look again and again until there is something; fail with ``what`` after the deadline."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            while (found := await look()) is None:
                await asyncio.sleep(POLL_S)
            return found
    except TimeoutError:
        raise AssertionError(f"waited {DEADLINE_S:.0f} s in vain for {what}") from None


async def at_most(limit: int, calls: Iterable[Awaitable[Result]]) -> list[Result]:
    """Await all, at most ``limit`` at a time."""
    places = asyncio.Semaphore(limit)

    async def one(call: Awaitable[Result]) -> Result:
        async with places:
            return await call

    return await asyncio.gather(*(one(call) for call in calls))


def _good(response: httpx.Response) -> Json:
    assert response.is_success, f"{response.request.method} {response.url}: {response.text}"
    body: Json = response.json() if response.content else {}
    return body
