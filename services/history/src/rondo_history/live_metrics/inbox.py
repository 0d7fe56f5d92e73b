"""Between a Faust stream and the work: batches, acknowledged when their effects are durable, never before.

Faust's own batches acknowledge what a failed or cancelled batch had not finished.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

import structlog
from faust import EventT, Stream, StreamT

from rondo_common.errors import Retryable

log = structlog.get_logger(__name__)

RETRY_DELAY_S = 0.5
EVENTS_MAX = 500
"""How many events wait, and how many are worked on at a time."""

Work = Callable[[Sequence[EventT[bytes]]], Awaitable[None]]
"""Returns when everything that comes of a batch is durable. Raises ``Retryable`` to be called again."""


class Inbox:
    """Collects a stream's events and hands them to ``work`` batch by batch, in order."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._waiting: asyncio.Queue[tuple[int, EventT[bytes]]] = asyncio.Queue(EVENTS_MAX)
        self._assignment = 0
        """Counts the assignments of partitions. What came under an earlier one is read again."""
        self._working = asyncio.Lock()
        self._open = asyncio.Event()
        self._blocked_by: str | None = None

    async def fill(self, stream: StreamT[bytes]) -> None:
        """What the agent runs: take events as fast as they are worked on."""
        async for event in cast("Stream[bytes]", stream).noack().events():
            await self._waiting.put((self._assignment, event))

    async def run(self) -> None:
        """Work until cancelled. An unexpected error ends this: nothing more is acknowledged."""
        while True:
            await self._open.wait()
            first = await self._waiting.get()
            async with self._working:
                if self._open.is_set():
                    await self._handle(self._batch(first))

    async def close(self) -> None:
        """Partitions go: finish the batch in work and drop what waits. It is read again from the commit."""
        self._open.clear()
        self._assignment += 1
        async with self._working:
            while not self._waiting.empty():
                self._waiting.get_nowait()

    @property
    def blocked_by(self) -> str | None:
        """What the batch in work waits for, if it waits."""
        return self._blocked_by

    def open(self) -> None:
        """Partitions are there and restored: go on."""
        self._open.set()

    def _batch(self, first: tuple[int, EventT[bytes]]) -> list[EventT[bytes]]:
        taken = [first]
        while len(taken) < EVENTS_MAX and not self._waiting.empty():
            taken.append(self._waiting.get_nowait())
        return [event for assignment, event in taken if assignment == self._assignment]

    async def _handle(self, batch: Sequence[EventT[bytes]]) -> None:
        while batch and self._open.is_set():
            try:
                await self._work(batch)
            except Retryable as error:
                self._blocked_by = str(error)
                log.warning("batch_blocked", reason=str(error))
                await asyncio.sleep(RETRY_DELAY_S)
            else:
                for event in batch:
                    event.ack()
                break
        self._blocked_by = None
