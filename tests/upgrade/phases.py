"""The course of an upgrade and its rollback: which instance is of which version, phase by phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rondo_local.services import SERVICES, Instance

INSTANCES_EACH = 2


class Side(StrEnum):
    """One of the two versions."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Phase:
    """A time in which chats are played: the version of the first and of the second instance of all."""

    says: str
    first: Side
    second: Side

    def sides(self) -> Mapping[str, Side]:
        """The version of each instance."""
        return {each.name: self.first if number == 0 else self.second for number, each in _numbered()}


PHASES = (
    Phase("all of the version before", Side.BEFORE, Side.BEFORE),
    Phase("half and half", Side.BEFORE, Side.AFTER),
    Phase("all of the version after", Side.AFTER, Side.AFTER),
    Phase("half and half, on the way back", Side.BEFORE, Side.AFTER),
    Phase("back at the version before", Side.BEFORE, Side.BEFORE),
    Phase("half and half, the other way round", Side.AFTER, Side.BEFORE),
    Phase("all of the version after, again", Side.AFTER, Side.AFTER),
)


def instances() -> list[Instance]:
    """Every instance, the first of each service and then the second."""
    return [each for _, each in _numbered()]


def _numbered() -> list[tuple[int, Instance]]:
    return [
        (number, Instance(service.name if number == 0 else f"{service.name}-{number + 1}", service))
        for number in range(INSTANCES_EACH)
        for service in SERVICES
    ]


def replaced(before: Phase, after: Phase) -> list[Instance]:
    """Who is replaced between two phases."""
    was, becomes = before.sides(), after.sides()
    return [each for each in instances() if was[each.name] is not becomes[each.name]]
