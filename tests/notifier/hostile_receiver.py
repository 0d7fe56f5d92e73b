"""A webhook receiver on loopback that can be told to behave as badly as receivers do."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks.webhooks import Webhook

Behaviour = Callable[["Received", asyncio.StreamWriter], Awaitable[None]]
HEAD_BYTES_MAX = 64 * 1024


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    def verified(self, secret: str) -> dict[str, Any]:
        """The event, if its signature holds."""
        event: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return event


@dataclass
class Receiver:
    """Listens, and does with each request what ``behave`` says."""

    port: int = 0
    behave: dict[str, Behaviour] = field(default_factory=dict)
    """By path; what is not there is answered 200."""
    requests: list[Received] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    connections: int = 0

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Received]:
        return [each for each in self.requests if each.path == path]

    async def until(self, is_enough: Callable[[], bool], deadline_s: float = 30.0) -> None:
        """Return when it is, looked at with every request."""
        try:
            async with asyncio.timeout(deadline_s), self.arrived:
                await self.arrived.wait_for(is_enough)
        except TimeoutError:
            raise AssertionError(f"after {deadline_s} s: {len(self.requests)} requests") from None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                received = await _read(reader)
                async with self.arrived:
                    self.requests.append(received)
                    self.arrived.notify_all()
                await self.behave.get(received.path, ok)(received, writer)
                await writer.drain()
                if writer.is_closing():
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a free port. What it is in the middle of ends with it."""
    receiver = Receiver()
    serving: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await receiver.serve(reader, writer)
        finally:
            serving.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=HEAD_BYTES_MAX)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for each in serving:
            each.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(first.split(" ")[1], headers, body.decode())


# --- behaviours ----------------------------------------------------------------------------------


def answers(status: int, body: bytes = b"", *headers: str, length: int | None = None) -> Behaviour:
    """Answers so; ``length`` is what it says of the body's."""

    async def behave(_: Received, writer: asyncio.StreamWriter) -> None:
        said = len(body) if length is None else length
        lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {said}", *headers]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return behave


ok = answers(200, b"thanks")


async def hangs(_: Received, __: asyncio.StreamWriter) -> None:
    """Never answers."""
    await asyncio.get_running_loop().create_future()


async def closes(_: Received, writer: asyncio.StreamWriter) -> None:
    """Closes without a word."""
    writer.close()


async def lies_about_its_length(_: Received, writer: asyncio.StreamWriter) -> None:
    """Announces more than it sends, and closes."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nshort")
    await writer.drain()
    writer.close()


async def sends_more_than_it_says(_: Received, writer: asyncio.StreamWriter) -> None:
    """Announces less than it sends."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n" + b"x" * 5_000)


async def floods(_: Received, writer: asyncio.StreamWriter) -> None:
    """A body without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b"y" * 4096 + b"\r\n")
        await writer.drain()


async def drips_its_head(_: Received, writer: asyncio.StreamWriter) -> None:
    """A header, a byte at a time, without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while True:
        writer.write(b"z")
        await writer.drain()
        await asyncio.sleep(0.01)


async def drips_its_body(_: Received, writer: asyncio.StreamWriter) -> None:
    """A body, a byte at a time, without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while True:
        writer.write(b"z")
        await writer.drain()
        await asyncio.sleep(0.01)


async def talks_nonsense(_: Received, writer: asyncio.StreamWriter) -> None:
    """Is no HTTP server at all."""
    writer.write(b"220 mail.example.com ESMTP\r\n")
