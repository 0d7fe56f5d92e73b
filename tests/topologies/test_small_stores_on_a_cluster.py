"""What else the gateway and the router do on Redis, on a cluster and as their users, each once."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from rondo_common.answers import Answer
from rondo_common.ids import AgentId, AlertId, CommandId, ConversationId, EventId, WebhookId, WorkspaceId
from rondo_common.redis.address import RedisAddress
from rondo_common.redis.connection import connect_redis
from rondo_common.redis.functions import FunctionLibrary
from rondo_common.redis.keys import agent_mailbox_key, answer_key
from rondo_common.redis.users import GATEWAY, ROUTER
from rondo_common.webhooks import Reread
from rondo_gateway.adapters.redis_alerts import RedisAlertBook
from rondo_gateway.adapters.redis_answers import RedisAnswers
from rondo_gateway.adapters.redis_directory_offsets import RedisDirectoryOffsets
from rondo_gateway.adapters.redis_effects import gateway_functions
from rondo_gateway.adapters.redis_mailboxes import RedisMailboxes
from rondo_gateway.adapters.redis_places import RedisPlaces
from rondo_gateway.adapters.redis_rate_limiter import RedisRateLimiter
from rondo_gateway.adapters.redis_turns import RedisTurns
from rondo_gateway.adapters.redis_visitor_presence import RedisVisitorPresence
from rondo_gateway.adapters.redis_webhooks import RedisWebhookDesk
from rondo_gateway.ports import Quota
from rondo_router.adapters.redis_switchboard import RedisSwitchboard
from tests.gateway.test_mailboxes_contract import running_doorbells
from tests.redis_topologies import Cluster

USER = GATEWAY
NOW = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
AGENT, WEBHOOK = AgentId("a"), WebhookId("h")


@pytest.fixture
def ws() -> WorkspaceId:
    """A workspace of the test's own."""
    return WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")


@pytest.fixture
def functions(redis: Redis) -> FunctionLibrary:
    """The gateway's."""
    return gateway_functions(redis)


async def test_turns_places_and_offsets(redis: Redis, functions: FunctionLibrary, ws: WorkspaceId) -> None:
    async with RedisTurns(redis, functions, lambda: "token").turn(ws):
        assert await RedisPlaces(functions).begin(ws, 4) == 5
    async with RedisTurns(redis, functions, lambda: "another").turn(ws):
        assert await RedisPlaces(functions).next(ws, 0) == 6
    await RedisDirectoryOffsets(functions).note(ws, 7)
    assert await RedisDirectoryOffsets(functions).newest(ws) == 7


async def test_limits_and_visitors(functions: FunctionLibrary, ws: WorkspaceId) -> None:
    limiter, quota = RedisRateLimiter(functions), Quota("chats_per_minute", "visitor", 1)
    assert await limiter.take(ws, [quota], NOW) is None
    assert await limiter.take(ws, [quota], NOW) is not None
    visitors, conversation_id = RedisVisitorPresence(functions), ConversationId("c")
    await visitors.see(ws, conversation_id, "stream", NOW, NOW + timedelta(seconds=30))
    await visitors.leave(ws, conversation_id, "stream", NOW)


async def test_mailboxes_answers_and_alerts_are_heard_of(
    redis: Redis, redis_url: str, cluster: Cluster, ws: WorkspaceId
) -> None:
    mailbox, command = agent_mailbox_key(ws, AGENT), CommandId("command")
    owner = connect_redis(cluster.address(), client_name="tests")
    async with running_doorbells(redis_url) as bells:
        mailboxes = RedisMailboxes(redis, bells)
        async with mailboxes.listen(mailbox) as bell:
            await mailboxes.whisper(mailbox, "typing")
            await bell.wait()
        assert await mailboxes.extent(mailbox) is None
        async with RedisAnswers(redis, bells).expected(ws, command) as answer:
            await owner.set(answer_key(ws, command), Answer(refusal="too-late").model_dump_json())
            heard = await answer(60)
        book = RedisAlertBook(redis, bells)
        async with book.watched(ws, AlertId("alert")):
            assert await book.find(ws, AlertId("alert")) is None
        assert await book.of_agent(ws, AGENT) == []
    await owner.aclose()
    assert heard == Answer(refusal="too-late")


async def test_webhooks_are_read_and_asked_for(redis: Redis, ws: WorkspaceId) -> None:
    desk = RedisWebhookDesk(redis)
    (state,) = await desk.states(ws, [WEBHOOK])
    assert (state.failing_since, state.given_up) == (None, None)
    assert await desk.deliveries(ws, WEBHOOK, state=None, limit=5, before=None) == ([], None)
    await desk.ask_for_test(ws, WEBHOOK, EventId("test"))
    assert await desk.ask_for_replay(ws, WEBHOOK, Reread(since=NOW, until=NOW))
    assert not await desk.ask_for_replay(ws, WEBHOOK, Reread(since=NOW, until=NOW))


async def test_the_router_forgets_what_it_tried_out(cluster: Cluster, ws: WorkspaceId) -> None:
    address: RedisAddress = cluster.address(ROUTER)
    router = connect_redis(address, client_name="tests")
    switchboard = RedisSwitchboard(router)
    epoch = await switchboard.claim(3, 1)
    await switchboard.adopt(epoch, 3, [ws])
    assert await switchboard.lost(3, [ws]) == []
    await switchboard.discard(3, ws)
    assert await switchboard.untold([ws]) == []
    assert await switchboard.next_timers([ws]) == {ws: None}
    await switchboard.adopt(epoch, 3, [WorkspaceId(f"{ws}-2")])
    assert await switchboard.lost(3, [ws, WorkspaceId(f"{ws}-2")]) == []
    await router.aclose()
