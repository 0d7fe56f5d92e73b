"""Taking turns over all gateways, for changes that depend on what is there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

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
    """One holder of a workspace's turn at a time."""

    def __init__(self, redis: Redis, functions: FunctionLibrary, new_token: Callable[[], str]) -> None:
        self._redis = redis
        self._functions = functions
        self._new_token = new_token

    @contextlib.asynccontextmanager
    async def turn(self, workspace_id: WorkspaceId) -> AsyncIterator[None]:
        """Hold the workspace's turn.

        Raises:
            Unavailable: Redis is out of reach, or others held it for too long.
        """
        key, token = workspace_key(workspace_id, "directory_turn"), self._new_token()
        try:
            async with asyncio.timeout(TURN_WAIT_S):
                while not await self._taken(key, token):  # noqa: ASYNC110 - nothing rings here
                    await asyncio.sleep(TURN_POLL_S)
        except TimeoutError:
            raise Unavailable("redis", "another change of this workspace is under way") from None
        try:
            yield
        finally:
            with contextlib.suppress(Unavailable):  # It runs out by itself.
                await self._functions.call(FunctionCall("rondo_gateway_end_turn", (key,), (token,)))

    async def _taken(self, key: str, token: str) -> bool:
        with redis_errors():
            return bool(await self._redis.set(key, token, nx=True, px=TURN_MS_MAX))
