"""Catching up with the directory: together, not too often, and never too early."""

from __future__ import annotations

import asyncio

import pytest

from rondo_common.errors import Unavailable
from rondo_gateway.adapters.directory import Refresh


class Reader:
    """Counts how often it was asked to catch up; each time waits for the test."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()
        self.has_begun = asyncio.Event()
        self.is_unreachable = False

    async def catch_up(self) -> None:
        self.begun += 1
        self.has_begun.set()
        await self.may_end.wait()
        if self.is_unreachable:
            raise Unavailable("kafka", "switched off by the test")


async def test_all_who_came_before_it_began_share_one_run() -> None:
    reader = Reader()
    reader.may_end.set()
    refresh = Refresh(reader.catch_up, interval_s=0)
    await asyncio.gather(*(refresh() for _ in range(50)))
    assert reader.begun == 1


async def test_who_comes_during_a_run_waits_for_the_next() -> None:
    reader = Reader()
    refresh = Refresh(reader.catch_up, interval_s=0)
    first = asyncio.create_task(refresh())
    await reader.has_begun.wait()
    later = [asyncio.create_task(refresh()) for _ in range(20)]
    await asyncio.sleep(0)
    reader.may_end.set()
    await asyncio.gather(first, *later)
    assert reader.begun == 2


async def test_runs_keep_their_distance() -> None:
    reader = Reader()
    reader.may_end.set()
    refresh = Refresh(reader.catch_up, interval_s=0.05)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(4):
        await refresh()
    assert loop.time() - began >= 0.15 - 0.01  # At least: the clock's grain is the only slack.


async def test_a_failure_reaches_everybody_who_waited_for_it_and_nobody_after() -> None:
    reader = Reader()
    reader.is_unreachable = True
    reader.may_end.set()
    refresh = Refresh(reader.catch_up, interval_s=0)
    failures = await asyncio.gather(*(refresh() for _ in range(3)), return_exceptions=True)
    assert [type(failure) for failure in failures] == [Unavailable] * 3
    reader.is_unreachable = False
    await refresh()
    assert reader.begun == 2


async def test_a_caller_who_leaves_does_not_spoil_it_for_the_others() -> None:
    reader = Reader()
    refresh = Refresh(reader.catch_up, interval_s=0)
    leaving = asyncio.create_task(refresh())
    await reader.has_begun.wait()
    staying = asyncio.create_task(refresh())
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    reader.may_end.set()
    async with asyncio.timeout(60):
        await staying
