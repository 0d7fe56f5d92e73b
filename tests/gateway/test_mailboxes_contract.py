"""What the gateway's side of mailboxes promises, on the fake and on real streams; and answers."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import pytest
from redis.asyncio import Redis

from rondo_common.answers import Answer
from rondo_common.ids import CommandId, EventId, WorkspaceId
from rondo_common.mailbox import ENTRY_FIELD, StreamEvent
from rondo_common.redis.connection import connect_redis
from rondo_common.redis.doorbells import Doorbells
from rondo_common.redis.keys import answer_key
from rondo_gateway.adapters.redis_answers import RedisAnswers
from rondo_gateway.adapters.redis_mailboxes import RedisMailboxes
from rondo_gateway.domain.cursors import ORIGIN, Cursor, can_resume, parse_cursor
from rondo_gateway.ports import Mailboxes
from tests.gateway.fake_mailboxes import FakeMailboxes
from tests.gateway.fake_world import CNV, NOON

DEADLINE_S = 60.0


class FilledMailboxes(Mailboxes, Protocol):
    """With the notifier's part."""

    async def deliver(self, mailbox: str, event: StreamEvent) -> Cursor: ...

    async def trim(self, mailbox: str, kept: int) -> None: ...

    async def lose(self, mailbox: str) -> None: ...


class FilledRedisMailboxes(RedisMailboxes):
    """The real thing, with the notifier's part."""

    def __init__(self, redis: Redis, doorbells: Doorbells) -> None:
        super().__init__(redis, doorbells)
        self.redis = redis

    async def deliver(self, mailbox: str, event: StreamEvent) -> Cursor:
        cursor = await self.redis.xadd(mailbox, {ENTRY_FIELD: event.model_dump_json()})
        await self.redis.publish(mailbox, "")
        return parse_cursor(str(cursor))

    async def trim(self, mailbox: str, kept: int) -> None:
        await self.redis.xtrim(mailbox, maxlen=kept, approximate=False)

    async def lose(self, mailbox: str) -> None:
        await self.redis.delete(mailbox)


@asynccontextmanager
async def running_doorbells(redis_url: str) -> AsyncIterator[Doorbells]:
    """Doorbells that are listening."""
    client = connect_redis(redis_url, client_name="tests")
    doorbells = Doorbells(client)
    running = asyncio.create_task(doorbells.run())
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not doorbells.is_connected:
                await asyncio.sleep(0.01)
        yield doorbells
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await client.aclose()


@pytest.fixture(params=["fake", "redis"])
async def mailboxes(
    request: pytest.FixtureRequest, redis: Redis, redis_url: str
) -> AsyncIterator[FilledMailboxes]:
    if request.param == "fake":
        yield FakeMailboxes()
    else:
        async with running_doorbells(redis_url) as doorbells:
            yield FilledRedisMailboxes(redis, doorbells)


@pytest.fixture
def mailbox() -> str:
    return f"rondo:{{w-{uuid.uuid4().hex[:12]}}}:mailbox"


def event(number: int) -> StreamEvent:
    return StreamEvent(
        id=EventId(f"e-{number}"),
        type="message.posted",
        conversation_id=CNV,
        occurred_at=NOON,
        data={"text": f"number {number} 👋\n"},
    )


async def test_entries_come_in_order_after_the_cursor(mailboxes: FilledMailboxes, mailbox: str) -> None:
    cursors = [await mailboxes.deliver(mailbox, event(number)) for number in range(5)]
    entries = await mailboxes.after(mailbox, cursors[1], 2)
    assert [(each.cursor, each.event) for each in entries] == [
        (cursors[2], event(2)),
        (cursors[3], event(3)),
    ]
    assert [each.cursor for each in await mailboxes.after(mailbox, ORIGIN, 100)] == cursors
    assert await mailboxes.after(mailbox, cursors[-1], 100) == []


