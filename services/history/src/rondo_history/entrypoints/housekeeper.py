"""Keeping house, again and again: retention, months ahead, and summaries that are missing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable

import structlog

from rondo_common.clock import Clock
from rondo_common.directory.entries import WorkspaceEntry
from rondo_common.errors import Retryable
from rondo_history.domain.retention import cutoffs_of
from rondo_history.ports import Housekeeping

log = structlog.get_logger(__name__)

EVERY_S = 600.0
AFTER_FAILURE_S = 10.0


async def keep_house(
    stop: asyncio.Event,
    housekeeping: Housekeeping,
    *,
    summarise: Callable[[], Awaitable[bool]],
    catch_up: Callable[[], Awaitable[None]],
    workspaces: Callable[[], Iterable[WorkspaceEntry]],
    clock: Clock,
) -> None:
    """Keep house every ten minutes until ``stop`` is set.

    ``catch_up`` returns when every workspace's retention is known: nothing is deleted before.
    ``summarise`` makes some summaries that are missing, and says whether there may be more.
    """
    while not stop.is_set():
        delay_s = EVERY_S
        try:
            await housekeeping.add_months(clock())
            while not stop.is_set() and await summarise():
                pass
            await catch_up()
            deleted = await housekeeping.drop_expired(cutoffs_of(workspaces(), clock()))
            if deleted:
                log.info("conversations_expired", count=deleted)
        except Retryable as error:
            log.warning("housekeeping_blocked", reason=str(error))
            delay_s = AFTER_FAILURE_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await stop.wait()
