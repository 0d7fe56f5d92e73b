"""Faust's consumer asks for the partitions it wants, whatever becomes of its own set meanwhile."""

from __future__ import annotations

from typing import Any

from faust.types import TP

from rondo_history.live_metrics.steady_consumer import SteadyConsumer

CHANGELOG = TP("rondo.tests-changelog", 0)


class FakeThread:
    """What fetches records for a consumer: it looks at what it was asked for when records are there."""

    def __init__(self, wanted: set[TP]) -> None:
        self._wanted = wanted
        self.saw: set[TP] | None = None

    async def getmany(self, active_partitions: set[TP], _timeout: float) -> dict[TP, Any]:
        self._wanted.clear()  # As Faust does, once the changelogs are read.
        self.saw = set(active_partitions)
        return {}


async def test_a_set_that_is_emptied_while_records_are_waited_for_does_not_come_to_mean_all() -> None:
    wanted = {CHANGELOG}
    consumer: Any = SteadyConsumer.__new__(SteadyConsumer)
    thread = consumer._thread = FakeThread(wanted)
    await consumer._getmany(wanted, 1.0)
    assert thread.saw == {CHANGELOG}
