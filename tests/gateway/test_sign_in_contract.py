"""What tickets and sessions promise, on the fakes and on the real Redis Functions."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from redis.asyncio import Redis

from rondo_common.ids import WorkspaceId
from rondo_common.redis.doorbells import Doorbells
from rondo_common.redis.keys import workspace_key
from rondo_common.tasks import end_tasks
from rondo_gateway.adapters.redis_effects import gateway_functions
from rondo_gateway.adapters.redis_sign_in import RedisSessions, RedisTickets
from rondo_gateway.domain.sign_in import SESSIONS_OF_AGENT_MAX, KeptSession, KnownAgent, SessionTimes
from rondo_gateway.ports import SessionStore, Ticket, TicketKind, Tickets
from tests.gateway.fake_sign_in import FakeSessions, FakeTickets
from tests.gateway.fake_world import BOB, GRACE, NOON

IDLE_S = 1_000
TIMES = SessionTimes(idle_s=IDLE_S, max_s=5_000)
SESSION = TIMES.begin(KnownAgent(agent_id=GRACE, place=1, workspace_since_ms=1), NOON)
DEADLINE_S = 60.0


@dataclass(frozen=True)
class Stores:
    """Both, over the same world."""

    tickets: Tickets
    sessions: SessionStore


@pytest.fixture(params=["fake", "redis"])
async def stores(request: pytest.FixtureRequest, redis: Redis) -> AsyncIterator[Stores]:
    if request.param == "fake":
        tickets = FakeTickets()
        yield Stores(tickets, FakeSessions(tickets))
        return
    bells = Doorbells(redis)
    listening = asyncio.create_task(bells.run())
    try:
        async with asyncio.timeout(DEADLINE_S):
            while not bells.is_connected:
                await asyncio.sleep(0.01)
        yield Stores(RedisTickets(redis), RedisSessions(gateway_functions(redis), bells))
    finally:
        await end_tasks([listening])


@pytest.fixture
def ws() -> WorkspaceId:
    return WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")


def late(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def ticket(ws: WorkspaceId, name: str = "aa", kind: TicketKind = TicketKind.LINK) -> Ticket:
    return Ticket(ws, kind, name)


async def test_a_ticket_is_found_until_one_takes_it(stores: Stores, ws: WorkspaceId) -> None:
    tickets = stores.tickets
    assert await tickets.find(ticket(ws)) is None
    await tickets.keep(ticket(ws), "about Grace ✓", 60)
    assert await tickets.find(ticket(ws)) == "about Grace ✓"
    taken = await asyncio.gather(*(tickets.take(ticket(ws)) for _ in range(20)))
    assert [each for each in taken if each is not None] == ["about Grace ✓"]
    assert await tickets.find(ticket(ws)) is None


async def test_tickets_are_told_apart_by_workspace_kind_and_name(stores: Stores, ws: WorkspaceId) -> None:
    await stores.tickets.keep(ticket(ws), "1", 60)
    for other in (
        ticket(WorkspaceId(f"{ws}-2")),
        ticket(ws, "ab"),
        ticket(ws, kind=TicketKind.FLOW),
    ):
        assert await stores.tickets.find(other) is None
        assert await stores.tickets.take(other) is None


async def test_a_session_goes_on_as_long_as_it_is_used(stores: Stores, ws: WorkspaceId) -> None:
    sessions = stores.sessions
    assert await sessions.begin(ws, "s1", SESSION, NOON, IDLE_S)
    for count in range(1, 6):
        assert await sessions.use(ws, GRACE, "s1", late(900 * count), IDLE_S) == SESSION
    assert await sessions.use(ws, GRACE, "s1", late(4_500 + IDLE_S), IDLE_S) is None


async def test_a_session_unused_for_its_idle_time_is_over(stores: Stores, ws: WorkspaceId) -> None:
    await stores.sessions.begin(ws, "s1", SESSION, NOON, IDLE_S)
    assert await stores.sessions.use(ws, GRACE, "s1", late(IDLE_S), IDLE_S) is None
    assert await stores.sessions.use(ws, GRACE, "s1", NOON, IDLE_S) is None  # And stays so.


async def test_no_use_keeps_a_session_beyond_its_end(stores: Stores, ws: WorkspaceId) -> None:
    await stores.sessions.begin(ws, "s1", SESSION, NOON, IDLE_S)
    used = [await stores.sessions.use(ws, GRACE, "s1", late(each), IDLE_S) for each in range(0, 5_000, 500)]
    assert used == [SESSION] * 10
    assert await stores.sessions.use(ws, GRACE, "s1", late(4_999), IDLE_S) == SESSION
    assert await stores.sessions.use(ws, GRACE, "s1", late(5_000), IDLE_S) is None


async def test_sessions_are_told_apart_by_workspace_agent_and_name(stores: Stores, ws: WorkspaceId) -> None:
    await stores.sessions.begin(ws, "s1", SESSION, NOON, IDLE_S)
    assert await stores.sessions.use(WorkspaceId(f"{ws}-2"), GRACE, "s1", NOON, IDLE_S) is None
    assert await stores.sessions.use(ws, BOB, "s1", NOON, IDLE_S) is None
    assert await stores.sessions.use(ws, GRACE, "s2", NOON, IDLE_S) is None


async def test_a_ticket_begins_one_session_whoever_asks_at_once(stores: Stores, ws: WorkspaceId) -> None:
    await stores.tickets.keep(ticket(ws), "about Grace", 60)
    names = [f"s{number}" for number in range(20)]
    begun = await asyncio.gather(
        *(stores.sessions.begin(ws, name, SESSION, NOON, IDLE_S, ticket(ws)) for name in names)
    )
    assert sum(begun) == 1
    found = [await stores.sessions.use(ws, GRACE, name, NOON, IDLE_S) for name in names]
    assert [each is not None for each in found] == list(begun)
    assert await stores.tickets.find(ticket(ws)) is None


async def test_beginning_the_same_session_again_is_harmless(stores: Stores, ws: WorkspaceId) -> None:
    """A call whose connection broke is repeated: the ticket is gone by then."""
    await stores.tickets.keep(ticket(ws), "about Grace", 60)
    begun = [await stores.sessions.begin(ws, "s1", SESSION, NOON, IDLE_S, ticket(ws)) for _ in range(2)]
    assert begun == [True, True]


async def test_an_ended_session_is_gone_and_the_others_go_on(stores: Stores, ws: WorkspaceId) -> None:
    for name in ("s1", "s2"):
        await stores.sessions.begin(ws, name, SESSION, NOON, IDLE_S)
    await stores.sessions.end(ws, GRACE, "s1")
    await stores.sessions.end(ws, GRACE, "s1")
    assert await stores.sessions.use(ws, GRACE, "s1", NOON, IDLE_S) is None
    assert await stores.sessions.use(ws, GRACE, "s2", NOON, IDLE_S) == SESSION
    await stores.sessions.end_all(ws, GRACE)
    assert await stores.sessions.use(ws, GRACE, "s2", NOON, IDLE_S) is None


async def test_an_agent_has_so_many_sessions_and_a_new_one_ends_the_one_unused_for_longest(
    stores: Stores, ws: WorkspaceId
) -> None:
    for number in range(SESSIONS_OF_AGENT_MAX):
        await stores.sessions.begin(ws, f"s{number}", SESSION, late(number), IDLE_S)
    assert await stores.sessions.use(ws, GRACE, "s0", late(100), IDLE_S) == SESSION
    await stores.sessions.begin(ws, "new", SESSION, late(101), IDLE_S)
    going_on = {
        name
        for name in ("new", *(f"s{number}" for number in range(SESSIONS_OF_AGENT_MAX)))
        if await stores.sessions.use(ws, GRACE, name, late(102), IDLE_S)
    }
    assert len(going_on) == SESSIONS_OF_AGENT_MAX
    assert {"new", "s0"} < going_on
    assert "s1" not in going_on


async def test_sessions_that_are_over_make_room_by_themselves(stores: Stores, ws: WorkspaceId) -> None:
    for number in range(SESSIONS_OF_AGENT_MAX):
        await stores.sessions.begin(ws, f"s{number}", SESSION, NOON, IDLE_S)
    later = TIMES.begin(SESSION.agent, late(IDLE_S))
    for number in range(SESSIONS_OF_AGENT_MAX):
        await stores.sessions.begin(ws, f"n{number}", later, late(IDLE_S), IDLE_S)
    for number in range(SESSIONS_OF_AGENT_MAX):
        assert await stores.sessions.use(ws, GRACE, f"n{number}", late(IDLE_S), IDLE_S) == later


@pytest.mark.parametrize("way", ["one", "all"])
async def test_ending_rings(stores: Stores, ws: WorkspaceId, way: str) -> None:
    await stores.sessions.begin(ws, "s1", SESSION, NOON, IDLE_S)
    async with stores.sessions.listen(ws, GRACE) as bell:
        bell.clear()
        if way == "one":
            await stores.sessions.end(ws, GRACE, "s1")
        else:
            await stores.sessions.end_all(ws, GRACE)
        async with asyncio.timeout(DEADLINE_S):
            await bell.wait()


async def test_redis_keeps_no_session_for_longer_than_it_can_last(redis: Redis, ws: WorkspaceId) -> None:
    sessions = RedisSessions(gateway_functions(redis), Doorbells(redis))
    long = SessionTimes(max_s=9_000).begin(SESSION.agent, NOON)
    for name, session in (("s1", SESSION), ("s2", long), ("s3", SESSION)):
        await sessions.begin(ws, name, session, NOON, IDLE_S)
        await sessions.use(ws, GRACE, name, NOON, IDLE_S)
    kept_ms = await redis.pttl(workspace_key(ws, "agent", GRACE, "sessions"))
    assert 5_000_000 < kept_ms <= 9_000_000
    tickets = RedisTickets(redis)
    await tickets.keep(ticket(ws), "about Grace", 60)
    assert 0 < await redis.pttl(workspace_key(ws, "sign_in_link", "aa")) <= 60_000


def test_a_session_is_kept_as_it_is_told() -> None:
    assert KeptSession.model_validate_json(SESSION.model_dump_json()) == SESSION
