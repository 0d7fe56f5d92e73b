"""Between a Faust stream and the work: batches, acknowledged when their effects are durable, never before.

Faust's own batches acknowledge what a failed or cancelled batch had not finished.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from faust import EventT, Stream, StreamT

EVENTS_MAX = 500
"""How many events wait, and how many are worked on at a time."""

Work = Callable[[Sequence[EventT[bytes]]], Awaitable[None]]
"""Returns when everything that comes of a batch is durable."""


class Inbox:
    """Collects a stream's events and hands them to ``work`` batch by batch, in order."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._waiting: asyncio.Queue[EventT[bytes]] = asyncio.Queue(EVENTS_MAX)
        self._working = asyncio.Lock()
        self._open = asyncio.Event()

    async def fill(self, stream: StreamT[bytes]) -> None:
        """What the agent runs: take events as fast as they are worked on."""
        async for event in cast("Stream[bytes]", stream).noack().events():
            await self._waiting.put(event)

    async def run(self) -> None:
        """Work until cancelled. What the work raises ends this: nothing more is acknowledged."""
        while True:
            await self._open.wait()
            first = await self._waiting.get()
            async with self._working:
                if self._open.is_set():
                    await self._handle(first)

    async def close(self) -> None:
        """Partitions go: finish the batch in work and drop what waits. It is read again from the commit."""
        self._open.clear()
        async with self._working:
            while not self._waiting.empty():
                self._waiting.get_nowait()

    def open(self) -> None:
        """Partitions are there and restored: go on."""
        self._open.set()

    async def _handle(self, first: EventT[bytes]) -> None:
        batch = [first]
        while len(batch) < EVENTS_MAX and not self._waiting.empty():
            batch.append(self._waiting.get_nowait())
        await self._work(batch)
        for event in batch:
            event.ack()
