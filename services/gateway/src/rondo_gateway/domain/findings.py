"""What the rule linter finds."""

from __future__ import annotations

from enum import StrEnum

from rondo_common.conversation import Value


class Flaw(StrEnum):
    """What is wrong. Codes are promises; details are for people."""

    NEVER_MET = "never_met"
    """A rule's conditions contradict each other."""
    SHADOWED = "shadowed"
    """Every visitor who meets the rule meets an earlier one first."""
    NO_AGENTS = "no_agents"
    """A rule or team without members."""
    NO_REACHABLE_AGENTS = "no_reachable_agents"
    """A rule or team none of whose members is ever available by schedule and may chat."""
    UNKNOWN_OWNER = "unknown_owner"
    """An account whose owner is not there or may not chat."""
    HOURS_NOT_COVERED = "hours_not_covered"
    """Hours of the week in which no agent of the workspace is available by schedule."""
    NOT_EXAMINED = "not_examined"
    """Something was too large to be looked at."""


class Finding(Value):
    """One thing that is wrong: with whom, what, and what to do about it."""

    subject: str
    """``rule/<id>``, ``team/<id>``, ``account/<id>`` or ``workspace``."""
    problem: Flaw
    detail: str


class FindingList(Value):
    """Everything the rule linter found: rules in their order, teams and accounts by id, the workspace."""

    data: list[Finding]


WORKSPACE = "workspace"
NAMES_SHOWN_MAX = 5


def enumerated(names: list[str], shown_max: int = NAMES_SHOWN_MAX) -> str:
    """The names, or the first of them and how many more there are."""
    more = len(names) - shown_max
    return ", ".join(names[:shown_max]) + (f" and {more} more" if more > 0 else "")
