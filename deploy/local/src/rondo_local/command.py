"""Running a short command to its end while the stack comes up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from rondo_local.failures import StepFailed
from rondo_local.process import last_line


async def run_logged(
    what: str, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path
) -> None:
    """Run a command, its output appended to `log`; cancelling kills it.

    Raises StepFailed with the last line of the log when it does not exit with 0.
    """
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=dict(env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            status = await process.wait()
        except BaseException:
            if process.returncode is None:
                process.kill()
                await process.wait()
            raise
    if status != 0:
        raise StepFailed(f"{what} failed: see {log}; its last line: {last_line(log)}")
