"""The file that tells a shell where the stack is."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path


def rendered(values: Mapping[str, str]) -> str:
    """Lines that a POSIX shell can source: `export NAME='value'`."""
    return "".join(f"export {name}={_quoted(value)}\n" for name, value in values.items())


def _quoted(value: str) -> str:
    # Nothing is special between single quotes but the single quote itself.
    return "'" + value.replace("'", "'\\''") + "'"


def read_env(path: Path) -> dict[str, str]:
    """The values of a file that :func:`rendered` wrote."""
    lines = [shlex.split(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    pairs = (assignment.partition("=") for _, assignment in lines)
    return {name: value for name, _, value in pairs}
