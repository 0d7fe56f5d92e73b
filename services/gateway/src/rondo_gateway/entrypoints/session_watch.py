"""Streams opened by a session end with it, at once: whoever signs out must not be told anything more."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncIterator
from typing import Protocol

from rondo_common.tasks import end_tasks
from rondo_gateway.domain.principals import AgentCaller, Principal
from rondo_gateway.handlers.use_cases import UseCases
from rondo_gateway.ports import Bell


class Watched(Protocol):
    """A stream that knows whether its reader may still be here."""

    async def may_go_on(self) -> bool:
        """Whether they may; if not, it ends."""
        ...


class SessionWatch:
    """Has a stream look whether it may go on, whenever a session of its reader's was ended."""

    def __init__(self, bell: Bell | None) -> None:
        self._bell = bell
        self._following: asyncio.Task[None] | None = None

    def follow(self, stream: Watched) -> None:
        """Begin to watch for ``stream``."""
        if self._bell is not None:
            # Not in the request's context, which ends before a stream that is held.
            self._following = asyncio.create_task(
                _follow(self._bell, stream), context=contextvars.Context()
            )

    async def close(self) -> None:
        """The stream is over."""
        if self._following is not None:
            await end_tasks([self._following])


@contextlib.asynccontextmanager
async def session_watch(use_cases: UseCases, caller: Principal) -> AsyncIterator[SessionWatch]:
    """Watches for a caller's stream as long as it is entered. Who is here by a token has no session.

    Raises:
        Unavailable: endings cannot be heard of now.
    """
    if not isinstance(caller, AgentCaller) or caller.session_sha256 is None:
        yield SessionWatch(None)
        return
    async with use_cases.sign_ins.endings(caller) as bell:
        watch = SessionWatch(bell)
        try:
            yield watch
        finally:
            await watch.close()


async def _follow(bell: Bell, stream: Watched) -> None:
    bell.clear()
    # The session may have ended between the caller's being identified and the bell's being listened to.
    while await stream.may_go_on():
        await bell.wait()
        bell.clear()
