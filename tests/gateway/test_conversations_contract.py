"""What the gateway's view of conversations promises, on the fake and on the real Redis Functions."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import pytest
from redis.asyncio import Redis

from rondo_common.clock import milliseconds
from rondo_common.conversation import Message, Queue, Rating, Status
from rondo_common.conversation_view import ConversationView
from rondo_common.errors import Unavailable
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_common.redis.connection import connect_redis
from rondo_common.redis.keys import (
    agent_conversations_key,
    epoch_key,
    queue_key,
    queue_pace_key,
    view_key,
    workspace_key,
)
from rondo_gateway.adapters import redis_conversations
from rondo_gateway.adapters.redis_conversations import RedisConversations
from rondo_gateway.adapters.redis_directory_offsets import RedisDirectoryOffsets
from rondo_gateway.adapters.redis_effects import gateway_functions
from rondo_gateway.domain.limits import TRANSCRIPT_MAILS_MAX
from rondo_gateway.ports import BeginOutcome, Conversations, PostState, Reservation
from tests.gateway.fake_conversations import FakeConversations
from tests.gateway.fake_world import (
    BOB,
    CNV,
    GRACE,
    NOON,
    a_message,
    active,
    ended,
    offered,
    queued,
    requested,
    transferring,
)

DEADLINE_S = 60.0


class ShownConversations(Conversations, Protocol):
    """With the router's part."""

    async def show(self, workspace_id: WorkspaceId, view: ConversationView) -> None: ...

    async def note_offset(self, workspace_id: WorkspaceId, offset: int) -> None: ...

    async def serve(self, workspace_id: WorkspaceId) -> None: ...

    async def lose(self, workspace_id: WorkspaceId) -> None: ...

    async def line_up(
        self, workspace_id: WorkspaceId, waiting: list[ConversationId], pace_s: float | None = None
    ) -> None: ...


class ShownRedisConversations(RedisConversations):
    """The real thing, with the router's part."""

    def __init__(self, redis: Redis) -> None:
        functions = gateway_functions(redis)
        super().__init__(functions)
        self.redis = redis
        self.note_offset = RedisDirectoryOffsets(functions).note

    async def show(self, workspace_id: WorkspaceId, view: ConversationView) -> None:
        # All at once, as the router does.
        fields = view.to_hash() | {"state_offset": str(view.state_offset)}
        items = [part for field in fields.items() for part in field]
        await self.redis.hset(view_key(workspace_id, view.id), items=items)
        for agent_id in view.agent_ids:
            key = agent_conversations_key(workspace_id, agent_id)
            is_open = view.status in {Status.OFFERED, Status.ACTIVE}
            await (self.redis.sadd if is_open else self.redis.srem)(key, view.id)

    async def serve(self, workspace_id: WorkspaceId) -> None:
        await self.redis.set(epoch_key(workspace_id), "1")

    async def lose(self, workspace_id: WorkspaceId) -> None:
        keys = [key async for key in self.redis.scan_iter(f"{workspace_key(workspace_id)}:*")]
        await self.redis.delete(*keys)

    async def line_up(
        self, workspace_id: WorkspaceId, waiting: list[ConversationId], pace_s: float | None = None
    ) -> None:
        key = queue_key(workspace_id)
        await self.redis.delete(key, queue_pace_key(workspace_id))
        if waiting:
            await self.redis.zadd(key, {each: place for place, each in enumerate(waiting)})
        if pace_s is not None:
            await self.redis.set(queue_pace_key(workspace_id), repr(pace_s))


