"""Watching a waiting conversation's place in the queue, for one stream."""

from __future__ import annotations

import asyncio
import contextlib

from rondo_common.conversation import Queue
from rondo_common.errors import Unavailable
from rondo_gateway.handlers.queue_place import QueuePlace
from rondo_gateway.ports import Bell


class QueueWatch:
    """Looks once after each ring of the queue, and once for all rings of an interval; wakes the stream
    when there is something to tell. Runs only while the conversation may be waiting."""

    def __init__(self, place: QueuePlace, wake: Bell, *, interval_s: float, retry_s: float) -> None:
        self._place = place
        self._wake = wake
        self._interval_s = interval_s
        self._retry_s = retry_s
        self._rung: Bell | None = None
        self._found: Queue | None = None
        self._task: asyncio.Task[None] | None = None

    def follow(self) -> None:
        """Start or stop, after what the reader was told."""
        if self._place.is_worth_watching and self._task is None:
            self._task = asyncio.create_task(self._watch())
        elif not self._place.is_worth_watching:
            self.close()

    def look_again(self) -> None:
        """What the reader was just told may be older than what was found before."""
        if self._rung is not None:
            self._rung.set()

    def take(self) -> Queue | None:
        """The place that was found since; once."""
        found, self._found = self._found, None
        return found

    def close(self) -> None:
        """Stop for now."""
        if self._task is not None:
            self._task.cancel()
        self._task = self._rung = self._found = None

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(Unavailable):
                async with self._place.listen() as rung:
                    self._rung = rung
                    while True:
                        rung.clear()
                        self._found = await self._place.look()
                        if self._found is not None:
                            self._wake.set()
                        await asyncio.sleep(self._interval_s)  # All rings meanwhile are one.
                        await rung.wait()
            await asyncio.sleep(self._retry_s)
