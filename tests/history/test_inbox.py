"""Batches between a stream and the work: acknowledged when the work is durable, and never otherwise."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from rondo_common.errors import Unavailable
from rondo_history.live_metrics import inbox as inboxes
from rondo_history.live_metrics.inbox import EVENTS_MAX, Inbox

DEADLINE_S = 60.0


class FakeEvent:
    """One event of a stream, which remembers whether it was acknowledged."""

    def __init__(self) -> None:
        self.is_acked = False

    def ack(self) -> bool:
        self.is_acked = True
        return True


class FakeStream:
    """A Faust stream of given events that then waits for ever, as a topic does."""

    def __init__(self, events: Sequence[FakeEvent]) -> None:
        self._events = events

    def noack(self) -> FakeStream:
        return self

    async def events(self) -> AsyncIterator[FakeEvent]:
        for event in self._events:
            yield event
        await asyncio.Event().wait()


class Work:
    """Work that the test lets succeed or fail."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []
        self.failures: list[Exception] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.began = asyncio.Event()

    async def __call__(self, events: Sequence[Any]) -> None:
        self.began.set()
        await self.may_go_on.wait()
        self.batches.append(list(events))
        if self.failures:
            raise self.failures.pop(0)


@contextlib.asynccontextmanager
async def running(
    work: Work, events: Sequence[FakeEvent]
) -> AsyncIterator[tuple[Inbox, asyncio.Task[None]]]:
    inbox = Inbox(work)
    filling = asyncio.create_task(inbox.fill(cast("Any", FakeStream(events))))
    task = asyncio.create_task(inbox.run())
    inbox.open()
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield inbox, task
    finally:
        filling.cancel()
        task.cancel()
        await asyncio.gather(filling, task, return_exceptions=True)


async def until_acked(events: Sequence[FakeEvent]) -> None:
    while not all(each.is_acked for each in events):
        await asyncio.sleep(0)


async def test_events_are_worked_on_in_order_and_acknowledged_after_that() -> None:
    events, work = [FakeEvent() for _ in range(EVENTS_MAX * 2 + 1)], Work()
    work.may_go_on.clear()
    async with running(work, events):
        await work.began.wait()
        assert not any(each.is_acked for each in events)
        work.may_go_on.set()
        await until_acked(events)
    assert [each for batch in work.batches for each in batch] == events
    assert max(map(len, work.batches)) <= EVENTS_MAX


async def test_what_may_succeed_later_is_tried_again_and_says_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inboxes, "RETRY_DELAY_S", 0.0)
    events, work = [FakeEvent()], Work()
    work.failures = [Unavailable("kafka", "away"), Unavailable("kafka", "still away")]
    async with running(work, events) as (inbox, _):
        while inbox.blocked_by is None:
            await asyncio.sleep(0)
        assert "away" in inbox.blocked_by
        await until_acked(events)
        assert inbox.blocked_by is None
    assert work.batches == [events, events, events]


async def test_an_unexpected_error_ends_the_work_and_acknowledges_nothing() -> None:
    events, work = [FakeEvent()], Work()
    work.failures = [ZeroDivisionError()]
    async with running(work, events) as (_, task):
        with pytest.raises(ZeroDivisionError):
            await task
    assert not events[0].is_acked


async def test_when_partitions_go_the_batch_in_work_is_finished_and_the_rest_is_dropped() -> None:
    events, work = [FakeEvent() for _ in range(EVENTS_MAX + 20)], Work()
    work.may_go_on.clear()
    async with running(work, events) as (inbox, _):
        await work.began.wait()
        closing = asyncio.create_task(inbox.close())
        await asyncio.sleep(0)
        assert not closing.done()
        work.may_go_on.set()
        await closing
    (batch,) = work.batches
    assert all(each.is_acked for each in batch)
    assert not any(each.is_acked for each in events if each not in batch)


async def test_what_waited_for_room_when_partitions_went_is_not_taken_for_the_next_ones() -> None:
    # One is in work, as many as fit wait, and one more waits for room.
    events, work = [FakeEvent() for _ in range(EVENTS_MAX + 2)], Work()
    work.may_go_on.clear()
    async with running(work, events[:1]) as (inbox, _):
        await work.began.wait()
        filling = asyncio.create_task(inbox.fill(cast("Any", FakeStream(events[1:]))))
        while inbox._waiting.qsize() < EVENTS_MAX:
            await asyncio.sleep(0)
        closing = asyncio.create_task(inbox.close())
        await asyncio.sleep(0)
        work.may_go_on.set()
        await closing
        inbox.open()
        again = FakeEvent()
        refilling = asyncio.create_task(inbox.fill(cast("Any", FakeStream([again]))))
        await until_acked([again])
        filling.cancel()
        refilling.cancel()
        await asyncio.gather(filling, refilling, return_exceptions=True)
    assert [each for batch in work.batches for each in batch] == [events[0], again]


async def test_a_batch_that_cannot_succeed_does_not_hold_partitions_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inboxes, "RETRY_DELAY_S", 0.0)
    events, work = [FakeEvent()], Work()
    work.failures = [Unavailable("kafka", "away") for _ in range(100_000)]
    async with running(work, events) as (inbox, _):
        while inbox.blocked_by is None:
            await asyncio.sleep(0)
        await inbox.close()
    assert not events[0].is_acked
