"""The promises of the consumer loop, one by one, on a consumer in memory."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from structlog.testing import capture_logs

from rondo_common.errors import Fatal, Rejected, Retryable
from rondo_common.kafka.consumer import ConsumerLoop, LoopLimits
from rondo_common.kafka.records import Record
from tests.common.consumed import (
    BRISK,
    FIRST,
    SECOND,
    TOPIC,
    DeadLetterBox,
    RecordingHandler,
    Step,
    raw,
    raws,
    running,
    until,
)
from tests.common.fake_consumer import FakeConsumer


def waits_for(gate: asyncio.Event, partition: TopicPartition = FIRST) -> Step:
    """Batches of ``partition`` take until the gate opens."""

    async def step(at: TopicPartition, _: Sequence[Record]) -> None:
        if at == partition:
            await gate.wait()

    return step


def raises(*errors: BaseException, on: int | None = None) -> Step:
    """Fails once with each of ``errors``, in order; only for batches with the offset ``on`` if given."""
    left = list(errors)

    async def step(_: TopicPartition, records: Sequence[Record]) -> None:
        if left and (on is None or on in [record.offset for record in records]):
            raise left.pop(0)

    return step


def refuses(*offsets: int, because: type[Exception] = Rejected) -> Step:
    """These records can never succeed."""

    async def step(_: TopicPartition, records: Sequence[Record]) -> None:
        for index, record in enumerate(records):
            if record.offset in offsets:
                raise Rejected("never", index) if because is Rejected else because("a defect")

    return step


def brisk(**work: Any) -> LoopLimits:
    """The brisk limits, but for those of a partition's work."""
    return dataclasses.replace(BRISK, work=dataclasses.replace(BRISK.work, **work))


# --- order -------------------------------------------------------------------------------------


async def test_a_partitions_records_are_handled_in_order_and_in_batches() -> None:
    async with running() as it:
        it.consumer.put(*raws(FIRST, 50))
        await it.consumer.assign(FIRST)
        await until(lambda: it.handler.offsets(FIRST) == list(range(50)))
        assert max(map(len, it.handler.attempted[FIRST])) == BRISK.work.lane.batch_max


async def test_partitions_do_not_wait_for_each_other() -> None:
    gate = asyncio.Event()
    async with running(RecordingHandler(waits_for(gate, FIRST))) as it:
        it.consumer.put(*raws(FIRST, 30), *raws(SECOND, 30))
        await it.consumer.assign(FIRST, SECOND)
        await until(lambda: it.handler.offsets(SECOND) == list(range(30)))
        assert it.handler.offsets(FIRST) == []
        gate.set()
        await until(lambda: it.handler.offsets(FIRST) == list(range(30)))


async def test_a_partition_is_prepared_before_its_first_batch_and_again_when_that_fails() -> None:
    handler = RecordingHandler(assigned_errors=[Retryable("not yet"), Retryable("not yet")])
    async with running(handler) as it:
        it.consumer.put(*raws(FIRST, 3))
        await it.consumer.assign(FIRST)
        await until(lambda: handler.offsets(FIRST) == [0, 1, 2])
        assert handler.told == ["assigned 0"]
        await it.consumer.revoke(FIRST)
        assert handler.told == ["assigned 0", "revoked 0"]


# --- commits -----------------------------------------------------------------------------------


async def test_only_what_is_done_is_committed() -> None:
    gate = asyncio.Event()
    async with running(RecordingHandler(waits_for(gate))) as it:
        it.consumer.put(*raws(FIRST, 6), *raws(SECOND, 6))
        await it.consumer.assign(FIRST, SECOND)
        await until(lambda: it.consumer.committed.get(SECOND) == 6)
        assert FIRST not in it.consumer.committed
        gate.set()
        await until(lambda: it.consumer.committed.get(FIRST) == 6)


async def test_nothing_is_committed_twice() -> None:
    async with running() as it:
        it.consumer.put(*raws(FIRST, 4))
        await it.consumer.assign(FIRST)
        await until(lambda: it.consumer.committed.get(FIRST) == 4)
        before = it.consumer.commits
        await it.consumer.revoke(FIRST)
        await it.finish()
        assert it.consumer.commits == before


@pytest.mark.parametrize("error", [CommitFailedError(), IllegalStateError()])
async def test_a_commit_that_fails_is_made_up_for_later(error: Exception) -> None:
    async with running() as it:
        it.consumer.commit_errors = [error]
        it.consumer.put(*raws(FIRST, 4))
        await it.consumer.assign(FIRST)
        await until(lambda: it.consumer.committed.get(FIRST) == 4)


async def test_a_commit_that_fails_as_nobody_foresaw_ends_the_run() -> None:
    async with running() as it:
        it.consumer.commit_errors = [RuntimeError("a defect")]
        it.consumer.put(*raws(FIRST, 4))
        await it.consumer.assign(FIRST)
        with pytest.raises(Fatal, match="a defect"):
            await asyncio.wait_for(it.task, 5)
        assert it.consumer.stopped


