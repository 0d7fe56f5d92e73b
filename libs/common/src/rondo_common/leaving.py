"""A process that callers come to, on its way out: it says so before it stops to listen.

Whoever stands before it (endpoints, a proxy) looks at ``/readyz``, and keeps connections open between
requests. Were the listener closed at once, who has not looked yet would be refused, and a request on its
way over a kept connection lost.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rondo_common.errors import Retryable


class Leaving:
    """Whether the process is on its way out."""

    def __init__(self) -> None:
        self.has_begun = False

    async def check(self) -> None:
        """A health check: raises ``Retryable`` once the process is on its way out."""
        if self.has_begun:
            raise Retryable("this process stops soon: turn to another")

    async def lead(self, told: asyncio.Event, stop: asyncio.Event, drain_s: float) -> None:
        """Wait until ``told`` to stop, say so for ``drain_s`` seconds, set ``stop``. Ends cancelled."""
        await told.wait()
        self.has_begun = True
        await asyncio.sleep(drain_s)
        stop.set()
        await asyncio.Event().wait()


class ConnectionsEnd:
    """ASGI middleware: once the process is on its way out, every answer is the last of its connection."""

    def __init__(self, app: ASGIApp, leaving: Leaving) -> None:
        self._app = app
        self._leaving = leaving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            # Looked at when the answer begins: the request may have waited.
            if self._leaving.has_begun and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, sending)
