"""Whoever listens to a live stream, over SSE or a WebSocket, and comes back where they left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import quote

import httpx
from httpx_sse import aconnect_sse
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.e2e.client import Caller, Heard
from tests.load.front import Front

COME_BACK_S = 0.1
HEAR_DEADLINE_S = 120.0
SNAPSHOT = "snapshot"

Notice = Callable[[Heard], Awaitable[None]]


class Gap(AssertionError):
    """The stream could not go on where its reader left."""


class Ear:
    """What one reader heard, in order, over however many connections."""

    def __init__(self, path: str, caller: Caller, notice: Notice | None = None) -> None:
        self.heard: list[Heard] = []
        self.connections = 0
        self._path = path
        self._caller = caller
        self._notice = notice
        self._cursor: str | None = None
        self._news = asyncio.Condition()

    async def until(self, known: Callable[[Heard], bool], what: str) -> Heard:
        """Wait until something of that kind was heard, also before."""
        try:
            async with asyncio.timeout(HEAR_DEADLINE_S), self._news:
                await self._news.wait_for(lambda: any(map(known, self.heard)))
        except TimeoutError:
            told = [each.type for each in self.heard]
            raise AssertionError(f"{self._path} did not tell {what}; it told {told}") from None
        return next(filter(known, self.heard))

    async def listen(self) -> None:
        """Follow the stream over SSE until cancelled."""
        while True:
            headers = dict(self._caller.headers)
            if self._cursor is not None:
                headers["Last-Event-ID"] = self._cursor
            try:
                async with aconnect_sse(
                    self._caller.http,
                    "GET",
                    f"{self._path}/stream",
                    headers=headers,
                    timeout=httpx.Timeout(HEAR_DEADLINE_S, read=None),
                ) as source:
                    self._count(source.response.status_code)
                    if source.response.is_success:
                        async for sse in source.aiter_sse():
                            if sse.data:
                                await self._take(sse.id, json.loads(sse.data))
            except httpx.TransportError:
                pass  # Its gateway died: as after any other end, they come back.
            await asyncio.sleep(COME_BACK_S)

    async def listen_by_socket(self, front: Front) -> None:
        """Follow the stream over a WebSocket until cancelled."""
        token = self._caller.headers["Authorization"].removeprefix("Bearer ")
        while True:
            base = await front.next_url()
            place = f"&last_event_id={self._cursor}" if self._cursor else ""
            url = f"ws://{base.host}:{base.port}{self._path}/socket?access_token={quote(token)}{place}"
            try:
                async with connect(url, compression=None, proxy=None) as socket:
                    self._count(200)
                    async for frame in socket:
                        event = json.loads(frame)
                        await self._take(event.pop("cursor"), event)
            except (ConnectionClosed, InvalidHandshake, OSError):
                pass
            await asyncio.sleep(COME_BACK_S)

    def _count(self, status: int) -> None:
        assert status in {200, 503}, f"{self._path}: {status}"
        self.connections += 1

    async def _take(self, cursor: str | None, event: dict[str, object]) -> None:
        heard = Heard(cursor or "", str(event["type"]), event)
        if heard.type == SNAPSHOT and self._cursor is not None:
            raise Gap(f"{self._path}: a snapshot instead of what came after {self._cursor}")
        if cursor:
            self._cursor = cursor
        async with self._news:
            self.heard.append(heard)
            self._news.notify_all()
        if self._notice is not None:
            await self._notice(heard)

    def told(self, conversation_id: str, kinds: Iterable[str]) -> list[tuple[str, str]]:
        """The types and ids of the events of these kinds in a conversation, as they were heard."""
        wanted = set(kinds)
        return [
            (each.type, each.event["id"])
            for each in self.heard
            if each.type in wanted and each.event.get("conversation_id") == conversation_id
        ]
