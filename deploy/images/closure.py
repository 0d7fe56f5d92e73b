"""What some of Rondo's packages need from outside: their part of ``requirements.lock``, sums included.

``python closure.py requirements.lock rondo-common rondo-router``. The lock file says with each package
which others asked for it (``# via``); what leads to one of those named is needed, and nothing else.
Standard library only, because it runs in an image where nothing is installed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PINNED = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)(\[[^\]]*\])?==")


@dataclass(frozen=True)
class Package:
    """One package of the lock file: its lines, and who asked for it."""

    name: str
    lines: tuple[str, ...]
    wanted_by: frozenset[str]


def main(arguments: list[str]) -> int:
    """Print the part of the lock file; the exit status."""
    if len(arguments) < 2:  # noqa: PLR2004 - the file, and at least one name
        print("usage: closure.py requirements.lock PACKAGE…", file=sys.stderr)
        return 2
    packages = list(read(Path(arguments[0]).read_text(encoding="utf-8").splitlines()))
    wanted = closure(packages, arguments[1:])
    if not wanted:
        print(f"nothing in {arguments[0]} is there for {', '.join(arguments[1:])}", file=sys.stderr)
        return 1
    print("\n".join(line for package in wanted for line in package.lines))
    return 0


def closure(packages: Collection[Package], names: Iterable[str]) -> list[Package]:
    """The packages that are named, or that those named lead to, in the order of the lock file."""
    needed = set(names)
    found = -1
    while found != len(needed):
        found = len(needed)
        needed |= {each.name for each in packages if each.wanted_by & needed}
    return [each for each in packages if each.name in needed]


def read(lines: Iterable[str]) -> Iterator[Package]:
    """Every package of a lock file that ``uv pip compile`` has written."""
    block: list[str] = []
    for line in lines:
        if PINNED.match(line) and block:
            yield _package(block)
            block = []
        if PINNED.match(line) or block:
            block.append(line)
    if block:
        yield _package(block)


def _package(block: list[str]) -> Package:
    match = PINNED.match(block[0])
    name = match["name"] if match else ""
    comments = [line.strip().lstrip("# ") for line in block if line.startswith("    #")]
    wanted_by = {each.removeprefix("via").strip().split(" ")[0] for each in comments}
    return Package(
        name, tuple(line for line in block if not line.startswith("#")), frozenset(wanted_by - {""})
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
