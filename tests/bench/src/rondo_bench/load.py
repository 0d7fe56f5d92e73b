"""The load: many callers at once, or a steady number a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

Call = Callable[[int], Awaitable[None]]


async def at_once(call: Call, *, total: int, concurrency: int) -> float:
    """Make ``total`` calls, ``concurrency`` at a time. The seconds it took."""
    numbers = iter(range(total))

    async def caller() -> None:
        for number in numbers:
            await call(number)

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(concurrency)))
    return time.perf_counter() - started


async def steadily(call: Call, *, per_second: float, seconds: float) -> None:
    """Start a call every ``1 / per_second`` whatever the others do, and wait for all of them."""
    started = time.perf_counter()
    calls = []
    for number in range(int(per_second * seconds)):
        await asyncio.sleep(max(0.0, started + number / per_second - time.perf_counter()))
        calls.append(asyncio.ensure_future(call(number)))
    await asyncio.gather(*calls)
