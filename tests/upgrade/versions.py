"""Two versions of Rondo: the one of a git reference, checked out and set up beside, and the one at hand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class CannotCheckOut(Exception):
    """Give a reference that this repository has, and that sets itself up: the text has its last words."""


@dataclass(frozen=True)
class Version:
    """One version: what it is called here, and the interpreter that has it installed."""

    name: str
    python: Path


def at_hand() -> Version:
    """The version of the working tree."""
    return Version("at hand", Path(sys.executable))


@contextmanager
def checked_out(reference: str, directory: Path) -> Iterator[Version]:
    """The version of ``reference``, in a worktree under ``directory`` while the body runs.

    Raises:
        CannotCheckOut: there is no such version, or it cannot be set up.
    """
    checkout = directory / "checkout"
    _run("git", "worktree", "add", "--detach", str(checkout), reference)
    try:
        _run(sys.executable, str(checkout / "deploy" / "local" / "bootstrap.py"))
        yield Version(reference, checkout / ".venv" / "bin" / "python")
    finally:
        _run("git", "worktree", "remove", "--force", str(checkout))


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotCheckOut(f"`{' '.join(words)}` failed: {(done.stderr or done.stdout).strip()}")
