"""PostgreSQL refuses to run as root; this runs it as somebody else without a system account."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rondo_local.failures import CannotRun

NOBODY = 65534

_IN_A_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
_AS_NOBODY = (
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    # The parents of the checkout may be closed to others, as /root is.
    "--inh-caps=+dac_override,+dac_read_search",
    "--ambient-caps=+dac_override,+dac_read_search",
)


@dataclass(frozen=True)
class OrdinaryUser:
    """How to run a command as someone who is not root: what precedes it, and who owns files."""

    prefix: tuple[str, ...]
    owner: int | None = None

    def own(self, directory: Path) -> None:
        """Give an empty directory to the user, where that is another than the present one."""
        if self.owner is not None:
            os.chown(directory, self.owner, self.owner)


def ordinary_user(euid: int, works: Callable[[Sequence[str]], bool]) -> OrdinaryUser:
    """How `euid` runs commands as an ordinary user; `works` tries a command.

    Root takes a user namespace, in which its files belong to user 1000, or, where those are
    forbidden, the identity of nobody. Raises CannotRun when both are refused.
    """
    if euid != 0:
        return OrdinaryUser(())
    if works((*_IN_A_NAMESPACE, "true")):
        return OrdinaryUser(_IN_A_NAMESPACE)
    if works((*_AS_NOBODY, "true")):
        return OrdinaryUser(_AS_NOBODY, NOBODY)
    raise CannotRun(
        "PostgreSQL does not run as root, and `unshare` and `setpriv` are refused here: "
        "run the same command as an ordinary user"
    )


def works_here(argv: Sequence[str]) -> bool:
    """Whether a command exists and exits with 0."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0
