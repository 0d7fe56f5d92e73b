"""The words of ``rondo doctor``: what was looked at, how it is, and how to mend it.

An installed package adds examinations of its own with an entry point of the group
``rondo.examinations``: an async function from the environment to findings.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

ENTRY_POINTS = "rondo.examinations"


class Level(StrEnum):
    """How something is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and may not when it matters; or it cannot be seen from here."""
    WRONG = "wrong"
    """Rondo does not work so."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``remedy`` is what to do; empty when there is nothing to."""

    subject: str
    level: Level
    says: str
    remedy: str = ""


Examination = Callable[[Mapping[str, str]], Awaitable[Sequence[Finding]]]
"""Looks at one dependency. Raises nothing for what is the matter with that: a finding says it."""


def fine(subject: str, says: str) -> Finding:
    """It is as it should be."""
    return Finding(subject, Level.OK, says)


def doubtful(subject: str, says: str, remedy: str) -> Finding:
    """It works, for now."""
    return Finding(subject, Level.WARNING, says, remedy)


def wrong(subject: str, says: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(subject, Level.WRONG, says, remedy)


def not_examined(subject: str, variable: str) -> Finding:
    """Nobody said where it is."""
    return doubtful(subject, f"not examined: {variable} is not set", f"set {variable} as services have it")


CLOCK_SKEW_S_MAX = 1.0


def clock_finding(subject: str, ahead_s: float) -> Finding:
    """What to make of a clock that is so far ahead of this machine's."""
    if abs(ahead_s) <= CLOCK_SKEW_S_MAX:
        return fine(subject, f"its clock agrees with this machine's ({ahead_s:+.2f} s)")
    return wrong(
        subject,
        f"its clock is {ahead_s:+.1f} s off this machine's: offers and tokens would end at the wrong time",
        "let both machines follow one time source (NTP, chrony)",
    )