# --- coming and going --------------------------------------------------------------------------


async def test_a_revoked_partition_finishes_its_batch_and_commits_before_it_is_given_up() -> None:
    gate = asyncio.Event()
    async with running(RecordingHandler(waits_for(gate))) as it:
        it.consumer.put(*raws(FIRST, 4))
        await it.consumer.assign(FIRST)
        await until(lambda: it.handler.attempted.get(FIRST))
        revoking = asyncio.create_task(it.consumer.revoke(FIRST))
        await asyncio.sleep(0)  # The revocation has begun; the batch goes on.
        assert not revoking.done()
        gate.set()
        await revoking
        assert it.handler.offsets(FIRST) == [0, 1, 2, 3]
        assert it.consumer.committed == {FIRST: 4}
        assert it.handler.told == ["assigned 0", "revoked 0"]


async def test_records_behind_the_batch_in_work_are_left_to_the_next_owner() -> None:
    gate = asyncio.Event()
    async with running(RecordingHandler(waits_for(gate))) as it:
        it.consumer.put(*raws(FIRST, 8))
        await it.consumer.assign(FIRST)
        await until(lambda: it.handler.attempted.get(FIRST))
        batch = it.handler.attempted[FIRST][0]
        revoking = asyncio.create_task(it.consumer.revoke(FIRST))
        await asyncio.sleep(0)  # The revocation has begun; the batch goes on.
        gate.set()
        await revoking
        assert it.handler.attempted[FIRST] == [batch]
        assert it.consumer.committed == {FIRST: batch[-1] + 1}
        await it.consumer.assign(FIRST)
        await until(lambda: it.handler.offsets(FIRST) == list(range(8)))


async def test_a_batch_that_takes_longer_than_the_drain_is_cancelled_and_not_committed() -> None:
    never = asyncio.Event()
    limits = dataclasses.replace(BRISK, drain_s=0.01)
    async with running(RecordingHandler(waits_for(never)), limits=limits) as it:
        it.consumer.put(*raws(FIRST, 4), *raws(SECOND, 4))
        await it.consumer.assign(FIRST, SECOND)
        await until(lambda: it.handler.attempted.get(FIRST) and it.handler.offsets(SECOND))
        await it.consumer.revoke(FIRST, SECOND)
        assert it.handler.at_once[FIRST] == 0
        assert it.consumer.committed == {SECOND: 4}


async def test_a_partition_that_waits_for_a_retry_is_given_up_at_once() -> None:
    limits = brisk(retry_delay_s_min=3600.0)
    async with running(RecordingHandler(raises(Retryable("not yet"))), limits=limits) as it:
        it.consumer.put(*raws(FIRST, 4))
        await it.consumer.assign(FIRST)
        await until(it.loop.blocked)
        await asyncio.wait_for(it.consumer.revoke(FIRST), 5)
        assert it.consumer.committed == {}
        assert it.loop.blocked() == {}


async def test_stopping_drains_commits_and_leaves_the_group() -> None:
    gate = asyncio.Event()
    async with running(RecordingHandler(waits_for(gate))) as it:
        it.consumer.put(*raws(FIRST, 4))
        await it.consumer.assign(FIRST)
        await until(lambda: it.handler.attempted.get(FIRST))
        it.stop.set()
        gate.set()
        await it.finish()
        assert it.consumer.committed == {FIRST: len(it.handler.attempted[FIRST][0])}
        assert it.consumer.stopped


async def test_stopping_while_partitions_are_taken_away_waits_for_that() -> None:
    gate = asyncio.Event()
    async with running(RecordingHandler(waits_for(gate))) as it:
        it.consumer.put(*raws(FIRST, 4))
        await it.consumer.assign(FIRST)
        await until(lambda: it.handler.attempted.get(FIRST))
        revoking = asyncio.create_task(it.consumer.revoke(FIRST))
        await asyncio.sleep(0)  # The revocation has begun.
        it.stop.set()
        await until(lambda: not it.loop.is_ready)
        gate.set()
        await revoking
        await it.finish()
        assert it.handler.told == ["assigned 0", "revoked 0"]
        assert it.consumer.committed == {FIRST: len(it.handler.attempted[FIRST][0])}
        assert it.consumer.stopped


async def test_partitions_that_come_while_leaving_are_not_begun() -> None:
    async with running() as it:
        await it.finish()
        it.consumer.put(*raws(FIRST, 4))
        await it.consumer.assign(FIRST)
        assert it.handler.told == []
        assert it.loop.blocked() == {}


async def test_a_handler_that_fails_to_let_go_keeps_nothing_back() -> None:
    handler = RecordingHandler(revoked_errors=[Retryable("no"), RuntimeError("no")])
    async with running(handler) as it:
        it.consumer.put(*raws(FIRST, 4), *raws(SECOND, 4))
        await it.consumer.assign(FIRST, SECOND)
        await it.consumer.revoke(FIRST, SECOND)
        assert sorted(handler.told[-2:]) == ["revoked 0", "revoked 1"]
        await it.consumer.assign(SECOND)
        it.consumer.put(*raws(SECOND, 4, start=4))
        await until(lambda: it.consumer.committed.get(SECOND) == 8)


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


