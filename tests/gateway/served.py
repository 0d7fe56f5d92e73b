"""A gateway over fakes on a real socket: what the network does is real, what stands behind it is not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from rondo_common.process import serve_http
from tests.gateway.fake_world import FakeWorld

DEADLINE_S = 60.0
HOST = "127.0.0.1"


@contextlib.asynccontextmanager
async def served(world: FakeWorld) -> AsyncIterator[Served]:
    """The gateway over ``world``, listening; stopped at the end."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    stop = asyncio.Event()
    tasks = [
        asyncio.create_task(serve_http(world.app(), host=HOST, port=port, stop=stop, streaming=True)),
        asyncio.create_task(world.open_streams.end_with(stop)),
    ]
    try:
        await _listening(port)
        yield Served(port, stop)
    finally:
        stop.set()
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.gather(*tasks)


class Served:
    """Where it listens, and how to stop it."""

    def __init__(self, port: int, stop: asyncio.Event) -> None:
        self.port = port
        self.stop = stop

    def socket(self, path: str, token: str = "", **headers: str) -> connect:
        """A WebSocket of the gateway."""
        given = headers | ({"Authorization": f"Bearer {token}"} if token else {})
        url = f"ws://{HOST}:{self.port}{path}"
        return connect(url, additional_headers=given, proxy=None, open_timeout=DEADLINE_S)

    async def stream(
        self, path: str, token: str, *, buffer_bytes: int | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A stream, read by hand, from a client with so small a buffer."""
        connection = socket.socket()
        if buffer_bytes is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, (HOST, self.port))
        limit = 64 * 1024 if buffer_bytes is None else buffer_bytes
        reader, writer = await asyncio.open_connection(sock=connection, limit=limit)
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )
        await writer.drain()
        return reader, writer


async def heard(connection: ClientConnection) -> dict[str, Any]:
    """The next frame."""
    async with asyncio.timeout(DEADLINE_S):
        frame: dict[str, Any] = json.loads(await connection.recv())
    return frame


async def asked(connection: ClientConnection, frame: object) -> dict[str, Any]:
    """The answer to a frame; events before it are passed over."""
    await connection.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))
    while "ok" not in (answer := await heard(connection)):
        pass
    return answer


async def _listening(port: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(HOST, port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.01)
