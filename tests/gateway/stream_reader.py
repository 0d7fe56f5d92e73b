"""Reads a live stream of an ASGI application event by event, with a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message

DEADLINE_S = 60.0


@dataclass(frozen=True)
class Heard:
    """One event. ``event`` is its data, read as JSON."""

    cursor: str
    type: str
    event: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = self.event["data"]
        return data


class StreamReader:
    """One connection. Takes what is sent only as fast as the test reads."""

    def __init__(self, app: ASGIApp, path: str, headers: dict[str, str], query: str = "") -> None:
        self._app = app
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "server": ("gateway", 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        self._sent: asyncio.Queue[Message] = asyncio.Queue(maxsize=1)
        self._has_left = asyncio.Event()
        self._text = ""
        self.comments = 0
        self.retry_ms: int | None = None
        self.is_over = False
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> Message:
        """Connect; the response's start."""
        self.task = asyncio.create_task(self._run())
        return await self._next_message()

    def leave(self) -> None:
        """Close the connection."""
        self._has_left.set()

    async def next(self) -> Heard | None:
        """The next event; None at the stream's end."""
        while not self.is_over or "\n\n" in self._text:
            head, found, self._text = self._text.partition("\n\n")
            if found:
                return self._read(head)
            self._text = head
            await self._receive()
        return None

    async def take(self, count: int) -> list[Heard]:
        """The next events."""
        heard = [await self.next() for _ in range(count)]
        return [each for each in heard if each is not None]

    async def beats(self, count: int) -> None:
        """Wait for so many heartbeats."""
        while self.comments + self._text.count("\n:") + self._text.startswith(":") < count:
            await self._receive()

    async def _receive(self) -> None:
        message = await self._next_message()
        self._text += message.get("body", b"").decode()
        self.is_over = not message.get("more_body", False)

    async def _next_message(self) -> Message:
        async with asyncio.timeout(DEADLINE_S):
            return await self._sent.get()

    def _read(self, block: str) -> Heard:
        fields: dict[str, str] = {}
        for line in block.splitlines():
            name, _, value = line.partition(":")
            if name:
                fields[name] = value.strip()
            else:
                self.comments += 1
        if "retry" in fields:
            self.retry_ms = int(fields["retry"])
        return Heard(fields.get("id", ""), fields["event"], json.loads(fields["data"]))

    async def _run(self) -> None:
        is_asked = False

        async def receive() -> Message:
            nonlocal is_asked
            if not is_asked:
                is_asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await self._has_left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if not self._has_left.is_set():
                await self._sent.put(message)

        await self._app(self._scope, receive, send)


@contextlib.asynccontextmanager
async def reading(
    app: ASGIApp, path: str, headers: dict[str, str], query: str = ""
) -> AsyncIterator[StreamReader]:
    """An open stream, left at the end."""
    reader = StreamReader(app, path, headers, query)
    start = await reader.start()
    assert start["status"] == 200, start
    try:
        yield reader
    finally:
        reader.leave()
        while not reader._sent.empty():
            reader._sent.get_nowait()
        assert reader.task is not None
        async with asyncio.timeout(DEADLINE_S):
            await reader.task
