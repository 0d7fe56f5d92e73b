"""What the gateway's side of the waiting queue promises, on the fake and on the real Redis."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Protocol

import pytest
from redis.asyncio import Redis

from rondo_common.conversation import Queue
from rondo_common.conversation_view import ConversationView
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_common.redis.doorbells import Doorbells
from rondo_common.redis.keys import queue_key
from rondo_gateway.adapters.redis_effects import gateway_functions
from rondo_gateway.adapters.redis_queue import RedisWaitingQueue
from rondo_gateway.ports import WaitingQueue
from tests.gateway.fake_conversations import FakeConversations
from tests.gateway.fake_queue import FakeWaitingQueue
from tests.gateway.fake_world import CNV, offered, queued, requested
from tests.gateway.test_conversations_contract import ShownRedisConversations
from tests.gateway.test_mailboxes_contract import DEADLINE_S, running_doorbells

FIRST = ConversationId("cnv_0")


class LinedUpQueue(WaitingQueue, Protocol):
    """With the router's part."""

    async def show(self, workspace_id: WorkspaceId, view: ConversationView) -> None: ...

    async def line_up(
        self, workspace_id: WorkspaceId, waiting: list[ConversationId], pace_s: float | None = None
    ) -> None: ...


class LinedUpFakeQueue(FakeWaitingQueue):
    """The fake, with the router's part."""

    async def show(self, workspace_id: WorkspaceId, view: ConversationView) -> None:
        await self.conversations.show(workspace_id, view)


class LinedUpRedisQueue(RedisWaitingQueue):
    """The real thing, with the router's part."""

    def __init__(self, redis: Redis, doorbells: Doorbells) -> None:
        super().__init__(gateway_functions(redis), doorbells)
        self.redis = redis
        self.conversations = ShownRedisConversations(redis)
        self.show = self.conversations.show

    async def line_up(
        self, workspace_id: WorkspaceId, waiting: list[ConversationId], pace_s: float | None = None
    ) -> None:
        await self.conversations.line_up(workspace_id, waiting, pace_s)
        await self.redis.publish(queue_key(workspace_id), "")


@pytest.fixture(params=["fake", "redis"])
async def queue(
    request: pytest.FixtureRequest, redis: Redis, redis_url: str
) -> AsyncIterator[LinedUpQueue]:
    if request.param == "fake":
        yield LinedUpFakeQueue(FakeConversations())
    else:
        async with running_doorbells(redis_url) as doorbells:
            yield LinedUpRedisQueue(redis, doorbells)


@pytest.fixture
def ws() -> WorkspaceId:
    return WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")


async def test_a_place_is_counted_from_one_and_the_wait_by_the_pace(
    queue: LinedUpQueue, ws: WorkspaceId
) -> None:
    await queue.show(ws, queued())
    await queue.line_up(ws, [FIRST, CNV], 7.4)
    assert await queue.place_of(ws, CNV) == Queue(position=2, estimated_wait_s=15)
    await queue.line_up(ws, [CNV])
    assert await queue.place_of(ws, CNV) == Queue(position=1, estimated_wait_s=60)


async def test_there_is_no_place_before_it_is_shown_nor_after_it_was_left(
    queue: LinedUpQueue, ws: WorkspaceId
) -> None:
    assert await queue.place_of(ws, CNV) is None
    await queue.line_up(ws, [CNV])
    for view in (requested(), offered()):
        await queue.show(ws, view)
        assert await queue.place_of(ws, CNV) is None
    await queue.show(ws, queued())
    await queue.line_up(ws, [FIRST])
    assert await queue.place_of(ws, CNV) is None


async def test_every_change_of_the_queue_rings_for_all_who_listen(
    queue: LinedUpQueue, ws: WorkspaceId
) -> None:
    async with queue.listen(ws) as one, queue.listen(ws) as other:
        for waiting in ([FIRST, CNV], [CNV], []):
            one.clear()
            other.clear()
            await queue.line_up(ws, waiting)
            async with asyncio.timeout(DEADLINE_S):
                await asyncio.gather(one.wait(), other.wait())
