"""Ending tasks, for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import structlog

log = structlog.get_logger(__name__)

CANCEL_AGAIN_S = 5.0
"""Longer than an orderly end takes, which a second cancellation would cut short."""


async def end_tasks(tasks: Collection[asyncio.Task[Any]], *, again_s: float = CANCEL_AGAIN_S) -> None:
    """Cancel ``tasks`` and return when all have ended, however they did.

    Cancels again what has not ended after ``again_s`` seconds, because a cancellation can be lost: before
    Python 3.12, ``asyncio.wait_for`` swallows one that comes in the moment in which what it waits for
    is done (https://github.com/python/cpython/issues/86296), and libraries use it.
    """
    left = set(tasks)
    while left:
        for each in left:
            each.cancel()
        _, left = await asyncio.wait(left, timeout=again_s)
        if left:
            log.warning("cancelled_again", count=len(left))
