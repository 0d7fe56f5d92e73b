"""Many readers of live streams in a process of their own, so that only the gateway's memory is measured.

Run as a module it reads its order from standard input, opens every stream, says so, and then tells for each
message when the first and the last of its readers had it, in seconds of the clock that all processes share.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import uvloop

OPENED_AT_ONCE = 200
OPEN_TIMEOUT_S = 120.0
SNAPSHOT = b"event: snapshot\n"
POSTED = b"event: message.posted\n"


@dataclass(frozen=True, slots=True)
class Spread:
    """When the first and the last reader had a message."""

    first_s: float
    last_s: float


class Listeners:
    """The readers, as those who started them see them."""

    def __init__(self, lines: asyncio.StreamReader) -> None:
        self._lines = lines

    async def next(self) -> Spread:
        """Wait until everybody has the next message."""
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            told = json.loads(await self._lines.readline())
        return Spread(told["first_s"], told["last_s"])


@contextlib.asynccontextmanager
async def listening(host: str, port: int, streams: Sequence[tuple[str, str]]) -> AsyncIterator[Listeners]:
    """Readers of ``streams``, each a path and a credential. On entry all of them have their snapshot."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rondo_bench.listeners",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps({"host": host, "port": port, "streams": list(streams)}).encode())
        await process.stdin.drain()
        process.stdin.close()
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            line = await process.stdout.readline()
        if not line:
            raise RuntimeError("the streams could not be opened; the reason stands above")
        yield Listeners(process.stdout)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        await process.wait()


class _Crowd:
    """What all readers of this process have so far."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._snapshots = 0
        self._had: list[float] = []
        self.are_all_open = asyncio.Event()

    def hear(self, snapshots: int, messages: int) -> None:
        self._snapshots += snapshots
        if snapshots and self._snapshots == self._size:
            self.are_all_open.set()
        self._had += [time.monotonic()] * messages
        if messages and len(self._had) >= self._size:
            print(json.dumps({"first_s": self._had[0], "last_s": self._had[self._size - 1]}), flush=True)
            del self._had[: self._size]


class _Reader(asyncio.Protocol):
    """One connection: looks for what it counts, and keeps nothing but a possible beginning of it."""

    def __init__(self, request: bytes, crowd: _Crowd) -> None:
        self._request = request
        self._crowd = crowd
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        text = self._rest + data
        cut = text.rfind(b"\n") + 1
        whole, self._rest = text[:cut], text[cut:]
        self._crowd.hear(whole.count(SNAPSHOT), whole.count(POSTED))

    def connection_lost(self, exc: Exception | None) -> None:
        print(f"a stream ended early: {exc!r}", file=sys.stderr)
        raise SystemExit(1)


async def _listen(order: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    crowd = _Crowd(len(order["streams"]))
    places = asyncio.Semaphore(OPENED_AT_ONCE)

    async def connect(path: str, credential: str) -> None:
        request = (
            f"GET {path} HTTP/1.1\r\nHost: {order['host']}\r\nAuthorization: Bearer {credential}\r\n\r\n"
        )
        async with places:
            await loop.create_connection(
                lambda: _Reader(request.encode(), crowd), order["host"], order["port"]
            )

    await asyncio.gather(*(connect(path, credential) for path, credential in order["streams"]))
    await crowd.are_all_open.wait()
    print(json.dumps({"open": len(order["streams"])}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    uvloop.run(_listen(json.loads(sys.stdin.read())))
