"""Letting the archive catch up with what a caller knows of, but only for a moment."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Query

LOG_POSITION_MAX = 2**63 - 1
BEFORE_THE_LOG = -1
CATCH_UP_S_MAX = 2.0
CATCH_UP_POLL_S = 0.03

KnownOffset = Annotated[
    int,
    Query(ge=BEFORE_THE_LOG, le=LOG_POSITION_MAX, description="Wait a moment for this log offset"),
]


async def wait_until(is_there: Callable[[], Awaitable[bool]]) -> None:
    """Return when ``is_there``, or after :data:`CATCH_UP_S_MAX`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CATCH_UP_S_MAX):
            while True:
                if await is_there():
                    return
                # Rows may come from another process, which rings no bell.
                await asyncio.sleep(CATCH_UP_POLL_S)
