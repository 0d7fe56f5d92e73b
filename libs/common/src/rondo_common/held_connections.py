"""Connections of uvicorn that outlive their ASGI call: thousands of idle streams in little memory.

ASGI keeps the call of every open response alive: the coroutines of all middleware, the request, the
parser. An application that serves streams asks for the connection instead, after it has sent the start
of the response, and returns. What is left is the transport and a :class:`HeldConnection`.

Both protocols here put what they offer into the scope's ``extensions``; an application that does not
find it there (in tests, under another server) goes on in plain ASGI.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

HOLD = "rondo.hold"
"""Extension of an HTTP request: ``() -> HeldConnection``."""
CUT_OFF = "rondo.cut_off"
"""Extension of a WebSocket: ``(text, code, reason) -> None``, which waits for nobody."""
SEND_BUFFER_BYTES = 128 * 1024
"""What the kernel keeps for one slow reader, whatever it would like to."""
UNACKNOWLEDGED_S_MAX = 40
"""A peer that acknowledges nothing for so long is gone: its network, its battery."""
LINGER_S = 10.0
"""How long the last words wait for a reader who does not read."""
LAST_CHUNK = b"0\r\n\r\n"


class HeldConnection(asyncio.Protocol):
    """The rest of a chunked response, written by whoever holds it. For one writer."""

    __slots__ = ("_all", "_drained", "_is_paused", "_on_lost", "_transport")

    def __init__(self, transport: asyncio.Transport, everyone: set[Any], *, is_paused: bool) -> None:
        self._transport = transport
        self._all = everyone
        self._is_paused = is_paused
        self._drained: asyncio.Future[None] | None = None
        self._on_lost: Callable[[], None] | None = None
        if not transport.is_closing():
            everyone.add(self)

    @property
    def is_behind(self) -> bool:
        """Whether the reader has much of what was written still to read."""
        return self._is_paused and not self._transport.is_closing()

    def when_lost(self, call: Callable[[], None]) -> None:
        """Have ``call`` called once when the connection is over; soon, if it is already."""
        self._on_lost = call
        if self._transport.is_closing():
            asyncio.get_running_loop().call_soon(self._lose)

    def write(self, body: bytes) -> None:
        """Send a part of the body. Kept in memory as far as the reader is behind: see :meth:`drain`."""
        if not self._transport.is_closing():
            self._transport.write(b"%x\r\n%b\r\n" % (len(body), body))

    async def drain(self) -> None:
        """Wait until the reader has caught up, nearly; or is gone."""
        if self.is_behind:
            self._drained = asyncio.get_running_loop().create_future()
            try:
                await self._drained
            finally:
                self._drained = None

    def end(self, last: bytes) -> None:
        """End the response with ``last``, behind what is not read yet, and close the connection; by
        force, when the reader does not read that for long."""
        if self._transport.is_closing():
            return
        self.write(last)
        self._transport.write(LAST_CHUNK)
        _close(self._transport)

    def shutdown(self) -> None:
        """uvicorn is told to stop: whoever holds this ends it."""

    def pause_writing(self) -> None:
        """See :class:`asyncio.Protocol`."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """See :class:`asyncio.Protocol`."""
        self._is_paused = False
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        """See :class:`asyncio.Protocol`."""
        self._all.discard(self)
        self._wake()
        self._lose()

    def _wake(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def _lose(self) -> None:
        call, self._on_lost = self._on_lost, None
        if call is not None:
            call()


class HoldingHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, whose requests may take their connection with them."""

    def on_headers_complete(self) -> None:
        """See :class:`HttpToolsProtocol`."""
        super().on_headers_complete()
        self.scope["extensions"] = {HOLD: self._hold}  # type: ignore[dict-item]  # one of our own

    def _hold(self) -> HeldConnection:
        """The connection, whose response has begun; uvicorn knows nothing of it any more."""
        self._unset_keepalive_if_required()
        self.cycle.response_complete = True  # So that uvicorn lets the call return.
        self.connections.discard(self)
        held = HeldConnection(self.transport, self.connections, is_paused=self.flow.write_paused)
        limit_waiting(self.transport)
        self.transport.set_protocol(held)
        del self.scope["extensions"]  # A cycle through this would wait for the collector.
        self.parser = None  # type: ignore[assignment]  # as uvicorn does at the end of a connection
        return held


class CuttableWebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol for WebSockets, with a way out for a reader who does not read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # It would log every address, and a token may stand in its query.
        self.logger = self.conn.logger = logging.getLogger("uvicorn.error.sockets")
        self.logger.setLevel(logging.WARNING)
        self.conn.debug = False

    def handle_connect(self, event: Any) -> None:
        """See :class:`WebSocketsSansIOProtocol`."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            limit_waiting(self.transport)
            self.scope["extensions"][CUT_OFF] = self._cut_off  # type: ignore[assignment]  # the same

    def _cut_off(self, text: str, code: int, reason: str) -> None:
        if self.transport.is_closing() or self.close_sent:
            return
        self.conn.send_text(text.encode())
        self.conn.send_close(code, reason)
        self.close_sent = True
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.stop_keepalive()
        _close(self.transport)


def limit_waiting(transport: asyncio.Transport) -> None:
    """Keep little for a slow reader, and notice a dead one, as far as the system can."""
    connection = transport.get_extra_info("socket")
    with contextlib.suppress(OSError):  # A reader who has left already needs neither.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux.
            timeout_ms = UNACKNOWLEDGED_S_MAX * 1000
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout_ms)


def _close(transport: asyncio.Transport) -> None:
    transport.close()
    asyncio.get_running_loop().call_later(LINGER_S, transport.abort)
