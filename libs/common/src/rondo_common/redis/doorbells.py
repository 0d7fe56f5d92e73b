"""Doorbells: waiting for a key to change, with one subscription connection for the whole process."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Literal

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from rondo_common.errors import Unavailable
from rondo_common.redis.connection import OUT_OF_REACH, redis_errors, subscriber

log = structlog.get_logger(__name__)

RECONNECT_DELAY_S = 0.25
SUBSCRIBE_TIMEOUT_S = 5.0
RUNG_AT_ONCE = 50
RING_PAUSE_S = 0.005
WHISPERS_MAX = 8
"""Who has not listened for so many has nothing to gain from the older ones."""


class Doorbell:
    """Set at every ring, and once after a lost connection. For one listener, of whom there are thousands:
    an ``asyncio.Event`` would take several times the memory.

    A ring may carry a whisper: a few words that are worth nothing later, so that the latest are enough.
    """

    __slots__ = ("_is_set", "_waiter", "_whispers")

    def __init__(self) -> None:
        self._is_set = False
        self._waiter: asyncio.Future[None] | None = None
        self._whispers: tuple[str, ...] = ()

    def is_set(self) -> bool:
        """Whether it rang since it was cleared."""
        return self._is_set

    def clear(self) -> None:
        """Listen for the next ring."""
        self._is_set = False

    def set(self) -> None:
        """Ring."""
        self._is_set = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self) -> Literal[True]:
        """Return when it rings, or rang since it was cleared."""
        if not self._is_set:
            assert self._waiter is None, "a doorbell has one listener"  # noqa: S101 - a defect of ours
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return True

    def whispered(self) -> tuple[str, ...]:
        """What was whispered since this was last asked, oldest first; the latest of it."""
        heard, self._whispers = self._whispers, ()
        return heard

    def hear(self, whisper: str) -> None:
        """Ring, with a whisper unless it is empty."""
        if whisper:
            self._whispers = (*self._whispers, whisper)[-WHISPERS_MAX:]
        self.set()


class Doorbells:
    """Listens for any number of doorbells at once.

    After a lost connection every bell rings once, because one may have rung unheard: whoever waits
    looks at the key and decides. So a ring means "look", never "it has changed".
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._pubsub: PubSub | None = None
        self._waiting: dict[str, set[Doorbell]] = defaultdict(set)
        self._heard: dict[str, asyncio.Event] = {}

    @property
    def is_connected(self) -> bool:
        """True while bells can be heard."""
        return self._pubsub is not None

    async def run(self) -> None:
        """Listen until cancelled, reconnecting as needed."""
        while True:
            try:
                await self._listen()
            except (RedisError, *OUT_OF_REACH) as error:
                log.warning("doorbells_reconnecting", reason=repr(error))
            finally:
                self._heard.clear()
                self._pubsub = None
            await asyncio.sleep(RECONNECT_DELAY_S)

    @contextlib.asynccontextmanager
    async def listen(self, channel: str) -> AsyncIterator[Doorbell]:
        """A bell that is set at every ring of ``channel``; clear it before looking at the key.

        On entry the subscription stands: nothing rung from then on is missed.

        Raises:
            Unavailable: Redis does not confirm the subscription.
        """
        bell = Doorbell()
        self._waiting[channel].add(bell)
        try:
            await self._subscribed(channel)
            yield bell
        finally:
            bells = self._waiting[channel]
            bells.discard(bell)
            if not bells:
                del self._waiting[channel]
                self._heard.pop(channel, None)
                await self._unsubscribe(channel)

    async def _subscribed(self, channel: str) -> None:
        confirmed = self._heard.get(channel)
        if confirmed is None:
            if self._pubsub is None:
                raise Unavailable("redis", "the doorbell connection is down")
            confirmed = self._heard[channel] = asyncio.Event()
            with redis_errors():
                await self._pubsub.subscribe(channel)
        try:
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT_S):
                await confirmed.wait()
        except TimeoutError:
            self._heard.pop(channel, None)
            raise Unavailable("redis", "a doorbell was not confirmed in time") from None

    async def _unsubscribe(self, channel: str) -> None:
        if self._pubsub is not None:
            with contextlib.suppress(RedisError, OSError):
                await self._pubsub.unsubscribe(channel)

    async def _listen(self) -> None:
        async with await subscriber(self._redis) as pubsub:
            await pubsub.subscribe("rondo:doorbells")  # Opens the connection; nobody rings it.
            self._heard = {channel: asyncio.Event() for channel in self._waiting}
            self._pubsub = pubsub
            if self._waiting:
                await pubsub.subscribe(*self._waiting)
            while True:
                message = await pubsub.get_message(timeout=None)
                if message is not None:
                    self._hear(message["type"], message["channel"], message["data"])

    def _hear(self, kind: str, channel: str, data: object) -> None:
        if kind == "subscribe" and channel in self._heard:
            self._heard[channel].set()
        if kind in {"subscribe", "message"}:
            # A confirmed (re)subscription rings too: something may have changed before it.
            whisper = data if kind == "message" and isinstance(data, str) else ""
            _ring(tuple(self._waiting.get(channel, ())), whisper)


def _ring(bells: tuple[Doorbell, ...], whisper: str) -> None:
    """Ring some bells now and the rest after what else is to be done: waking thousands takes a while."""
    for bell in bells[:RUNG_AT_ONCE]:
        bell.hear(whisper)
    if len(bells) > RUNG_AT_ONCE:
        asyncio.get_running_loop().call_later(RING_PAUSE_S, _ring, bells[RUNG_AT_ONCE:], whisper)
