"""Redis Functions: a service's atomic effects, kept in ``.lua`` files beside its adapter.

While a service is upgraded, two versions of it run on one Redis. Functions are of the whole server, so each
version's are called by names of their own, which follow from their text: neither runs the other's.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from rondo_common.errors import Unavailable
from rondo_common.redis.connection import (
    OUT_OF_REACH,
    REPLICA_TIMEOUT_MS,
    redis_errors,
    replicas_wanted,
    waiting_targets,
)
from rondo_common.traces import call_span

log = structlog.get_logger(__name__)

OTHER_VERSIONS_MAX = 3
"""How many other versions of a library may stay on the server: the one before, to which one may go back."""

TRIED_AGAIN_MAX = 2
"""Once for a connection that broke, and once for functions that a server which began anew has lost."""

_VERSION_DIGITS = 12
_REGISTRATION = re.compile(r"\bregister_function\('(\w+)'")


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """One call of a function: its keys (all of one workspace, so of one slot) and arguments."""

    function: str
    keys: tuple[str, ...]
    arguments: tuple[str | int | float, ...] = ()


def read_library(name: str, folder: Traversable, parts: Sequence[str]) -> str:
    """The source of library ``name``, put together from ``.lua`` files in the order given."""
    bodies = [(folder / f"{part}.lua").read_text(encoding="utf-8") for part in parts]
    return f"#!lua name={name}\n" + "\n".join(bodies)


def base_name(library: str) -> str:
    """What a library is called in every version, by what one version is called on the server."""
    return re.sub(rf"_[0-9a-f]{{{_VERSION_DIGITS}}}$", "", library)


class FunctionLibrary:
    """A library of Redis Functions, loaded when it is first needed and again when Redis lost it: on every
    primary of a cluster, also one that joins later.

    Calls made at the same time travel together: while one pipeline is under way, the next one fills.
    """

    def __init__(self, redis: Redis, source: str) -> None:
        self._redis = redis
        self._version = hashlib.sha256(source.encode()).hexdigest()[:_VERSION_DIGITS]
        self._base, self._source = _versioned(source, self._version)
        self._replicas_min = replicas_wanted(redis)
        self._waiting: list[tuple[FunctionCall, asyncio.Future[Any]]] = []
        self._sender: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """What this version is called on the server."""
        return f"{self._base}_{self._version}"

    async def load(self) -> None:
        """Put this version of the library on the server, beside a few others. Raises ``Unavailable``."""
        with redis_errors():
            await self._redis.function_load(self._source, replace=True)
            try:
                await self._remove_others()
            except NoPermissionError as error:  # They are only in the way.
                log.warning("function_libraries_left", library=self._base, reason=str(error))

    async def _remove_others(self) -> None:
        """Keep a few other versions. Which are older nobody knows, and it does not matter: who still calls
        one that is gone loads it again."""
        found: Any = await self._redis.function_list(f"{self._base}*")
        # A cluster's primaries answer each for itself.
        libraries = (
            [each for of_node in found.values() for each in of_node] if isinstance(found, dict) else found
        )
        names = {_library_name(each) for each in libraries} - {self.name}
        others = [each for each in names if base_name(each) == self._base]
        random.shuffle(others)
        for each in others[OTHER_VERSIONS_MAX:]:
            try:
                await self._redis.function_delete(each)
            except ResponseError as error:
                if "not found" not in str(error):
                    raise

    async def call(self, call: FunctionCall) -> Any:
        """One call's answer, sent with others that are made meanwhile. Raises as :meth:`call_all`."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((call, answer))
        if self._sender is None or self._sender.done():
            # In no caller's context: what travels together is none's alone.
            self._sender = asyncio.create_task(self._send_waiting(), context=contextvars.Context())
        with call_span(f"FCALL {call.function}", db__system="redis"):
            return await answer

    async def call_all(self, calls: Sequence[FunctionCall]) -> list[Any]:
        """Send all calls in one go; a workspace's take effect in this order. Their answers, in order.

        Raises:
            Unavailable: Redis is out of reach, or too few replicas have the effects; any prefix of each
                workspace's calls may have had its effect.
            Fenced: one of them was refused; earlier ones had their effect.
        """
        name = f"FCALL {calls[0].function}" if calls else "FCALL"
        with call_span(name, db__system="redis", db__operation__batch__size=len(calls)):
            return [_good(answer) for answer in await self._send(calls)]

    async def _send_waiting(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            try:
                answers = await self._send([call for call, _ in taken])
            except Exception as error:
                answers = [error] * len(taken)
            for (_, future), answer in zip(taken, answers, strict=True):
                _settle(future, answer)

    async def _send(self, calls: Sequence[FunctionCall]) -> list[Any]:
        """The answers to all calls, each of which may be what Redis raised for it."""
        answers = await self._send_once(calls)
        for _ in range(TRIED_AGAIN_MAX):
            again = [number for number, answer in enumerate(answers) if _is_to_be_sent_again(answer)]
            if not again:
                break
            if any(_is_lost(answers[number]) for number in again):
                await self.load()
            # What failed in a workspace failed from some call on, so the order is kept.
            answered = await self._send_once([calls[number] for number in again])
            for number, answer in zip(again, answered, strict=True):
                answers[number] = answer
        return answers

    async def _send_once(self, calls: Sequence[FunctionCall]) -> list[Any]:
        with redis_errors():
            pipeline = self._redis.pipeline(transaction=False)
            for call in calls:
                function = f"{call.function}_{self._version}"
                pipeline.fcall(function, len(call.keys), *call.keys, *call.arguments)
            if self._replicas_min:
                keys = (key for call in calls for key in call.keys[:1])
                for target in waiting_targets(self._redis, keys):
                    pipeline.execute_command("WAIT", self._replicas_min, REPLICA_TIMEOUT_MS, **target)
            answers: list[Any] = await pipeline.execute(raise_on_error=False)
        answers, replicas = answers[: len(calls)], answers[len(calls) :]
        if not any(map(_is_lost, answers)):  # Else they are sent again, and counted then.
            self._check_replicas(replicas)
        return answers

    def _check_replicas(self, counts: Sequence[Any]) -> None:
        for count in counts:
            if isinstance(count, Exception):  # As from a primary that is a replica now.
                raise Unavailable("redis", count) from count
            if count < self._replicas_min:
                raise Unavailable("redis", f"{count} of {self._replicas_min} replicas have the effect")


def _versioned(source: str, version: str) -> tuple[str, str]:
    """The library's name, and its source under names of this version."""
    head, _, body = source.partition("\n")
    base = head.removeprefix("#!lua name=")
    body, count = _REGISTRATION.subn(rf"register_function('\1_{version}'", body)
    if count != body.count("register_function"):
        raise ValueError(f"library {base}: register each function as register_function('name', …)")
    return base, f"#!lua name={base}_{version}\n{body}"


def _library_name(described: Any) -> str:
    """The name of a library, as ``FUNCTION LIST`` describes it: pairs, flat or not."""
    pairs = (
        described
        if isinstance(described, dict)
        else dict(zip(described[::2], described[1::2], strict=True))
    )
    return str(pairs["library_name"])


def _is_lost(answer: Any) -> bool:
    return isinstance(answer, ResponseError) and "Function not found" in str(answer)


def _is_to_be_sent_again(answer: Any) -> bool:
    """Whether the function was not there; or, in a cluster, a node, whose part of a pipeline nobody else
    sends again."""
    return _is_lost(answer) or isinstance(answer, OUT_OF_REACH)


def _settle(future: asyncio.Future[Any], answer: Any) -> None:
    if future.done():
        return  # Whoever asked was cancelled meanwhile.
    try:
        future.set_result(_good(answer))
    except Exception as error:
        future.set_exception(error)


def _good(answer: Any) -> Any:
    """The answer, unless Redis raised it: then that is raised, as Rondo tells it."""
    if isinstance(answer, Exception):
        with redis_errors():
            raise answer
    return answer
