"""The consumer loop's promises together, whatever goes wrong: faults of the handler, comings and goings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError
from hypothesis import given, settings
from hypothesis import strategies as st

from rondo_common.errors import Rejected, Retryable
from rondo_common.kafka.records import Record
from tests.common.consumed import FIRST, SECOND, RecordingHandler, raw, running, until

RECORDS = 24

FAULTS = st.sampled_from(["none", "retry", "defect", "slow"])
UPSETS = st.sampled_from(["revoke first", "revoke both", "commit fails", "nothing"])


class Trouble:
    """Decides what happens to each batch: drawn faults first, then none. Bad records never succeed."""

    def __init__(self, faults: list[str], bad: set[int]) -> None:
        self._faults = list(faults)
        self._bad = bad

    async def __call__(self, _: TopicPartition, records: Sequence[Record]) -> None:
        fault = self._faults.pop() if self._faults else "none"
        if fault == "retry":
            raise Retryable("not now")
        if fault == "slow":
            await asyncio.sleep(0.002)
        for index, record in enumerate(records):
            if record.offset in self._bad:
                raise RuntimeError if fault == "defect" else Rejected("never", index)


@settings(max_examples=60, deadline=None)
@given(
    faults=st.lists(FAULTS, max_size=12),
    bad=st.sets(st.integers(0, RECORDS - 1), max_size=4),
    unreadable=st.sets(st.integers(0, RECORDS - 1), max_size=4),
    upsets=st.lists(UPSETS, max_size=5),
)
def test_nothing_is_lost_and_order_holds_whatever_goes_wrong(
    faults: list[str], bad: set[int], unreadable: set[int], upsets: list[str]
) -> None:
    asyncio.run(_play(faults, bad, unreadable, upsets))


async def _play(faults: list[str], bad: set[int], unreadable: set[int], upsets: list[str]) -> None:
    handler = RecordingHandler(Trouble(faults, bad))
    async with running(handler) as it:
        for partition in (FIRST, SECOND):
            it.consumer.put(
                *(
                    raw(partition, offset, headers=() if offset in unreadable else None)
                    for offset in range(RECORDS)
                )
            )
        await it.consumer.assign(FIRST, SECOND)
        for upset in upsets:
            await it.turn()
            match upset:
                case "revoke first":
                    await it.consumer.revoke(FIRST)
                    await it.consumer.assign(FIRST)
                case "revoke both":
                    await it.consumer.revoke(FIRST, SECOND)
                    await it.consumer.assign(FIRST, SECOND)
                case "commit fails":
                    it.consumer.commit_errors.append(CommitFailedError())
        await until(lambda: it.consumer.committed == {FIRST: RECORDS, SECOND: RECORDS})
        await it.finish()
    lost = bad | unreadable
    for partition in (FIRST, SECOND):
        firsts = list(dict.fromkeys(handler.offsets(partition)))
        assert firsts == [offset for offset in range(RECORDS) if offset not in lost]
    assert {(where, offset) for where, offset, _ in it.dead_letters.buried} == {
        (partition.partition, offset) for partition in (FIRST, SECOND) for offset in lost
    }
