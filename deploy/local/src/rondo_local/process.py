"""Starting a program in the background and stopping it again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rondo_local.failures import DiedAtStart, NotReady
from rondo_local.identity import Identity, identity_of, read_identity
from rondo_local.layout import Layout

POLL_S = 0.05
"""How often a condition is looked at while waiting for it."""

STOP_TIMEOUT_S = 25.0
"""How long a process may drain after it was asked to end, before it is killed."""

_LAST_LINE_CHARACTERS_MAX = 200

_STOP_SIGNALS = {"postgres": signal.SIGINT}
"""What asks a process to end. PostgreSQL's SIGTERM would wait for its clients to leave."""


@dataclass(frozen=True)
class Program:
    """A process to be started: `name` names its pid file and log, `cwd` where it runs."""

    name: str
    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(repr=False)


def running(layout: Layout, name: str) -> Identity | None:
    """The live process that the pid file of `name` names, if there is one."""
    identity = read_identity(layout.pid_file(name))
    return identity if identity and identity.is_alive else None


def recorded(layout: Layout) -> list[str]:
    """The names of all processes with a pid file, alive or dead, sorted."""
    return sorted(file.stem for file in layout.run.glob("*.pid"))


def launch(program: Program, layout: Layout) -> Identity:
    """Start `program` in a session of its own, output appended to its log; write its pid file.

    Raises OSError when the program cannot be executed, DiedAtStart when it ended at once.
    """
    log = layout.log_file(program.name)
    with log.open("ab") as output:
        child = subprocess.Popen(
            program.argv,
            cwd=program.cwd,
            env=dict(program.env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    identity = identity_of(child.pid)
    # Whoever starts a process reaps it, or it would stay as a zombie in a long test session.
    threading.Thread(target=child.wait, name=f"reap-{program.name}", daemon=True).start()
    if identity is None:
        raise died(program.name, layout)
    identity.write(layout.pid_file(program.name))
    return identity


async def until_ready(
    name: str,
    identity: Identity,
    layout: Layout,
    is_ready: Callable[[], Awaitable[bool]],
    timeout_s: float,
) -> None:
    """Return when `is_ready` says so.

    Raises DiedAtStart when the process ends first, NotReady after `timeout_s` seconds.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + timeout_s
    while not await is_ready():
        if not identity.is_alive:
            raise died(name, layout)
        if clock() > deadline:
            raise NotReady(
                f"{name} runs but was not ready after {timeout_s:.0f} s: see "
                f"{layout.log_file(name)}; `make down` and `make up` start it afresh"
            )
        await asyncio.sleep(POLL_S)


def died(name: str, layout: Layout) -> DiedAtStart:
    """The failure of a process that ended before it was ready, with its last words."""
    log = layout.log_file(name)
    return DiedAtStart(f"{name} ended at its start: see {log}; its last line: {last_line(log)}")


def last_line(log: Path) -> str:
    """The last line of a log that is not empty, cut to a readable length."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        lines = []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "(none)")
    if len(last) > _LAST_LINE_CHARACTERS_MAX:
        return f"{last[:_LAST_LINE_CHARACTERS_MAX]}…"
    return last


async def stop(layout: Layout, names: Iterable[str], *, timeout_s: float = STOP_TIMEOUT_S) -> list[str]:
    """End the processes whose pid files carry these names, all at once, and remove the files.

    Asks first and kills after `timeout_s` seconds. A pid that now belongs to another process
    is left alone. Returns the names of those that had to be killed.
    """
    outcomes = await asyncio.gather(*(_stop_one(layout, name, timeout_s) for name in names))
    return [name for name in outcomes if name is not None]


async def _stop_one(layout: Layout, name: str, timeout_s: float) -> str | None:
    identity = running(layout, name)
    killed = None
    if identity is not None:
        _signal(identity, _STOP_SIGNALS.get(name, signal.SIGTERM))
        if not await _gone(identity, timeout_s):
            killed = name
            # Its session too: a service may have workers that would outlive it.
            _signal(identity, signal.SIGKILL, whole_session=True)
            await _gone(identity, timeout_s)
    layout.pid_file(name).unlink(missing_ok=True)
    return killed


def _signal(identity: Identity, number: signal.Signals, *, whole_session: bool = False) -> None:
    try:
        (os.killpg if whole_session else os.kill)(identity.pid, number)
    except ProcessLookupError:
        return  # It ended between the look and the signal.


async def _gone(identity: Identity, timeout_s: float) -> bool:
    clock = asyncio.get_running_loop().time
    deadline = clock() + timeout_s
    while identity.is_alive:
        if clock() > deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True
