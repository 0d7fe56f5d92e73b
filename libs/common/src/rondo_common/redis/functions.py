"""Redis Functions: a service's atomic effects, kept in ``.lua`` files beside its adapter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from rondo_common.redis.connection import redis_errors

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """One call of a function: its keys (all of one workspace, so of one slot) and arguments."""

    function: str
    keys: tuple[str, ...]
    arguments: tuple[str | int | float, ...]


def read_library(name: str, folder: Traversable, parts: Sequence[str]) -> str:
    """The source of library ``name``, put together from ``.lua`` files in the order given."""
    bodies = [(folder / f"{part}.lua").read_text(encoding="utf-8") for part in parts]
    return f"#!lua name={name}\n" + "\n".join(bodies)


class FunctionLibrary:
    """A library of Redis Functions, loaded when it is first needed and again when Redis lost it."""

    def __init__(self, redis: Redis, source: str) -> None:
        self._redis = redis
        self._source = source

    async def load(self) -> None:
        """Put this version of the library on the server. Raises ``Unavailable``."""
        with redis_errors():
            await self._redis.function_load(self._source, replace=True)

    async def call(self, call: FunctionCall) -> Any:
        """One call's answer. Raises as :meth:`call_all`."""
        return await self._loading_if_lost(lambda: self._send_one(call))

    async def call_all(self, calls: Sequence[FunctionCall]) -> list[Any]:
        """Send all calls in one go; they take effect in this order. Their answers, in order.

        Raises:
            Unavailable: Redis is out of reach; any prefix of the calls may have had its effect.
            Fenced: one of them was refused; earlier ones had their effect.
        """
        return await self._loading_if_lost(lambda: self._send(calls))

    async def _loading_if_lost(self, send: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            return await send()
        except ResponseError as error:
            if "Function not found" not in str(error):
                raise
        await self.load()
        return await send()

    async def _send_one(self, call: FunctionCall) -> Any:
        # Worth its own path: a pipeline of one costs twice the time of a plain command.
        with redis_errors():
            # The client's annotation is of what Redis 7.0 took: everything as text.
            words: Any = (*call.keys, *call.arguments)
            return await self._redis.fcall(call.function, len(call.keys), *words)

    async def _send(self, calls: Sequence[FunctionCall]) -> list[Any]:
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for call in calls:
                pipeline.fcall(call.function, len(call.keys), *call.keys, *call.arguments)
            answers: list[Any] = await pipeline.execute()
            return answers
