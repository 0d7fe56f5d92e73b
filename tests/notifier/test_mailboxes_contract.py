"""What mailboxes promise, shown on the fake and on the real Redis Functions alike."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import Any, Protocol

import pytest
from redis.asyncio import Redis

from rondo_common.envelope import Envelope
from rondo_common.events import ConversationErased, Event
from rondo_common.ids import AgentId, ConversationId, EventId, WorkspaceId
from rondo_common.mailbox import ENTRY_FIELD, MAILBOX_ENTRIES_MAX, OFFSET_FIELD, StreamEvent
from rondo_common.redis.doorbells import Doorbells
from rondo_common.redis.keys import view_key
from rondo_notifier.adapters.redis_mailboxes import RedisMailboxes, mailbox_of
from rondo_notifier.domain.recipients import Delivery, Oblivion, ToAgent, ToConversation
from rondo_notifier.handlers.mailboxes import tell_recipients
from rondo_notifier.ports import Mailboxes
from tests.notifier.fake_mailboxes import FakeMailboxes
from tests.router.provisioned import NOON


class ReadableMailboxes(Mailboxes, Protocol):
    async def read(self, mailbox: str) -> list[StreamEvent]: ...

    async def offsets(self, mailbox: str) -> list[int | None]: ...


class ReadableRedisMailboxes(RedisMailboxes):
    """The real mailboxes, with the reading that is otherwise the gateway's."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.redis = redis

    async def read(self, mailbox: str) -> list[StreamEvent]:
        entries: Any = await self.redis.xrange(mailbox)
        return [StreamEvent.model_validate_json(fields[ENTRY_FIELD]) for _, fields in entries]

    async def offsets(self, mailbox: str) -> list[int | None]:
        entries: Any = await self.redis.xrange(mailbox)
        found = [fields.get(OFFSET_FIELD) for _, fields in entries]
        return [None if each is None else int(each) for each in found]


@pytest.fixture(params=["fake", "redis"])
def mailboxes(request: pytest.FixtureRequest, redis: Redis) -> ReadableMailboxes:
    return FakeMailboxes() if request.param == "fake" else ReadableRedisMailboxes(redis)


@pytest.fixture
def workspace_id() -> WorkspaceId:
    return WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")


def delivery(workspace_id: WorkspaceId, event: str, *, agent: str | None = None) -> Delivery:
    entry = StreamEvent(
        id=EventId(event),
        type="message.posted",
        conversation_id=ConversationId("cnv_1"),
        occurred_at=NOON,
        data={"text": "Hej 👋"},
    )
    to = ToAgent(AgentId(agent)) if agent else ToConversation(ConversationId("cnv_1"))
    return Delivery(workspace_id, to, entry, 7)


async def test_entries_keep_their_order(mailboxes: ReadableMailboxes, workspace_id: WorkspaceId) -> None:
    sent = [delivery(workspace_id, f"e-{number}") for number in range(20)]
    await mailboxes.deliver(sent)
    assert await mailboxes.read(mailbox_of(sent[0])) == [each.entry for each in sent]


async def test_a_batch_delivered_again_changes_nothing(
    mailboxes: ReadableMailboxes, workspace_id: WorkspaceId
) -> None:
    sent = [delivery(workspace_id, f"e-{number}") for number in range(5)]
    await mailboxes.deliver(sent)
    await mailboxes.deliver(sent[2:])
    assert [entry.id for entry in await mailboxes.read(mailbox_of(sent[0]))] == [
        f"e-{number}" for number in range(5)
    ]


async def test_an_agent_and_a_conversation_have_mailboxes_of_their_own(
    mailboxes: ReadableMailboxes, workspace_id: WorkspaceId
) -> None:
    public, private = delivery(workspace_id, "e-1"), delivery(workspace_id, "e-1", agent="grace")
    await mailboxes.deliver([public, private])
    assert len(await mailboxes.read(mailbox_of(public))) == 1
    assert len(await mailboxes.read(mailbox_of(private))) == 1


async def test_what_was_erased_is_in_nobodys_mailbox_any_more(
    mailboxes: ReadableMailboxes, workspace_id: WorkspaceId
) -> None:
    erased = [delivery(workspace_id, "e-1"), delivery(workspace_id, "e-1", agent="grace")]
    other = delivery(workspace_id, "e-2", agent="grace")
    kept_entry = other.entry.model_copy(update={"conversation_id": ConversationId("cnv_2")})
    kept = replace(other, entry=kept_entry)
    await mailboxes.deliver([*erased, kept])
    oblivion = Oblivion(workspace_id, ConversationId("cnv_1"), (AgentId("grace"), AgentId("nobody")))
    for _ in range(2):
        await mailboxes.forget(oblivion)
        assert await mailboxes.read(mailbox_of(erased[0])) == []
        assert await mailboxes.read(mailbox_of(kept)) == [kept_entry]


async def test_an_erased_conversation_leaves_no_key_behind(redis: Redis, workspace_id: WorkspaceId) -> None:
    mailboxes = RedisMailboxes(redis)
    view = view_key(workspace_id, ConversationId("cnv_1"))
    await redis.hset(view, mapping={"request": "personal"})
    await redis.hset(f"{view}:messages", mapping={"visitor/m-1": "personal"})
    await mailboxes.deliver([delivery(workspace_id, "e-1")])
    await tell_recipients([(erasure(workspace_id), 8)], mailboxes)
    assert [key async for key in redis.scan_iter(f"*{workspace_id}*")] == []


def erasure(workspace_id: WorkspaceId) -> Envelope[Event]:
    event: Event = ConversationErased(conversation_id=ConversationId("cnv_1"), agent_ids=())
    return Envelope(EventId("e-9"), "/rondo/history", NOON, workspace_id, event)


async def test_an_entry_says_where_the_log_has_it_unless_it_stands_on_another_topic(
    mailboxes: ReadableMailboxes, workspace_id: WorkspaceId
) -> None:
    offered, switched = (delivery(workspace_id, event, agent="grace") for event in ("e-1", "e-2"))
    about_the_agent = switched.entry.model_copy(update={"conversation_id": None})
    switched = replace(switched, entry=about_the_agent, log_offset=None)
    await mailboxes.deliver([offered, switched])
    assert await mailboxes.offsets(mailbox_of(offered)) == [7, None]
    assert await mailboxes.read(mailbox_of(offered)) == [offered.entry, about_the_agent]


async def test_a_mailbox_keeps_the_latest_entries_only(redis: Redis, workspace_id: WorkspaceId) -> None:
    mailboxes = ReadableRedisMailboxes(redis)
    sent = [delivery(workspace_id, f"e-{number}") for number in range(MAILBOX_ENTRIES_MAX + 5)]
    await mailboxes.deliver(sent)
    kept = await mailboxes.read(mailbox_of(sent[0]))
    assert [entry.id for entry in kept] == [each.entry.id for each in sent[5:]]
    assert await redis.ttl(mailbox_of(sent[0])) > 0


async def test_the_doorbell_rings_for_a_new_entry(redis: Redis, workspace_id: WorkspaceId) -> None:
    doorbells = Doorbells(redis)
    listening = asyncio.create_task(doorbells.run())
    sent = delivery(workspace_id, "e-1")
    async with asyncio.timeout(60):
        while not doorbells.is_connected:
            await asyncio.sleep(0.01)
        async with doorbells.listen(mailbox_of(sent)) as bell:
            bell.clear()
            await RedisMailboxes(redis).deliver([sent])
            await bell.wait()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