class CountingConversations(ShownRedisConversations):
    """Counts how often a conversation was looked at."""

    looks = 0

    async def find(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> ConversationView | None:
        found = await super().find(workspace_id, conversation_id)
        self.looks += 1
        return found

    async def looked_once(self) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while self.looks == 0:
                await asyncio.sleep(0)


@pytest.fixture(params=["fake", "redis"])
def conversations(request: pytest.FixtureRequest, redis: Redis) -> ShownConversations:
    return FakeConversations() if request.param == "fake" else ShownRedisConversations(redis)


@pytest.fixture
async def ws(redis: Redis) -> WorkspaceId:
    """A workspace that a router serves."""
    workspace_id = WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")
    await ShownRedisConversations(redis).serve(workspace_id)
    return workspace_id


def reservation(fingerprint: str = "f1", conversation: str = "cnv_1", late_s: int = 0) -> Reservation:
    at = NOON + timedelta(seconds=late_s)
    return Reservation("key", fingerprint, ConversationId(conversation), at)


async def test_what_is_not_there_is_not_found(conversations: ShownConversations, ws: WorkspaceId) -> None:
    assert await conversations.find(ws, CNV) is None
    assert await conversations.of_agent(ws, GRACE) == []


async def test_a_view_is_read_as_it_was_shown(conversations: ShownConversations, ws: WorkspaceId) -> None:
    for view in (requested(), offered(), active()):
        await conversations.show(ws, view)
        assert await conversations.find(ws, CNV) == view


async def test_an_agent_finds_what_is_offered_to_them_and_what_is_not(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    assert await conversations.find_for_agent(ws, CNV, GRACE) is None
    for view in (requested(), offered(), active(), transferring()):
        await conversations.show(ws, view)
        for agent_id in (GRACE, BOB):
            assert await conversations.find_for_agent(ws, CNV, agent_id) == view


async def test_an_offer_heard_before_it_is_shown_is_waited_for(redis: Redis, ws: WorkspaceId) -> None:
    conversations = CountingConversations(redis)
    await conversations.show(ws, requested())
    finding = asyncio.create_task(conversations.find_for_agent(ws, CNV, GRACE))
    await conversations.looked_once()
    await conversations.show(ws, offered())
    assert await finding == offered()


async def test_a_transfer_heard_before_it_is_shown_is_waited_for(redis: Redis, ws: WorkspaceId) -> None:
    conversations = CountingConversations(redis)
    await conversations.show(ws, active())
    finding = asyncio.create_task(conversations.find_for_agent(ws, CNV, BOB))
    await conversations.looked_once()
    await conversations.show(ws, transferring(to=BOB))
    assert await finding == transferring(to=BOB)


async def test_a_view_that_is_behind_what_was_told_is_waited_for(redis: Redis, ws: WorkspaceId) -> None:
    conversations = CountingConversations(redis)
    await conversations.show(ws, replace(offered(), state_offset=7))
    assert await conversations.find_shown(ws, CNV, 7) == replace(offered(), state_offset=7)
    conversations.looks = 0
    finding = asyncio.create_task(conversations.find_shown(ws, CNV, 9))
    await conversations.looked_once()
    await conversations.show(ws, replace(active(), state_offset=9))
    assert await finding == replace(active(), state_offset=9)


async def test_a_view_that_stays_behind_is_given_as_it_is(
    redis: Redis, ws: WorkspaceId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_conversations, "CAUGHT_UP_POLL_S", 0.0)
    conversations = ShownRedisConversations(redis)
    assert await conversations.find_shown(ws, CNV, 9) is None
    await conversations.show(ws, replace(offered(), state_offset=7))
    assert await conversations.find_shown(ws, CNV, 9) == replace(offered(), state_offset=7)


async def test_a_conversation_that_is_handed_over_is_on_both_desks(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.show(ws, transferring(to=BOB))
    for agent_id in (GRACE, BOB):
        assert await conversations.of_agent(ws, agent_id) == [transferring(to=BOB)]


async def test_who_waits_is_shown_with_their_place_and_what_is_left_by_experience(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.show(ws, queued())
    first, second = ConversationId("cnv_0"), CNV
    for waiting, pace_s, queue in (
        ([first, second], 12.5, Queue(position=2, estimated_wait_s=25)),
        ([second], 12.5, Queue(position=1, estimated_wait_s=13)),
        ([second, first], None, Queue(position=1, estimated_wait_s=60)),
    ):
        await conversations.line_up(ws, waiting, pace_s)
        found = await conversations.find(ws, CNV)
        assert found is not None
        assert (found.status, found.queue) == (Status.QUEUED, queue)


async def test_a_place_is_shown_only_with_a_conversation_that_is_shown_as_queued(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.line_up(ws, [CNV], 10.0)
    for view in (requested(), offered(), active()):
        await conversations.show(ws, view)
        assert await conversations.find(ws, CNV) == view
    await conversations.show(ws, queued())
    await conversations.line_up(ws, [])
    assert await conversations.find(ws, CNV) == queued()


async def test_while_redis_is_filled_again_what_is_missing_is_not_said_to_be_unknown(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.show(ws, active())
    await conversations.lose(ws)
    attempts: list[Awaitable[object]] = [
        conversations.find(ws, CNV),
        conversations.find_for_agent(ws, CNV, GRACE),
        conversations.of_agent(ws, GRACE),
        conversations.reserve_message(ws, CNV, "m", a_message(1)),
    ]
    for failure in await asyncio.gather(*attempts, return_exceptions=True):
        assert isinstance(failure, Unavailable), failure


async def test_what_is_brought_back_is_waited_for(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.lose(ws)
    finding = asyncio.create_task(conversations.find(ws, CNV))
    missing = asyncio.create_task(conversations.find(ws, ConversationId("cnv_none")))
    writing = asyncio.create_task(conversations.reserve_message(ws, CNV, "m", a_message(1)))
    await asyncio.sleep(0)
    await conversations.show(ws, active())
    await conversations.serve(ws)
    assert await finding == active()
    assert await missing is None
    assert (await writing).state is PostState.RESERVED


async def test_what_is_there_is_found_while_the_rest_is_brought_back(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.lose(ws)
    await conversations.show(ws, active())
    assert await conversations.find(ws, CNV) == active()
    assert await conversations.of_agent(ws, GRACE) == [active()]
    assert (await conversations.reserve_message(ws, CNV, "m", a_message(1))).state is PostState.RESERVED


async def test_an_agents_desk_has_what_is_offered_to_or_with_them(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    mine = [offered(GRACE, ConversationId("cnv_1")), active(GRACE, ConversationId("cnv_2"))]
    for view in (*mine, active(BOB, ConversationId("cnv_3"))):
        await conversations.show(ws, view)
    assert {view.id for view in await conversations.of_agent(ws, GRACE)} == {"cnv_1", "cnv_2"}


async def test_an_agents_load_counts_what_they_have_and_are_offered(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.serve(ws)
    assert await conversations.loads(ws, [GRACE, BOB]) == {GRACE: 0, BOB: 0}
    await conversations.show(ws, active(GRACE))
    await conversations.show(ws, offered(GRACE, ConversationId("cnv_2")))
    assert await conversations.loads(ws, [GRACE, BOB]) == {GRACE: 2, BOB: 0}
    assert await conversations.loads(ws, []) == {}
    await conversations.lose(ws)
    with pytest.raises(Unavailable):
        await conversations.loads(ws, [GRACE])


async def test_a_key_stands_for_its_first_request(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    first = await conversations.begin_request(ws, reservation())
    again = await conversations.begin_request(ws, reservation(conversation="cnv_2", late_s=60))
    assert (first.outcome, again.outcome) == (BeginOutcome.NEW, BeginOutcome.REPLAYED)
    assert again.conversation_id == first.conversation_id == "cnv_1"
    assert again.requested_at == first.requested_at == NOON


async def test_fifty_at_once_begin_one_request(conversations: ShownConversations, ws: WorkspaceId) -> None:
    begun = await asyncio.gather(
        *(conversations.begin_request(ws, reservation(conversation=f"cnv_{n}")) for n in range(50))
    )
    assert len({each.conversation_id for each in begun}) == 1
    assert [each.outcome for each in begun].count(BeginOutcome.NEW) == 1


async def test_a_key_used_for_something_else_is_found_out(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.begin_request(ws, reservation("f1"))
    assert (await conversations.begin_request(ws, reservation("f2"))).outcome is BeginOutcome.MISMATCH
    elsewhere = await conversations.begin_request(WorkspaceId(f"{ws}-2"), reservation("f2"))
    assert elsewhere.outcome is BeginOutcome.NEW


async def test_a_request_is_told_how_far_the_directory_was_written(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    assert (await conversations.begin_request(ws, reservation())).directory_offset == 0
    for offset in (7, 12, 9):
        await conversations.note_offset(ws, offset)
    assert (await conversations.begin_request(ws, reservation())).directory_offset == 12


async def test_a_request_whose_conversation_is_shown_is_known_to_be_in_the_log(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    assert not (await conversations.begin_request(ws, reservation())).is_shown
    await conversations.show_requested(ws, requested(), 7)
    assert (await conversations.begin_request(ws, reservation())).is_shown


async def test_what_the_router_shows_is_not_overwritten(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.show(ws, offered())
    await conversations.show_requested(ws, requested(), 7)
    assert await conversations.find(ws, CNV) == offered()


async def test_a_message_is_new_until_it_is_marked_as_posted(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.show(ws, active())
    first = await conversations.reserve_message(ws, CNV, "m", a_message(1))
    retry = await conversations.reserve_message(ws, CNV, "m", a_message(2))
    assert (first.state, retry.state) == (PostState.RESERVED, PostState.RESERVED)
    assert first.message == retry.message == a_message(1)
    assert first.agent_id == GRACE
    assert await conversations.mark_posted(ws, CNV, "m", a_message(1), 7)
    assert not await conversations.mark_posted(ws, CNV, "m", a_message(1), 7)
    known = await conversations.reserve_message(ws, CNV, "m", a_message(3))
    assert (known.state, known.message) == (PostState.POSTED, a_message(1))


async def test_a_posted_message_moves_how_far_the_log_is_known_and_never_back(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.show(ws, active())
    for name, offset in (("a", 7), ("b", 5)):
        await conversations.reserve_message(ws, CNV, name, a_message(1))
        await conversations.mark_posted(ws, CNV, name, a_message(1), offset)
    view = await conversations.find(ws, CNV)
    assert view is not None
    assert view.log_offset == 7


@pytest.mark.parametrize("view", [None, requested(), offered()])
async def test_only_an_active_conversation_takes_messages(
    conversations: ShownConversations, ws: WorkspaceId, view: ConversationView | None
) -> None:
    if view is not None:
        await conversations.show(ws, view)
    reserved = await conversations.reserve_message(ws, CNV, "m", a_message(1))
    assert reserved.state is PostState.NOT_ACTIVE
    assert await conversations.find(ws, CNV) == view


async def test_after_the_end_what_was_posted_is_known_and_nothing_else_is_taken(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.show(ws, active())
    for name in ("posted", "reserved"):
        await conversations.reserve_message(ws, CNV, name, a_message(1))
    await conversations.mark_posted(ws, CNV, "posted", a_message(1), 7)
    ended = active()
    await conversations.show(ws, ConversationView(CNV, Status.ENDED, ended.request, ended.agent))
    states = [
        (await conversations.reserve_message(ws, CNV, name, a_message(2))).state
        for name in ("posted", "reserved", "late")
    ]
    assert states == [PostState.POSTED, PostState.NOT_ACTIVE, PostState.NOT_ACTIVE]


async def test_an_agent_writes_only_in_their_own_conversation(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.show(ws, active(GRACE))
    for agent_id, state in ((GRACE, PostState.RESERVED), (BOB, PostState.NOT_ACTIVE)):
        message: Message = a_message(1, by="agent", author_id=agent_id)
        assert (await conversations.reserve_message(ws, CNV, "m", message)).state is state


async def test_each_side_counts_its_messages_by_itself(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.show(ws, active())
    mine, theirs = a_message(1), a_message(2, by="agent", author_id=GRACE)
    for message in (mine, theirs):
        assert (await conversations.reserve_message(ws, CNV, "1", message)).message == message


async def test_a_message_marks_when_the_conversation_was_last_talked_in(
    redis: Redis, ws: WorkspaceId
) -> None:
    conversations = ShownRedisConversations(redis)
    await conversations.show(ws, active())
    await conversations.reserve_message(ws, CNV, "m", a_message(7))
    marked = await redis.hget(view_key(ws, CNV), "last_message_at")
    assert int(marked or 0) == milliseconds(a_message(7).sent_at)


async def test_nothing_of_a_request_is_kept_for_ever(redis: Redis, ws: WorkspaceId) -> None:
    conversations = ShownRedisConversations(redis)
    await conversations.show(ws, active())
    await conversations.begin_request(ws, reservation())
    await conversations.reserve_message(ws, CNV, "m", a_message(1))
    kept = [key async for key in redis.scan_iter(f"rondo:{{{ws}}}:*") if await redis.ttl(key) < 0]
    shown = [view_key(ws, CNV), agent_conversations_key(ws, GRACE), epoch_key(ws)]
    assert sorted(kept) == sorted(shown)


async def test_many_at_once_wait_for_a_connection_instead_of_failing(
    redis_url: str, ws: WorkspaceId
) -> None:
    client = connect_redis(redis_url, client_name="tests")
    conversations = ShownRedisConversations(client)
    try:
        found = await asyncio.gather(*(conversations.find(ws, CNV) for _ in range(500)))
    finally:
        await client.aclose()
    assert found == [None] * 500


async def test_the_newest_request_is_noted_and_never_goes_back(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    assert await conversations.newest_request(ws) == -1
    await conversations.show_requested(ws, requested(), 7)
    await conversations.show_requested(ws, requested(), 5)
    assert await conversations.newest_request(ws) == 7


async def test_only_so_many_mails_of_a_conversation_are_reserved(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    waits = [await conversations.reserve_mail(ws, CNV) for _ in range(TRANSCRIPT_MAILS_MAX + 1)]
    assert waits[:-1] == [None] * TRANSCRIPT_MAILS_MAX
    assert waits[-1] is not None
    assert await conversations.reserve_mail(ws, ConversationId("cnv_2")) is None


async def test_many_are_found_at_once(conversations: ShownConversations, ws: WorkspaceId) -> None:
    await conversations.show_requested(ws, requested(), 7)
    unknown = ConversationId("cnv_unknown")
    assert await conversations.find_many(ws, [CNV, unknown]) == {CNV: await conversations.find(ws, CNV)}
    assert await conversations.find_many(ws, []) == {}


async def test_what_the_visitor_wrote_is_unread_until_the_agent_has_read_so_far(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.show(ws, active())

    async def post(number: int, message: Message) -> None:
        client_id = f"m-{number}"
        await conversations.reserve_message(ws, CNV, client_id, message)
        for _ in range(2):  # The second time it is told again.
            await conversations.mark_posted(ws, CNV, client_id, message, number)

    async def unread() -> int:
        return (await conversations.unread_by_agent(ws, [CNV]))[CNV]

    assert await conversations.unread_by_agent(ws, []) == {}
    assert await unread() == 0
    for number in (1, 2):
        await post(number, a_message(number))
    await post(3, a_message(3, by="agent", author_id=GRACE))
    assert await unread() == 2
    await conversations.mark_read(ws, CNV, "visitor", a_message(3).id)
    assert await unread() == 2
    await conversations.mark_read(ws, CNV, "agent", a_message(1).id)
    assert await unread() == 1
    await post(4, a_message(4))
    assert await unread() == 2
    await conversations.mark_read(ws, CNV, "agent", a_message(4).id)
    other = ConversationId("cnv_2")
    assert await conversations.unread_by_agent(ws, [CNV, other]) == {CNV: 0, other: 0}


async def test_the_rating_that_is_last_in_the_log_is_shown(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    await conversations.show(ws, ended())
    first, last = (Rating(score=score, comment="räksmörgås", rated_at=NOON) for score in (2, 5))
    assert await conversations.mark_rated(ws, CNV, last, 9)
    assert not await conversations.mark_rated(ws, CNV, first, 7)
    view = await conversations.find(ws, CNV)
    assert view is not None
    assert (view.rating, view.rating_offset, view.log_offset) == (last, 9, 9)
    await conversations.forget_rating(ws, CNV)
    view = await conversations.find(ws, CNV)
    assert view is not None
    assert view.rating is None


async def test_a_rating_brings_no_conversation_back(
    conversations: ShownConversations, ws: WorkspaceId
) -> None:
    assert await conversations.mark_rated(ws, CNV, Rating(score=5, rated_at=NOON), 9)
    assert await conversations.find(ws, CNV) is None
