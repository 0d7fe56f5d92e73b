"""Taking turns over all gateways, for changes that depend on what is there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from weakref import WeakValueDictionary

from redis.asyncio import Redis

from rondo_common.errors import Unavailable
from rondo_common.ids import WorkspaceId
from rondo_common.redis.connection import redis_errors
from rondo_common.redis.functions import FunctionCall, FunctionLibrary
from rondo_common.redis.keys import workspace_key

TURN_MS_MAX = 15_000
"""A turn whose holder died is over after this. Longer than any change takes."""
TURN_WAIT_S = 4.0
TURN_POLL_S = 0.02


class RedisTurns:
    """One holder of a workspace's turn at a time. Within a process, first come, first served."""

    def __init__(self, redis: Redis, functions: FunctionLibrary, new_token: Callable[[], str]) -> None:
        self._redis = redis
        self._functions = functions
        self._new_token = new_token
        self._here: WeakValueDictionary[WorkspaceId, asyncio.Lock] = WeakValueDictionary()

    @contextlib.asynccontextmanager
    async def turn(self, workspace_id: WorkspaceId) -> AsyncIterator[None]:
        """Hold the workspace's turn.

        Raises:
            Unavailable: Redis is out of reach, or others held it for too long.
        """
        key, token = workspace_key(workspace_id, "directory_turn"), self._new_token()
        until_s = asyncio.get_running_loop().time() + TURN_WAIT_S
        # Who takes many turns in a row would leave none to those who poll for theirs.
        async with self._first_here(workspace_id, until_s):
            await self._wait_for(key, token, until_s)
            try:
                yield
            finally:
                with contextlib.suppress(Unavailable):  # It runs out by itself.
                    await self._functions.call(FunctionCall("rondo_gateway_end_turn", (key,), (token,)))

    @contextlib.asynccontextmanager
    async def _first_here(self, workspace_id: WorkspaceId, until_s: float) -> AsyncIterator[None]:
        lock = self._here.setdefault(workspace_id, asyncio.Lock())
        with _busy_after():
            async with asyncio.timeout_at(until_s):
                await lock.acquire()
        try:
            yield
        finally:
            lock.release()

    async def _wait_for(self, key: str, token: str, until_s: float) -> None:
        with _busy_after():
            async with asyncio.timeout_at(until_s):
                while not await self._taken(key, token):  # noqa: ASYNC110 - nothing rings here
                    await asyncio.sleep(TURN_POLL_S)

    async def _taken(self, key: str, token: str) -> bool:
        with redis_errors():
            return bool(await self._redis.set(key, token, nx=True, px=TURN_MS_MAX))


@contextlib.contextmanager
def _busy_after() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Unavailable("redis", "another change of this workspace is under way") from None
