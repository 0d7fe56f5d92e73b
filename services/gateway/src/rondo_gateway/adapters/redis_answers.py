"""The router's answers to commands, by a doorbell and a key of the same name."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from redis.asyncio import Redis

from rondo_common.answers import Answer
from rondo_common.errors import Unavailable
from rondo_common.ids import CommandId, WorkspaceId
from rondo_common.redis.connection import redis_errors
from rondo_common.redis.doorbells import Doorbell, Doorbells
from rondo_common.redis.keys import answer_key

WaitForAnswer = Callable[[float], Awaitable[Answer | None]]


class RedisAnswers:
    """See :class:`rondo_gateway.ports.Answers`."""

    def __init__(self, redis: Redis, doorbells: Doorbells) -> None:
        self._redis = redis
        self._doorbells = doorbells

    @contextlib.asynccontextmanager
    async def expected(
        self, workspace_id: WorkspaceId, command_id: CommandId
    ) -> AsyncIterator[WaitForAnswer]:
        """See :class:`Answers`."""
        key = answer_key(workspace_id, command_id)
        async with self._doorbells.listen(key) as bell:

            async def answer(wait_s: float) -> Answer | None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        return await self._heard(key, bell)
                return None

            yield answer

    async def _heard(self, key: str, bell: Doorbell) -> Answer:
        while True:
            bell.clear()
            # Redis away: the bell rings when it is back, or the wait runs out.
            with contextlib.suppress(Unavailable), redis_errors():
                text = await self._redis.get(key)
                if text is not None:
                    return Answer.model_validate_json(text)
            await bell.wait()
