"""One command at a time changes the stack."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from rondo_local.failures import Busy

WAIT_S = 300.0
"""How long a command waits for another to finish: longer than a cold `up` takes."""

_LOOK_AGAIN_S = 0.2


@asynccontextmanager
async def exclusively(
    lock_file: Path, on_wait: Callable[[], None], *, timeout_s: float = WAIT_S
) -> AsyncIterator[None]:
    """Hold the lock while the body runs; the system lets go of it should the process die.

    Calls `on_wait` once when another command holds it. Raises Busy after `timeout_s` seconds.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    clock = asyncio.get_running_loop().time
    deadline = clock() + timeout_s
    told = False
    with lock_file.open("a") as lock:
        while not _try_lock(lock.fileno()):
            if not told:
                told = True
                on_wait()
            if clock() > deadline:
                raise Busy(
                    f"another command has been changing this stack for {timeout_s:.0f} s "
                    f"({lock_file}): wait for it, or end it"
                )
            await asyncio.sleep(_LOOK_AGAIN_S)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
