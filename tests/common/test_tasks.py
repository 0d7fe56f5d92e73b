"""Tasks end, also when their cancellation was lost on the way."""

from __future__ import annotations

import asyncio

from rondo_common.tasks import end_tasks


async def test_tasks_that_wait_end_and_those_that_have_ended_are_no_trouble() -> None:
    async def fails() -> None:
        raise ValueError

    tasks = [asyncio.create_task(asyncio.sleep(3600)), asyncio.create_task(fails())]
    await asyncio.sleep(0)
    await end_tasks(tasks)
    assert tasks[0].cancelled()
    assert isinstance(tasks[1].exception(), ValueError)
    await end_tasks([])


async def test_a_task_that_swallows_a_cancellation_ends_with_the_next() -> None:
    swallowed = asyncio.Event()

    async def goes_on() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.sleep(3600)

    task = asyncio.create_task(goes_on())
    await asyncio.sleep(0)
    await end_tasks([task], again_s=0.01)
    assert swallowed.is_set()
    assert task.cancelled()


async def test_what_ends_in_order_is_not_cut_short() -> None:
    closed = asyncio.Event()

    async def closes() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.05)
            closed.set()

    task = asyncio.create_task(closes())
    await asyncio.sleep(0)
    await end_tasks([task])
    assert closed.is_set()
