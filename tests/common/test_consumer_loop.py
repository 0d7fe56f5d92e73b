"""The promises of the consumer loop, one by one, on a consumer in memory."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaConnectionError, KafkaError

from rondo_common.errors import Fatal, Retryable
from rondo_common.kafka.consumer import ConsumerLoop, LoopLimits
from tests.common.consumed import (
    BRISK,
    FIRST,
    SECOND,
    TOPIC,
    DeadLetterBox,
    RecordingHandler,
    brisk,
    raises,
    raws,
    running,
    until,
    waits_for,
)
from tests.common.fake_consumer import FakeConsumer

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
            async with asyncio.timeout(60):
                await it.task
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
        async with asyncio.timeout(60):
            await it.consumer.revoke(FIRST)
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
            async with asyncio.timeout(60):
                await it.task
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
            async with asyncio.timeout(60):
                await it.task
        assert it.consumer.committed == {FIRST: 4}
        assert it.consumer.stopped


async def test_an_error_nobody_foresaw_before_the_first_batch_ends_the_run() -> None:
    async with running(RecordingHandler(assigned_errors=[KeyError("a defect")])) as it:
        await it.consumer.assign(FIRST)
        with pytest.raises(Fatal, match="a defect"):
            async with asyncio.timeout(60):
                await it.task


async def test_a_partition_whose_work_was_cancelled_from_within_does_not_fall_silent() -> None:
    async with running(RecordingHandler(raises(asyncio.CancelledError()))) as it:
        it.consumer.put(*raws(FIRST, 4))
        await it.consumer.assign(FIRST)
        with pytest.raises(Fatal, match="cancelled from within"):
            async with asyncio.timeout(60):
                await it.task


async def test_a_broker_that_cannot_be_reached_at_the_start_is_waited_for() -> None:
    consumer = FakeConsumer()
    consumer.start_errors = [KafkaConnectionError("the name is not resolved")]
    loop = ConsumerLoop(consumer, [TOPIC], RecordingHandler(), DeadLetterBox())
    stop = asyncio.Event()
    task = asyncio.create_task(loop.run(stop))
    await until(lambda: consumer.started)
    assert loop.is_alive
    stop.set()
    await task
    assert consumer.stopped


async def test_stopping_does_not_wait_for_a_broker_that_cannot_be_reached() -> None:
    consumer = FakeConsumer()
    consumer.start_errors = [KafkaConnectionError("nobody listens")] * 1000
    loop = ConsumerLoop(consumer, [TOPIC], RecordingHandler(), DeadLetterBox())
    stop = asyncio.Event()
    task = asyncio.create_task(loop.run(stop))
    await until(lambda: len(consumer.start_errors) < 1000)
    stop.set()
    await task
    assert consumer.stopped
    assert not consumer.started


async def test_the_loop_subscribes_to_its_topics() -> None:
    async with running() as it:
        assert it.consumer.topics == [TOPIC]
