"""Outlets of server-sent events: on a connection held beyond its ASGI call, and on plain ASGI."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from starlette.types import Send

from rondo_common.held_connections import HeldConnection
from rondo_gateway.entrypoints import server_sent_events as sse
from rondo_gateway.entrypoints.open_streams import STALLED_S_MAX, Jitter, TooSlow
from rondo_gateway.handlers.live_feed import Closing, Told

COME_BACK_MS_MIN = 500
COME_BACK_MS_MAX = 5_000
"""After a restart all come back at once, so they are told to do so at different times."""


class HeldOutlet:
    """See :class:`rondo_gateway.entrypoints.open_streams.Outlet`."""

    __slots__ = ("_connection", "_jitter")

    def __init__(self, connection: HeldConnection, jitter: Jitter) -> None:
        self._connection = connection
        self._jitter = jitter

    async def tell(self, events: Sequence[Told]) -> None:
        """See :class:`Outlet`."""
        for chunk in sse.chunks(events):
            await self._write(chunk)

    async def beat(self) -> None:
        """See :class:`Outlet`."""
        await self._write(sse.HEARTBEAT)

    async def close(self, last: Told, reason: Closing) -> None:
        """See :class:`Outlet`."""
        self._connection.end(_last_words(last, reason, self._jitter))

    async def _write(self, chunk: bytes) -> None:
        if self._connection.is_behind:
            try:
                async with asyncio.timeout(STALLED_S_MAX):
                    await self._connection.drain()
            except TimeoutError:
                raise TooSlow from None
        self._connection.write(chunk)


class AsgiOutlet:
    """See :class:`rondo_gateway.entrypoints.open_streams.Outlet`."""

    def __init__(self, send: Send, jitter: Jitter, stalled_s_max: float = STALLED_S_MAX) -> None:
        self._send = send
        self._jitter = jitter
        self._stalled_s_max = stalled_s_max

    async def tell(self, events: Sequence[Told]) -> None:
        """See :class:`Outlet`."""
        for chunk in sse.chunks(events):
            await self._write(chunk)

    async def beat(self) -> None:
        """See :class:`Outlet`."""
        await self._write(sse.HEARTBEAT)

    async def close(self, last: Told, reason: Closing) -> None:
        """See :class:`Outlet`."""
        with contextlib.suppress(TooSlow):
            await self._write(_last_words(last, reason, self._jitter), more_body=False)

    async def _write(self, chunk: bytes, *, more_body: bool = True) -> None:
        try:
            async with asyncio.timeout(self._stalled_s_max):
                await self._send({"type": "http.response.body", "body": chunk, "more_body": more_body})
        except TimeoutError:
            raise TooSlow from None


def _last_words(last: Told, reason: Closing, jitter: Jitter) -> bytes:
    if reason is Closing.NOT_PERMITTED:
        return sse.frames([last])
    return sse.retry(jitter(COME_BACK_MS_MIN, COME_BACK_MS_MAX)) + sse.frames([last])
