"""Telling a process from another that was given the same pid later."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Identity:
    """A process: its pid and when it started, in whatever form the system tells exactly."""

    pid: int
    started: str

    @property
    def is_alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        return identity_of(self.pid) == self

    def write(self, file: Path) -> None:
        """Write the pid file: the pid on the first line, the start on the second."""
        file.write_text(f"{self.pid}\n{self.started}\n", encoding="utf-8")


def identity_of(pid: int) -> Identity | None:
    """The process that has this pid now, or None when it is gone or a zombie."""
    started = _started_linux(pid) if (_PROC / "self/stat").exists() else _started_posix(pid)
    return Identity(pid, started) if started else None


def read_identity(file: Path) -> Identity | None:
    """The process a pid file names, or None when there is no such file or it is damaged."""
    try:
        pid, started = file.read_text(encoding="utf-8").splitlines()[:2]
        return Identity(int(pid), started)
    except (FileNotFoundError, ValueError):
        return None


def program_of(pid: int) -> str:
    """The name of the program that runs under this pid, empty when none does."""
    if (_PROC / "self/stat").exists():
        try:
            return (_PROC / str(pid) / "comm").read_text(encoding="utf-8", errors="replace").strip()
        except (FileNotFoundError, ProcessLookupError):
            return ""
    return _ps("comm=", pid)


def _started_linux(pid: int) -> str | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses, and may hold anything.
    fields = stat[stat.rindex(")") + 2 :].split()
    state, start_ticks = fields[0], fields[19]
    # Ticks count from boot: with the boot's own id they are exact, and unique over boots.
    boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    return None if state in "ZX" else f"{boot}+{start_ticks}"


def _started_posix(pid: int) -> str | None:
    state, _, started = _ps("state=,lstart=", pid).partition(" ")
    return None if not started or state.startswith("Z") else started.strip()


def _ps(columns: str, pid: int) -> str:
    answer = subprocess.run(
        ["/bin/ps", "-o", columns, "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()
