"""How many Kafka nodes a stack has, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rondo_local.failures import BrokersFixed, CannotRun

COUNT_VARIABLE = "BROKERS"
COUNTS = (1, 3, 5)
"""Odd ones: of four nodes no more may be lost than of three."""

REPLICAS_MAX = 3


def node_name(number: int) -> str:
    """What node `number` is called, from 1 on: `kafka`, `kafka-2`, `kafka-3`."""
    return "kafka" if number == 1 else f"kafka-{number}"


@dataclass(frozen=True)
class Brokers:
    """The nodes of one stack's Kafka; each is broker and controller."""

    count: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the nodes' processes, in the order of their ids."""
        return tuple(node_name(number) for number in range(1, self.count + 1))

    @property
    def replication_factor(self) -> int:
        """How many nodes have a copy of each record."""
        return min(self.count, REPLICAS_MAX)

    @property
    def in_sync_min(self) -> int:
        """How many must have a record before it is confirmed: one node may be lost."""
        return max(1, self.replication_factor - 1)

    def settings(self) -> dict[str, str]:
        """What the services are told of it: nothing where the defaults are right."""
        if self.count == 1:
            return {}
        return {
            "RONDO_KAFKA_REPLICATION_FACTOR": str(self.replication_factor),
            "RONDO_KAFKA_MIN_INSYNC_REPLICAS": str(self.in_sync_min),
        }


def chosen(environ: Mapping[str, str], remembered: int | None) -> Brokers:
    """As many nodes as the stack was made with; a new one (`remembered` is None) gets those asked for.

    The nodes' number is for good: topics are spread over them, and each knows the others.

    Raises CannotRun for a number that cannot be, BrokersFixed for another than the stack has.
    """
    text = environ.get(COUNT_VARIABLE) or str(remembered or 1)
    if not (text.isdecimal() and int(text) in COUNTS):
        raise CannotRun(f"{COUNT_VARIABLE}={text!r} cannot be: set {', '.join(map(str, COUNTS))}")
    if remembered is not None and int(text) != remembered:
        raise BrokersFixed(
            f"{COUNT_VARIABLE}={text}, but this stack was made with {remembered}: "
            f"`make clean` deletes it, then run `make up {COUNT_VARIABLE}={text}`"
        )
    return Brokers(int(text))
