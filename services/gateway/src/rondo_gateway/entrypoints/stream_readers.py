"""One reader of a live stream, whatever it is sent over."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import structlog

from rondo_common.errors import Unavailable
from rondo_gateway.entrypoints.open_streams import Outlet, TooSlow
from rondo_gateway.entrypoints.queue_watch import QueueWatch
from rondo_gateway.handlers.live_feed import Closing, LiveFeed, Told
from rondo_gateway.handlers.queue_place import QUEUED
from rondo_gateway.ports import WhisperingBell

log = structlog.get_logger(__name__)

HEARTBEAT_S_MAX = 20.0
BEATS_PER_LEASE_MIN = 3


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """How often a comment shows that the connection lives, Redis is looked for when it is away, and a
    place in the queue is looked up at most."""

    heartbeat_s: float = HEARTBEAT_S_MAX
    redis_retry_s: float = 1.0
    queue_look_s: float = 0.4

    @classmethod
    def within_lease(cls, presence_lease_s: float) -> StreamTimes:
        """With heartbeats often enough that an open stream keeps a lease of this length."""
        return cls(heartbeat_s=min(HEARTBEAT_S_MAX, presence_lease_s / BEATS_PER_LEASE_MIN))


class StreamReader:
    """Tells what the feed has, sleeps on the bell, beats, and notices the end."""

    __slots__ = (
        "_beat_at_s",
        "_bell",
        "_closing",
        "_feed",
        "_is_gone",
        "_outlet",
        "_times",
        "_was_interrupted",
        "_watch",
    )

    def __init__(self, feed: LiveFeed, bell: WhisperingBell, outlet: Outlet, times: StreamTimes) -> None:
        self._feed = feed
        self._bell = bell
        self._outlet = outlet
        self._times = times
        self._watch = (
            None
            if feed.place is None
            else QueueWatch(feed.place, bell, interval_s=times.queue_look_s, retry_s=times.redis_retry_s)
        )
        self._is_gone = False
        self._closing: Closing | None = None
        self._was_interrupted = False
        self._beat_at_s = asyncio.get_running_loop().time() + times.heartbeat_s

    def leave(self) -> None:
        """End the stream soon: the process stops."""
        self.close(Closing.RESTARTING)

    def close(self, reason: Closing) -> None:
        """End the stream soon."""
        self._closing = self._closing or reason
        self._bell.set()

    def gone(self) -> None:
        """The reader has left: nobody needs to be told anything."""
        self._is_gone = True
        self._bell.set()

    async def may_go_on(self) -> bool:
        """Whether the reader may still be here; if not, the stream ends. What cannot be found out now is
        found out by the next heartbeat."""
        with contextlib.suppress(Unavailable):
            if not await self._feed.is_permitted():
                self.close(Closing.NOT_PERMITTED)
                return False
        return True

    async def read_on(self) -> None:
        """Tell what happens until the reader leaves or is too slow, the process stops or the permission
        ends; then tell why, to whoever is still there."""
        try:
            await self._tell_all()
        except TooSlow:
            self._closing = Closing.TOO_SLOW
        except Exception:
            log.exception("stream_failed")
            self._closing = Closing.FAILED
        finally:
            if self._watch is not None:
                self._watch.close()
        if self._closing is not None and not self._is_gone:
            await self._outlet.close(self._feed.closing(self._closing), self._closing)

    async def _tell_all(self) -> None:
        while not (self._is_gone or self._closing):
            self._bell.clear()
            await self._beat_if_due()
            if not await self._tell_news():
                await self._sleep()

    async def _beat_if_due(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._beat_at_s:
            return
        self._beat_at_s = now + self._times.heartbeat_s
        with contextlib.suppress(Unavailable):  # Cannot be told now; the next beat asks again.
            if not await self._feed.beat():
                self.close(Closing.NOT_PERMITTED)
                return
        await self._feed.renew_presence()
        await self._outlet.beat()

    async def _tell_news(self) -> bool:
        """Tell the next batch. False when there is no other before the bell rings again, or Redis is away
        (the connection stays)."""
        signs = self._feed.signs(self._bell.whispered())
        if signs:
            await self._outlet.tell(signs)
        try:
            news = await self._feed.check() if self._was_interrupted else []
            self._was_interrupted = False
            news = news or await self._feed.next() or self._place_found()
        except Unavailable:
            self._was_interrupted = True
            return False
        if news:
            await self._outlet.tell(news)
        self._follow_queue(is_place_told=any(each.type == QUEUED for each in news))
        return bool(news) and self._feed.has_more

    def _place_found(self) -> list[Told]:
        found = None if self._watch is None else self._watch.take()
        return [] if found is None else self._feed.tell_place(found)

    def _follow_queue(self, *, is_place_told: bool) -> None:
        if self._watch is None:
            return
        self._watch.follow()
        if is_place_told:
            self._watch.look_again()

    async def _sleep(self) -> None:
        if self._is_gone or self._closing:
            return
        now = asyncio.get_running_loop().time()
        retry_at_s = now + self._times.redis_retry_s
        until_s = min(retry_at_s, self._beat_at_s) if self._was_interrupted else self._beat_at_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until_s):
                await self._bell.wait()
