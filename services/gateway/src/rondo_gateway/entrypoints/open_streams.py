"""The streams that are open in this process, of every kind, and how their readers are reached."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, Protocol

from rondo_gateway.handlers.live_feed import Closing, Told

Jitter = Callable[[int, int], int]
"""A random whole number between two, both included."""
STALLED_S_MAX = 10.0
"""A reader who takes nothing for so long is cut off."""
STOP_WAIT_S = 5.0
OPENINGS_AT_ONCE = 32
"""When a gateway died, thousands come here at once. They wait for each other, so that they leave
connections to Redis for requests, and are not refused: a browser's ``EventSource`` gives up at a 503."""


class TooSlow(Exception):
    """The reader did not take what was sent. End the stream; they come back with their cursor."""


class Outlet(Protocol):
    """One connection, as a stream tells its reader something. Nothing waits in it but what the
    connection itself holds, which is bounded."""

    async def tell(self, events: Sequence[Told]) -> None:
        """Send events, in order. Raises ``TooSlow``."""
        ...

    async def beat(self) -> None:
        """Show that the connection lives. Raises ``TooSlow``."""
        ...

    async def close(self, last: Told, reason: Closing) -> None:
        """Send the last event, and end. Waits for no reader."""
        ...


class OpenStream(Protocol):
    """A stream that can be told to end."""

    def leave(self) -> None:
        """End the stream soon, because the process stops."""
        ...


class OpenStreams:
    """The streams open in this process, so that they can be ended when it stops."""

    def __init__(self) -> None:
        self._open: set[OpenStream] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self.opening = asyncio.Semaphore(OPENINGS_AT_ONCE)
        """Held while a stream finds out where it begins."""

    def __len__(self) -> int:
        return len(self._open)

    async def end_with(self, stop: asyncio.Event) -> None:
        """Wait for ``stop``, then end every stream. Their readers come back to another gateway."""
        await stop.wait()
        self._is_closed = True
        for reader in self._open:
            reader.leave()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_WAIT_S)

    @contextlib.contextmanager
    def kept(self, reader: OpenStream) -> Iterator[None]:
        """Count ``reader`` among the open streams."""
        if self._is_closed:
            reader.leave()
        self._open.add(reader)
        try:
            yield
        finally:
            self._open.discard(reader)

    def follow(self, reading: Coroutine[Any, Any, None]) -> None:
        """Let a stream go on that no request waits for."""
        task = asyncio.create_task(reading, context=contextvars.Context())  # Not the request's, which ends.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
