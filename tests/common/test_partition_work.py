"""The work on one partition: tried again, or dead-lettered, and what follows always goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import TopicPartition
from structlog.testing import capture_logs

from rondo_common.errors import Rejected, Retryable
from rondo_common.kafka.records import Record
from tests.common.consumed import (
    FIRST,
    SECOND,
    TOPIC,
    RecordingHandler,
    brisk,
    raises,
    raw,
    raws,
    refuses,
    running,
    until,
)

# --- trying again ------------------------------------------------------------------------------


async def test_what_may_succeed_later_is_tried_again_with_growing_pauses() -> None:
    step = raises(*(Retryable("not yet") for _ in range(5)))
    with capture_logs() as logs:
        async with running(RecordingHandler(step)) as it:
            it.consumer.put(*raws(FIRST, 4))
            await it.consumer.assign(FIRST)
            await until(lambda: it.handler.offsets(FIRST) == [0, 1, 2, 3])
            assert it.handler.attempted[FIRST] == [[0, 1, 2, 3]] * 6
            assert it.dead_letters.buried == []
    pauses = [line["retry_in_s"] for line in logs if line["event"] == "partition_blocked"]
    assert pauses == [0.001, 0.002, 0.004, 0.004, 0.004]


async def test_a_waiting_partition_is_visible_and_the_others_go_on() -> None:
    down = asyncio.Event()

    async def step(partition: TopicPartition, _: Sequence[Record]) -> None:
        if partition == FIRST and not down.is_set():
            raise Retryable("PostgreSQL is out of reach")

    async with running(RecordingHandler(step)) as it:
        it.consumer.put(*raws(FIRST, 4), *raws(SECOND, 40))
        await it.consumer.assign(FIRST, SECOND)
        await until(lambda: it.handler.offsets(SECOND) == list(range(40)))
        await until(lambda: it.loop.blocked() == {f"{TOPIC}[0]": "PostgreSQL is out of reach"})
        assert FIRST not in it.consumer.committed
        down.set()
        await until(lambda: it.consumer.committed.get(FIRST) == 4)
        assert it.loop.blocked() == {}


async def test_an_attempt_that_takes_too_long_is_tried_again() -> None:
    attempts = 0

    async def step(_: TopicPartition, __: Sequence[Record]) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            await asyncio.Event().wait()

    limits = brisk(attempt_timeout_s=0.01)
    async with running(RecordingHandler(step), limits=limits) as it:
        it.consumer.put(*raws(FIRST, 4))
        await it.consumer.assign(FIRST)
        await until(lambda: it.consumer.committed.get(FIRST) == 4)


# --- dead letters ------------------------------------------------------------------------------


async def test_a_record_that_cannot_be_read_is_dead_lettered_and_the_rest_goes_on() -> None:
    async with running() as it:
        good = raw(FIRST, 0)
        it.consumer.put(
            good,
            raw(FIRST, 1, headers=()),
            raw(FIRST, 2, value=b"no JSON"),
            raw(FIRST, 3, headers=[(name, None) for name, _ in good.headers]),
            raw(FIRST, 4),
        )
        await it.consumer.assign(FIRST)
        await until(lambda: it.consumer.committed.get(FIRST) == 5)
        assert it.handler.offsets(FIRST) == [0, 4]
        assert it.dead_letters.offsets == [1, 2, 3]
        assert "ce_id" in it.dead_letters.buried[0][2]


async def test_a_batch_of_nothing_but_unreadable_records_is_passed() -> None:
    async with running() as it:
        it.consumer.put(*(raw(FIRST, offset, headers=()) for offset in range(3)))
        await it.consumer.assign(FIRST)
        await until(lambda: it.consumer.committed.get(FIRST) == 3)
        assert it.handler.attempted == {}


async def test_a_rejected_record_is_dead_lettered_with_why_and_the_rest_goes_on() -> None:
    async with running(RecordingHandler(refuses(1, 2))) as it:
        it.consumer.put(*raws(FIRST, 8))
        await it.consumer.assign(FIRST)
        await until(lambda: it.consumer.committed.get(FIRST) == 8)
        assert it.handler.offsets(FIRST) == [0, 3, 4, 5, 6, 7]
        assert it.dead_letters.buried == [(0, 1, "never"), (0, 2, "never")]


async def test_an_error_nobody_foresaw_costs_only_the_record_that_caused_it() -> None:
    async with running(RecordingHandler(refuses(2, because=KeyError))) as it:
        it.consumer.put(*raws(FIRST, 8))
        await it.consumer.assign(FIRST)
        await until(lambda: it.consumer.committed.get(FIRST) == 8)
        assert it.handler.offsets(FIRST) == [0, 1, 3, 4, 5, 6, 7]
        assert it.dead_letters.buried == [(0, 2, "KeyError('a defect')")]


async def test_a_rejection_that_names_no_record_of_the_batch_costs_only_the_culprit() -> None:
    async def step(_: TopicPartition, records: Sequence[Record]) -> None:
        if 2 in [record.offset for record in records]:
            raise Rejected("somewhere", index=99)

    async with running(RecordingHandler(step)) as it:
        it.consumer.put(*raws(FIRST, 4))
        await it.consumer.assign(FIRST)
        await until(lambda: it.consumer.committed.get(FIRST) == 4)
        assert it.handler.offsets(FIRST) == [0, 1, 3]
        assert it.dead_letters.offsets == [2]


async def test_a_record_is_not_passed_before_its_dead_letter_is_safe() -> None:
    async with running(RecordingHandler(refuses(1))) as it:
        it.dead_letters.full = True
        it.consumer.put(*raws(FIRST, 4))
        await it.consumer.assign(FIRST)
        await until(it.loop.blocked)
        await it.consumer.revoke(FIRST)
        assert it.consumer.committed == {}
        it.dead_letters.full = False
        await it.consumer.assign(FIRST)
        await until(lambda: it.consumer.committed.get(FIRST) == 4)
        assert it.dead_letters.offsets == [1]
