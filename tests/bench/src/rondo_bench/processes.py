"""What processes have used so far, as Linux counts it."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


def cpu_s(pid: int) -> float:
    """The processor time of a process so far, in seconds; of a server of many processes, all of it."""
    return sum(_own_cpu_s(each) for each in (pid, *_descendants(pid)))


def resident_kib(pid: int) -> int:
    """The memory a process and its descendants hold, in KiB. What they share counts each time."""
    return sum(_own_resident_kib(each) for each in (pid, *_descendants(pid)))


def _own_cpu_s(pid: int) -> float:
    fields = _fields(pid)
    # With what children used that have ended meanwhile, such as a server's workers.
    return sum(int(each) for each in fields[11:15]) / _TICKS_PER_S


def _own_resident_kib(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_KIB


def _descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [each for child in map(int, children) for each in (child, *_descendants(child))]


def _fields(pid: int) -> list[str]:
    # Behind the program's name, which stands in parentheses and may hold anything.
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