# --- back pressure -----------------------------------------------------------------------------


async def test_a_partition_is_paused_above_its_limit_and_resumed_when_half_of_it_is_free() -> None:
    gate = asyncio.Event()
    async with running(RecordingHandler(waits_for(gate))) as it:
        it.consumer.put(*raws(FIRST, 100), *raws(SECOND, 3))
        await it.consumer.assign(FIRST, SECOND)
        await until(lambda: it.consumer.paused_now == {FIRST})
        await until(lambda: it.handler.offsets(SECOND) == [0, 1, 2])
        gate.set()
        await until(lambda: it.consumer.committed.get(FIRST) == 100)
        assert it.handler.offsets(FIRST) == list(range(100))
        assert it.consumer.paused_now == set()
        assert it.consumer.paused_ever == {FIRST}


async def test_a_partition_that_comes_back_is_not_paused_any_more() -> None:
    gate = asyncio.Event()
    limits = dataclasses.replace(BRISK, drain_s=0.01)
    async with running(RecordingHandler(waits_for(gate)), limits=limits) as it:
        it.consumer.put(*raws(FIRST, 20))
        await it.consumer.assign(FIRST)
        await until(lambda: it.consumer.paused_now == {FIRST})
        await it.consumer.revoke(FIRST)
        gate.set()
        await it.consumer.assign(FIRST)
        await until(lambda: it.consumer.committed.get(FIRST) == 20)


# --- alive, ready, fatal -----------------------------------------------------------------------


async def test_alive_means_that_the_poll_loop_turned_lately() -> None:
    now = 0.0
    async with running(clock=lambda: now) as it:
        await until(lambda: it.consumer.fetches > 1)
        assert it.loop.is_alive
        it.consumer.answers.clear()
        fetches = it.consumer.fetches
        await until(lambda: it.consumer.fetches >= fetches)
        now = LoopLimits().stalled_s_max
        await until(lambda: not it.loop.is_alive)
        it.consumer.answers.set()
        await until(lambda: it.loop.is_alive)


def test_before_it_runs_nothing_is_expected_of_a_loop() -> None:
    now = 0.0
    loop = ConsumerLoop(FakeConsumer(), [TOPIC], RecordingHandler(), DeadLetterBox(), clock=lambda: now)
    now = 1000.0
    assert loop.is_alive
    assert not loop.is_ready


async def test_ready_means_joined_even_without_a_partition() -> None:
    async with running() as it:
        await asyncio.sleep(0)
        assert it.loop.is_alive
        assert not it.loop.is_ready
        with pytest.raises(Retryable):
            await it.loop.check_ready()
        await it.consumer.assign()
        assert it.loop.is_ready
        await it.loop.check_ready()


async def test_a_fatal_error_of_the_handler_ends_the_run_and_the_rest_is_drained() -> None:
    async with running(RecordingHandler(raises(Fatal("fenced for good"), on=2))) as it:
        it.consumer.put(*raws(FIRST, 4))
        await it.consumer.assign(FIRST, SECOND)
        with pytest.raises(Fatal, match="fenced for good"):
            await asyncio.wait_for(it.task, 5)
        assert it.consumer.committed == {}
        assert it.dead_letters.buried == []
        assert not it.loop.is_alive
        assert it.consumer.stopped


async def test_a_fatal_error_of_the_consumer_ends_the_run() -> None:
    async with running() as it:
        it.consumer.put(*raws(FIRST, 4))
        await it.consumer.assign(FIRST)
        await until(lambda: it.handler.offsets(FIRST))
        it.consumer.fail(KafkaError("the coordinator is gone"))
        with pytest.raises(Fatal, match="the coordinator is gone"):
            await asyncio.wait_for(it.task, 5)
        assert it.consumer.committed == {FIRST: 4}
        assert it.consumer.stopped


async def test_an_error_nobody_foresaw_before_the_first_batch_ends_the_run() -> None:
    async with running(RecordingHandler(assigned_errors=[KeyError("a defect")])) as it:
        await it.consumer.assign(FIRST)
        with pytest.raises(Fatal, match="a defect"):
            await asyncio.wait_for(it.task, 5)


async def test_a_partition_whose_work_was_cancelled_from_within_does_not_fall_silent() -> None:
    async with running(RecordingHandler(raises(asyncio.CancelledError()))) as it:
        it.consumer.put(*raws(FIRST, 4))
        await it.consumer.assign(FIRST)
        with pytest.raises(Fatal, match="cancelled from within"):
            await asyncio.wait_for(it.task, 5)


async def test_the_loop_subscribes_to_its_topics() -> None:
    async with running() as it:
        assert it.consumer.topics == [TOPIC]