async def test_entries_until_a_cursor_come_newest_first(mailboxes: FilledMailboxes, mailbox: str) -> None:
    cursors = [await mailboxes.deliver(mailbox, event(number)) for number in range(5)]
    entries = await mailboxes.until(mailbox, cursors[3], 2)
    assert [each.cursor for each in entries] == [cursors[3], cursors[2]]


async def test_an_entrys_text_fits_on_one_line(mailboxes: FilledMailboxes, mailbox: str) -> None:
    await mailboxes.deliver(mailbox, event(1))
    (entry,) = await mailboxes.after(mailbox, ORIGIN, 1)
    assert "\n" not in entry.text
    assert StreamEvent.model_validate_json(entry.text) == event(1)


async def test_the_extent_says_what_is_kept(mailboxes: FilledMailboxes, mailbox: str) -> None:
    assert await mailboxes.extent(mailbox) is None
    cursors = [await mailboxes.deliver(mailbox, event(number)) for number in range(5)]
    extent = await mailboxes.extent(mailbox)
    assert extent is not None
    assert (extent.first, extent.last, extent.is_trimmed) == (cursors[0], cursors[-1], False)
    await mailboxes.trim(mailbox, 2)
    extent = await mailboxes.extent(mailbox)
    assert extent is not None
    assert (extent.first, extent.last, extent.is_trimmed) == (cursors[3], cursors[-1], True)
    assert [can_resume(each, extent) for each in cursors] == [False, False, False, True, True]


async def test_a_mailbox_that_was_lost_and_made_anew_is_told_from_the_old_one(
    mailboxes: FilledMailboxes, mailbox: str
) -> None:
    old = await mailboxes.deliver(mailbox, event(1))
    await mailboxes.lose(mailbox)
    assert not can_resume(old, await mailboxes.extent(mailbox))
    # Redis counts entries within a millisecond: until it is over, the first one has the old one's id.
    while await mailboxes.deliver(mailbox, event(2)) == old:
        await mailboxes.lose(mailbox)
    assert not can_resume(old, await mailboxes.extent(mailbox))


async def test_a_delivery_rings(mailboxes: FilledMailboxes, mailbox: str) -> None:
    async with mailboxes.listen(mailbox) as one, mailboxes.listen(mailbox) as two:
        for number in range(3):
            for bell in (one, two):
                bell.clear()
            await mailboxes.deliver(mailbox, event(number))
            async with asyncio.timeout(DEADLINE_S):
                await one.wait()
                await two.wait()


async def test_an_answer_is_heard(redis: Redis, redis_url: str) -> None:
    workspace_id, command_id = WorkspaceId(f"w-{uuid.uuid4().hex[:12]}"), CommandId(uuid.uuid4().hex)
    key = answer_key(workspace_id, command_id)
    async with running_doorbells(redis_url) as doorbells:
        answers = RedisAnswers(redis, doorbells)
        async with answers.expected(workspace_id, command_id) as answer:
            waiting = asyncio.ensure_future(answer(DEADLINE_S))
            await redis.publish(key, "")  # A ring means "look", never "it is there".
            await redis.set(key, Answer(refusal="offer-expired").model_dump_json(), ex=60)
            await redis.publish(key, "")
            assert await waiting == Answer(refusal="offer-expired")


async def test_an_answer_given_before_anybody_waits_is_heard(redis: Redis, redis_url: str) -> None:
    workspace_id, command_id = WorkspaceId(f"w-{uuid.uuid4().hex[:12]}"), CommandId(uuid.uuid4().hex)
    async with running_doorbells(redis_url) as doorbells:
        answers = RedisAnswers(redis, doorbells)
        async with answers.expected(workspace_id, command_id) as answer:
            await redis.set(answer_key(workspace_id, command_id), Answer().model_dump_json(), ex=60)
            assert await answer(DEADLINE_S) == Answer()


async def test_without_an_answer_the_wait_ends(redis: Redis, redis_url: str) -> None:
    async with running_doorbells(redis_url) as doorbells:
        answers = RedisAnswers(redis, doorbells)
        async with answers.expected(WorkspaceId("w"), CommandId(uuid.uuid4().hex)) as answer:
            assert await answer(0.05) is None
