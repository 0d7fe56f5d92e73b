"""The consumer loop's figures: what was handled, put aside, and is left to do."""

from __future__ import annotations

import asyncio

import pytest

from rondo_common.errors import Rejected, Retryable
from rondo_common.kafka.lane import Lane, LaneLimits
from rondo_common.kafka.metered import LoopMeter
from rondo_common.kafka.records import read_record
from rondo_common.meter import Meter
from rondo_common.topics import CHAT_REQUESTS
from tests.common.consumed import (
    FIRST,
    SECOND,
    DeadLetterBox,
    RecordingHandler,
    raises,
    raw,
    raws,
    running,
    until,
    waits_for,
)


def told(meter: Meter) -> list[str]:
    """What stands there, without comments."""
    return [line for line in meter.exposition().decode().splitlines() if line.startswith("rondo_")]


def test_what_is_next_to_do_is_the_first_record_until_a_batch_is_done() -> None:
    lane: Lane[str] = Lane(LaneLimits(batch_max=2))
    assert lane.next_to_do is None
    lane.arrive([(7, "a"), (8, "b"), (9, "c")])
    assert lane.next_to_do == 7
    lane.take()
    assert lane.next_to_do == 7
    lane.done()
    assert lane.next_to_do == 9


async def test_a_partition_lags_by_what_is_written_and_not_handled() -> None:
    gate, meter = asyncio.Event(), Meter("router")
    async with running(RecordingHandler(waits_for(gate))) as it:
        LoopMeter(meter).watch("group", it.loop)
        it.consumer.put(*raws(FIRST, 6), *raws(SECOND, 3))
        await it.consumer.assign(FIRST, SECOND)
        await until(lambda: it.handler.offsets(SECOND) == [0, 1, 2])
        assert it.loop.lags()[FIRST] == 6
        await until(lambda: it.loop.lags()[SECOND] == 0)
        lag = 'rondo_consumer_lag_records{group="group",partition="0",topic="rondo.tests"} 6.0'
        assert lag in told(meter)
        assert 'rondo_assigned_partitions{group="group"} 2.0' in told(meter)
        gate.set()
        await until(lambda: it.loop.lags() == {FIRST: 0, SECOND: 0})


async def test_a_partition_that_waits_shows() -> None:
    meter = Meter("router")
    async with running(RecordingHandler(raises(*[Retryable("away")] * 10_000))) as it:
        LoopMeter(meter).watch("group", it.loop)
        it.consumer.put(*raws(FIRST, 1))
        await it.consumer.assign(FIRST)
        await until(lambda: 'rondo_blocked_partitions{group="group"} 1.0' in told(meter))


async def test_only_what_was_handled_or_buried_counts() -> None:
    meter, box = Meter("router"), DeadLetterBox()
    loops = LoopMeter(meter)
    handler = loops.handler("group", [CHAT_REQUESTS], RecordingHandler(raises(Rejected("never"))))
    records = [read_record(each) for each in raws(FIRST, 2)]
    with pytest.raises(Rejected):
        await handler.handle(FIRST, records)
    await handler.handle(FIRST, records)
    await loops.dead_letters("group", [CHAT_REQUESTS], box).bury(raw(FIRST, 9), "why")
    box.full = True
    with pytest.raises(Retryable):
        await loops.dead_letters("group", [CHAT_REQUESTS], box).bury(raw(FIRST, 10), "why")
    lines = told(meter)
    assert 'rondo_handled_records_total{group="group",topic="rondo.tests"} 2.0' in lines
    assert 'rondo_handled_records_total{group="group",topic="rondo.chat.requests"} 0.0' in lines
    assert 'rondo_dead_letters_total{group="group",topic="rondo.tests"} 1.0' in lines
    assert 'rondo_batch_duration_seconds_count{group="group"} 1.0' in lines
