"""Old state and the events since are the state: what is rebuilt from the log goes on as if nothing
had been."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from rondo_common.clock import from_milliseconds
from rondo_common.conversation import Author, Message, Party, Rating, Status
from rondo_common.directory.entries import Kind
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AcknowledgeAlert,
    ConversationErased,
    ConversationEvent,
    ConversationRated,
    MessagePosted,
)
from rondo_common.ids import AgentId, AlertId, ConversationId, EventId, MessageId
from rondo_router.adapters.redis_switchboard import RedisSwitchboard
from rondo_router.domain.decision import Decision
from rondo_router.domain.memory import Recorded, WorkspaceMemory
from rondo_router.ports import Switchboard
from tests.router.chats import agent_route, team_route
from tests.router.course import AGENTS, Course, provision
from tests.router.fake_switchboard import FakeSwitchboard
from tests.router.hall import PARTITION, FakeWorld, Hall, RedisWorld, World, fake_hall, told
from tests.router.plain_workspace import Workspace
from tests.router.provisioned import NEVER
from tests.router.story import Story

STEPS_MAX = 60
LEARNT_ANEW = {"version", "lease_due"}
Rebuild = Callable[..., Awaitable[Hall]]


def remembered(hall: Hall, log: Sequence[Recorded] | None = None) -> WorkspaceMemory:
    """What the log remembers."""
    memory = WorkspaceMemory(hall.here.found)
    for record in hall.log if log is None else log:
        memory.take(record)
    memory.settle()
    return memory


async def rebuilt(
    hall: Hall, board: Switchboard, world: World, log: Sequence[Recorded] | None = None
) -> Hall:
    """The same hall on a switchboard that never knew it, rebuilt from the log and taken over."""
    memory = remembered(hall, log)
    epoch = await board.claim(PARTITION, hall.now)
    await board.restore(epoch, hall.workspace_id, memory, hall.now)
    await board.adopt(epoch, PARTITION, [hall.workspace_id])
    again = Hall(board, world, hall.here, epoch)
    again.now, again.log = hall.now, list(hall.log if log is None else log)
    again.asking = hall.asking
    await again.take_over()
    await again.decide(*(again.asking.resume(each) for each in memory.broken_off()))
    return again


async def rebuilt_plainly(hall: Hall, log: Sequence[Recorded] | None = None) -> Hall:
    board = FakeSwitchboard()
    return await rebuilt(hall, board, FakeWorld(board), log)


async def played(seed: int, steps: int) -> tuple[Hall, Course, Story]:
    """A hall after a course of events."""
    chosen, hall = random.Random(seed), await fake_hall()
    provision(hall.here)
    await hall.take_over()
    story = Story()
    course = Course(hall.asking, story, chosen)
    for _ in range(steps):
        known = len(hall.log)
        if chosen.random() < 0.1:
            await hall.wait(chosen.choice([1, 40, 100]))
        else:
            await hall.one(course.next(hall.now))
        for record in hall.log[known:]:
            story.take(record.envelope)
    return hall, course, story


def plain(hall: Hall) -> Workspace:
    assert isinstance(hall.board, FakeSwitchboard)
    return hall.board.workspaces[hall.workspace_id]


def turn_is_kept(hall: Hall) -> bool:
    """Whether somebody has, or had, a turn to come that the counter has passed.

    The log does not name all of these, nor does it say who lost theirs by being away or full.
    """
    circles = plain(hall).circles.values()
    is_kept = any(turn <= circle.counter for circle in circles for turn in circle.turns.values())
    return is_kept or any(pool.kept for pool in remembered(hall).pools.values())


async def the_same_is_seen(before: Hall, after: Hall, course: Course) -> None:
    for conversation in course.asked:
        assert await after.view(conversation) == await before.view(conversation)
    for agent in AGENTS:
        assert await after.held(agent) == await before.held(agent)
        assert await after.desk(agent) == await before.desk(agent)


def in_short(decision: Decision) -> tuple[object, ...]:
    """What matters to anybody outside: not what is learnt anew, how long the wait may be and whether
    the visitor is still there."""
    steps = [step.model_dump(exclude={"queue": {"estimated_wait_s"}}) for step in decision.steps]
    return decision.refusal, steps, [each.model_dump(exclude=LEARNT_ANEW) for each in decision.chats]


async def the_same_happens(before: Hall, after: Hall, course: Course, *, steps: int) -> None:
    """Whatever comes next is decided alike on both."""
    for _ in range(steps):
        asked = course.next(before.now)
        assert in_short(await after.one(asked)) == in_short(await before.one(asked))


@given(seed=st.integers(0, 2**32), steps=st.integers(0, STEPS_MAX))
@settings(max_examples=60, deadline=None)
async def test_a_switchboard_rebuilt_from_the_log_goes_on_as_if_nothing_had_been(
    seed: int, steps: int
) -> None:
    hall, course, _ = await played(seed, steps)
    again = await rebuilt_plainly(hall)
    await the_same_is_seen(hall, again, course)
    assert [each.conversation_id for each in plain(again).line()] == [
        each.conversation_id for each in plain(hall).line()
    ]
    if not turn_is_kept(hall) and all(chat.transfer is None for chat in plain(hall).chats.values()):
        await the_same_happens(hall, again, course, steps=15)


@given(seed=st.integers(0, 2**32), steps=st.integers(0, STEPS_MAX))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_real_one_is_rebuilt_as_the_plain_one_is(redis: Redis, seed: int, steps: int) -> None:
    await redis.connection_pool.disconnect()  # Each example runs in an event loop of its own.
    hall, course, _ = await played(seed, steps)
    again = await rebuilt_plainly(hall)
    really = await rebuilt(hall, RedisSwitchboard(redis), RedisWorld(redis))
    await the_same_is_seen(again, really, course)
    here = [hall.workspace_id]
    assert await really.board.next_timers(here) == await again.board.next_timers(here)
    await the_same_happens(again, really, course, steps=15)


@given(seed=st.integers(0, 2**32), steps=st.integers(1, STEPS_MAX), cut=st.integers(1, 3))
@settings(max_examples=40, deadline=None)
async def test_a_log_that_breaks_off_in_the_middle_of_a_decision_leaves_nobody_hanging(
    seed: int, steps: int, cut: int
) -> None:
    hall, course, _ = await played(seed, steps)
    again = await rebuilt_plainly(hall, hall.log[:-cut])
    for conversation in course.asked:
        assert await again.status(conversation) is not Status.REQUESTED
    for agent in AGENTS:
        assert len(await again.held(agent)) <= 2 + cut
    for _ in range(20):
        await again.wait(100)
    statuses = {await again.status(each) for each in course.asked}
    assert all(each is None or each.is_final or each is Status.ACTIVE for each in statuses)


# --- one by one ----------------------------------------------------------------------------------


@pytest.fixture(params=["fake", "redis"])
def rebuild(request: pytest.FixtureRequest, redis: Redis) -> Rebuild:
    """Rebuilds a hall on another switchboard."""

    async def to_redis(hall: Hall, log: Sequence[Recorded] | None = None) -> Hall:
        return await rebuilt(hall, RedisSwitchboard(redis), RedisWorld(redis), log)

    return rebuilt_plainly if request.param == "fake" else to_redis


async def test_the_rotation_goes_on_where_it_stood(rebuild: Rebuild) -> None:
    hall = await fake_hall()
    await hall.provision(hall.here.agents("a", "b", "c"), hall.here.team("sales", "b", "c"))
    assert await hall.offers("1", "2") == ["a", "b"]
    assert await hall.offers("3", route=team_route("sales")) == ["b"]
    again = await rebuild(hall)
    assert await again.offers("4", "5") == ["c", "a"]
    assert await again.offers("6", route=team_route("sales")) == ["c"]


async def test_a_kept_turn_that_the_log_names_is_kept(rebuild: Rebuild) -> None:
    hall = await fake_hall(offer_attempts={"round_robin": 2})
    await hall.provision(hall.here.agents("a", "b", "c"))
    await hall.offers(*"012")
    await hall.one(hall.asking.decline("0", "a"))  # To b, though it was a's turn.
    again = await rebuild(hall)
    assert await again.offers(*"3456") == ["a", "c", "a", "b"]


async def test_a_kept_turn_of_one_who_left_the_pool_since_is_nobodys(rebuild: Rebuild) -> None:
    hall = await fake_hall(offer_attempts={"team": 2})
    here, sales = hall.here, team_route("sales")
    await hall.provision(here.agents("a", "b", "c"), here.team("sales", "a", "b", "c"))
    await hall.offers(*"012", route=sales)
    await hall.one(hall.asking.decline("0", "a"))  # To b, though it was a's turn.
    here.team("sales", "b", "c")
    again = await rebuild(hall)
    assert await again.offers(*"34", route=sales) == ["c", "b"]


async def test_an_open_offer_may_be_answered_and_is_missed_in_time(rebuild: Rebuild) -> None:
    hall = await fake_hall()
    await hall.provision(hall.here.agents("a", "b"))
    await hall.offers("1", "2")
    again = await rebuild(hall)
    assert told(await again.one(again.asking.accept("1", "a"))) == ["accepted:a"]
    assert told(*await again.wait(100)) == ["timed_out:b", "fell_back:not_answered"]


async def test_who_waits_keeps_their_place_and_their_end(rebuild: Rebuild) -> None:
    hall = await fake_hall(queue={"enabled": True, "max_wait_s": 300})
    await hall.provision(hall.here.agent("a", schedule=NEVER))
    await hall.decide(hall.asking.ask("1"), hall.asking.ask("2", priority=1))
    hall.now += 200_000
    again = await rebuild(hall)
    await again.one(again.asking.ask("3"))
    decisions = await again.wait(100)
    assert told(*decisions) == ["fell_back:queue_timeout"] * 2
    assert told(*await again.provision(again.here.agent("a"))) == ["availability_changed:a", "offered:a"]


async def test_what_was_being_handed_over_is_accepted_or_returns(rebuild: Rebuild) -> None:
    hall = await fake_hall()
    await hall.provision(hall.here.agents("a", "b"))
    for conversation in ("1", "2"):
        await hall.one(hall.asking.ask(conversation, agent_route("a")))
        await hall.one(hall.asking.accept(conversation, "a"))
        await hall.one(hall.asking.transfer(conversation, "a", agent="b"))
    again = await rebuild(hall)
    assert await again.held("b") == {"1", "2"}
    accepted, declined = await again.decide(again.asking.accept("1", "b"), again.asking.decline("2", "b"))
    assert [step.type for step in accepted.steps] == ["accepted", "transferred"]
    assert told(declined) == ["declined:b", "returned:a"]


async def test_who_was_present_is_so_until_they_should_have_said_so_again(rebuild: Rebuild) -> None:
    hall = await fake_hall(presence_required=True)
    await hall.provision(hall.here.agents("a", "b", "c"))
    for agent in ("a", "b", "c"):
        await hall.connect(agent, lease_s=10 if agent == "c" else 500)
    await hall.wait(20)  # c is gone.
    again = await rebuild(hall)
    assert await again.offers("1", "2", "3") == ["a", "b", "a"]
    await again.renew_lease("b", lease_s=300)
    assert "disconnected:a" in told(*await again.wait(75))
    assert await again.offers("4", "5") == ["b", "b"]


async def test_a_cause_that_was_told_is_not_decided_again(rebuild: Rebuild) -> None:
    hall = await fake_hall()
    await hall.provision(hall.here.agents("a", "b"))
    ask = hall.asking.ask("1")
    await hall.one(ask)
    again = await rebuild(hall)
    repeated = await again.one(ask)
    assert (repeated.repeated, repeated.steps, repeated.refusal) == (True, (), None)
    assert await again.offered("2") == "b"


async def test_engagements_count_on(rebuild: Rebuild) -> None:
    hall = await fake_hall(engagements_per_month_max=2, blocked_email_domains=["rival.com"])
    await hall.provision(hall.here.agent("a"))
    await hall.one(hall.asking.ask("1", email="x@rival.com"))
    await hall.one(hall.asking.ask("2"))
    again = await rebuild(hall)
    assert told(*await again.decide(again.asking.ask("3"), again.asking.ask("4"))) == [
        "offered:a",
        "fell_back:engagement_limit",
    ]


async def test_a_chat_the_log_left_between_two_offers_goes_on(rebuild: Rebuild) -> None:
    hall = await fake_hall(offer_attempts={"round_robin": 2})
    await hall.provision(hall.here.agents("a", "b"))
    await hall.one(hall.asking.ask("1"))
    await hall.wait(100)
    again = await rebuild(hall, hall.log[:-1])  # The miss is told, the next offer is not.
    assert await again.held("b") == {"1"}
    assert await again.status("1") is Status.OFFERED
    assert told(await again.one(again.asking.decline("1", "b"))) == [
        "declined:b",
        "fell_back:not_answered",
    ]


async def test_a_message_moves_how_far_the_log_has_it_and_nothing_else(rebuild: Rebuild) -> None:
    hall = await fake_hall()
    await hall.provision(hall.here.agent("a"))
    await hall.decide(hall.asking.ask("1"), hall.asking.accept("1", "a"))
    message = Message(
        id=MessageId("msg_1"),
        author=Author(type="visitor", id="u-17"),
        text="Hello",
        sent_at=from_milliseconds(hall.now) + timedelta(seconds=1),
    )
    event = MessagePosted(
        conversation_id=ConversationId("1"), message=message, client_message_id="c-1", agent_id=AgentId("a")
    )
    posted = Envelope(EventId("m"), "/gateway", message.sent_at, hall.workspace_id, event)
    again = await rebuild(hall, [*hall.log, Recorded(posted, 7)])
    view = await again.view("1")
    assert view is not None
    assert (view.status, view.agent_id, view.log_offset, view.state_offset) == (Status.ACTIVE, "a", 7, 1)


async def test_what_began_before_the_log_does_is_left_out(rebuild: Rebuild) -> None:
    hall = await fake_hall()
    await hall.provision(hall.here.agent("a"))
    await hall.decide(hall.asking.ask("1"), hall.asking.accept("1", "a"))
    again = await rebuild(hall, hall.log[1:])
    assert await again.view("1") is None
    assert await again.held("a") == set()


async def test_the_same_record_twice_is_remembered_once() -> None:
    hall, _, _ = await played(17, STEPS_MAX)
    twice = remembered(hall, [record for record in hall.log for _ in range(2)])
    once = remembered(hall)
    assert (twice.chats, twice.pools, twice.engagements) == (once.chats, once.pools, once.engagements)


async def test_who_is_not_in_the_directory_any_more_is_not_present() -> None:
    hall = await fake_hall()
    await hall.provision(hall.here.agents("a", "b"))
    await hall.connect("a")
    await hall.connect("b")
    hall.here.remove(Kind.AGENT, "a")
    assert remembered(hall).present == {AgentId("b")}


async def test_what_was_erased_is_not_brought_back() -> None:
    hall = await fake_hall()
    await hall.provision(hall.here.agents("a", "b"))
    await hall.offers("1", "2")
    (erased, kept) = remembered(hall).chats
    forgotten = ConversationErased(conversation_id=erased, agent_ids=(AgentId("a"),))
    at = from_milliseconds(hall.now)
    envelope = Envelope(EventId("erasure"), "/tests", at, hall.workspace_id, forgotten)
    assert set(remembered(hall, [*hall.log, Recorded(envelope, 99)]).chats) == {kept}


async def test_what_the_parties_say_of_an_ended_chat_is_shown_again_and_moves_nothing() -> None:
    hall = await fake_hall()
    await hall.provision(hall.here.agents("a"))
    await hall.offers("1")
    (before,) = remembered(hall).chats.items()
    conversation_id, chat = before
    at, a_party = from_milliseconds(hall.now), Party(type="visitor", id="v")
    agent_id, rating = AgentId("a"), Rating(score=4, comment="Fine", rated_at=at)
    said: list[ConversationEvent] = [
        ConversationRated(conversation_id=conversation_id, rating=rating, by=a_party, agent_id=agent_id),
        AcknowledgeAlert(
            conversation_id=conversation_id, alert_id=AlertId("alr_1"), agent_id=agent_id, by=a_party
        ),
    ]
    records = [
        Recorded(Envelope(EventId(each.TYPE), "/tests", at, hall.workspace_id, each), 90 + number)
        for number, each in enumerate(said)
    ]
    after = remembered(hall, [*hall.log, *records]).chats[conversation_id]
    assert (after.rating, after.rating_offset, after.log_offset) == (rating, 90, 91)
    assert (after.version, after.state_offset) == (chat.version, chat.state_offset)


async def test_a_rating_is_shown_again_after_a_loss(redis: Redis) -> None:
    hall = await fake_hall()
    await hall.provision(hall.here.agents("a"))
    await hall.offers("1")
    await hall.decide(hall.asking.accept("1", "a"), hall.asking.end("1"))
    at = from_milliseconds(hall.now)
    rated = ConversationRated(
        conversation_id=ConversationId("1"),
        rating=Rating(score=4, comment="Räksmörgås", rated_at=at),
        by=Party(type="visitor", id="v"),
        agent_id=AgentId("a"),
    )
    envelope = Envelope(EventId("rated"), "/tests", at, hall.workspace_id, rated)
    log = [*hall.log, Recorded(envelope, 90)]
    again = await rebuilt(hall, RedisSwitchboard(redis), RedisWorld(redis), log)
    view = await again.view("1")
    assert view is not None
    assert (view.status, view.rating, view.rating_offset) == (Status.ENDED, rated.rating, 90)
