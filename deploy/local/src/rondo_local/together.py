"""Doing several things at once, where the first failure ends the others."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable


async def together(work: Iterable[Coroutine[object, object, None]]) -> None:
    """Run the coroutines concurrently; when one fails, cancel the rest and raise its failure."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except BaseExceptionGroup as failures:
        # One line for one cause: what the others say after it is a consequence.
        raise failures.exceptions[0] from None
