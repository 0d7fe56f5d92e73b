"""What the schedule of webhooks promises, shown on the fake and on the real Redis Functions alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from rondo_common.errors import Fenced
from rondo_common.ids import ConversationId, EventId
from rondo_common.webhooks import (
    LOG_ENTRIES_MAX,
    LOG_KEPT_S,
    DeliveryRecord,
    DeliveryState,
    Reread,
    asked_key,
    order_key,
    records_key,
    share_key,
    share_of,
)
from rondo_notifier.adapters.redis_webhook_schedule import RedisWebhookSchedule
from rondo_notifier.domain.webhooks import EndpointKey, after
from rondo_notifier.ports import Claimed, ClaimRequest, Claims, Ended, Holding, Placement, WebhookSchedule
from tests.notifier.fake_webhook_schedule import FakeWebhookSchedule
from tests.notifier.webhook_world import ACTIVATION, NOON, a_plan, attempt, entry, new_endpoint

WAITING_MAX = 100


class LookedInto(WebhookSchedule, Protocol):
    async def log(self, endpoint: EndpointKey) -> list[DeliveryRecord]: ...

    async def ask_test(self, endpoint: EndpointKey, test_id: EventId) -> None: ...

    async def lose(self, endpoint: EndpointKey) -> None: ...


class LookedIntoRedis(RedisWebhookSchedule):
    """The real schedule, with what is otherwise the gateway's."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.redis: Any = redis

    async def log(self, endpoint: EndpointKey) -> list[DeliveryRecord]:
        ids = await self.redis.zrange(order_key(*endpoint), 0, -1)
        records = [await self.redis.hget(records_key(*endpoint), each) for each in ids]
        assert await self.redis.hlen(records_key(*endpoint)) == len(ids)
        return [DeliveryRecord.model_validate_json(each) for each in records]

    async def ask_test(self, endpoint: EndpointKey, test_id: EventId) -> None:
        await self.redis.hset(asked_key(*endpoint), f"test:{test_id}", "")

    async def lose(self, endpoint: EndpointKey) -> None:
        await self.redis.delete(share_key(share_of(*endpoint), "epoch"))


class LookedIntoFake(FakeWebhookSchedule):
    async def log(self, endpoint: EndpointKey) -> list[DeliveryRecord]:
        return list(self.endpoints[endpoint].records.values()) if endpoint in self.endpoints else []

    async def ask_test(self, endpoint: EndpointKey, test_id: EventId) -> None:
        self.ask(endpoint, test=test_id)

    async def lose(self, endpoint: EndpointKey) -> None:
        self.epochs.pop(share_of(*endpoint))


@pytest.fixture(params=["fake", "redis"])
def schedule(request: pytest.FixtureRequest, redis: Redis) -> LookedInto:
    return LookedIntoFake() if request.param == "fake" else LookedIntoRedis(redis)


@pytest.fixture
def endpoint() -> EndpointKey:
    return new_endpoint()


async def take(schedule: WebhookSchedule, endpoint: EndpointKey, at: datetime = NOON) -> Holding:
    reread = Reread(since=at - timedelta(hours=1), until=at)
    holding, _ = await schedule.take_over(share_of(*endpoint), at, reread)
    return holding


async def claim(
    schedule: WebhookSchedule,
    holding: Holding,
    endpoint: EndpointKey,
    *,
    at: datetime = NOON,
    count: int = 10,
    held: tuple[str, ...] = (),
    activation: EventId = ACTIVATION,
) -> Claims:
    return await schedule.settle_and_claim(ClaimRequest(holding, endpoint, activation, count, held), at)


async def place(
    schedule: WebhookSchedule, endpoint: EndpointKey, *names: str, is_replay: bool = False
) -> list[Placement]:
    """Schedule deliveries named ``lane.number``."""
    plans = [a_plan(endpoint, name.partition(".")[0], name) for name in names]
    return await schedule.schedule(plans, NOON, waiting_max=WAITING_MAX, is_replay=is_replay)


def ended(claimed: Claimed, error: str | None = None, at: datetime = NOON) -> Ended:
    return Ended(claimed, entry(), after(claimed.record, attempt(error, at), at))


async def settle(
    schedule: WebhookSchedule,
    holding: Holding,
    claimed: Claimed,
    error: str | None = None,
    at: datetime = NOON,
) -> datetime | None:
    """Settle an attempt, and claim nothing; since when its endpoint fails."""
    settling = [ended(claimed, error, at)]
    request = ClaimRequest(holding, claimed.endpoint, ACTIVATION, 0, ended=settling)
    return (await schedule.settle_and_claim(request, at)).failing_since


def ids(claims: Claims) -> list[str]:
    return [each.record.id for each in claims.claimed]


async def test_what_is_scheduled_is_claimed_once_with_its_body(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    holding = await take(schedule, endpoint)
    assert await place(schedule, endpoint, "a.1", "b.1") == [Placement.SCHEDULED] * 2
    claims = await claim(schedule, holding, endpoint)
    assert sorted(ids(claims)) == ["a.1", "b.1"]
    assert {each.body for each in claims.claimed} == {"body of a.1", "body of b.1"}
    assert claims.next_due_ms is None
    assert ids(await claim(schedule, holding, endpoint, held=("a", "b"))) == []


async def test_the_next_of_a_conversation_waits_until_the_one_before_is_delivered(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    holding = await take(schedule, endpoint)
    await place(schedule, endpoint, "a.1", "a.2", "b.1", "a.3")
    first = await claim(schedule, holding, endpoint)
    assert sorted(ids(first)) == ["a.1", "b.1"]
    of_a = next(each for each in first.claimed if each.lane == "a")
    assert ids(await claim(schedule, holding, endpoint, held=("a", "b"))) == []
    await settle(schedule, holding, of_a)
    assert ids(await claim(schedule, holding, endpoint, held=("b",))) == ["a.2"]


async def test_a_failure_holds_its_conversation_back_until_the_retry_and_no_other(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    holding = await take(schedule, endpoint)
    await place(schedule, endpoint, "a.1", "a.2")
    (first,) = (await claim(schedule, holding, endpoint)).claimed
    await settle(schedule, holding, first, "answered 500")
    await place(schedule, endpoint, "b.1")
    claims = await claim(schedule, holding, endpoint)
    assert ids(claims) == ["b.1"]
    retry_at = NOON + timedelta(seconds=5)
    assert claims.next_due_ms == round(retry_at.timestamp() * 1000)
    assert ids(await claim(schedule, holding, endpoint, at=retry_at, held=("b",))) == ["a.1"]


async def test_what_has_failed_for_good_lets_the_next_of_its_conversation_go(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    holding = await take(schedule, endpoint)
    await place(schedule, endpoint, "a.1", "a.2")
    now = NOON
    for _ in range(8):
        claims = await claim(schedule, holding, endpoint, at=now)
        assert ids(claims) == ["a.1"]
        await settle(schedule, holding, claims.claimed[0], "answered 500", now)
        now += timedelta(days=1)
    assert ids(await claim(schedule, holding, endpoint, at=now)) == ["a.2"]
    log = {each.id: each for each in await schedule.log(endpoint)}
    assert (log[EventId("a.1")].state, len(log[EventId("a.1")].attempts)) == (DeliveryState.FAILED, 8)


async def test_an_event_that_is_read_again_is_not_sent_again(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    holding = await take(schedule, endpoint)
    await place(schedule, endpoint, "a.1")
    assert await place(schedule, endpoint, "a.1") == [Placement.KNOWN]
    (first,) = (await claim(schedule, holding, endpoint)).claimed
    assert await place(schedule, endpoint, "a.1") == [Placement.KNOWN]
    await settle(schedule, holding, first)
    assert await place(schedule, endpoint, "a.1") == [Placement.KNOWN]
    assert ids(await claim(schedule, holding, endpoint)) == []


async def test_a_replay_sends_again_what_came_to_its_end_and_not_what_is_on_its_way(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    holding = await take(schedule, endpoint)
    await place(schedule, endpoint, "a.1", "b.1")
    claims = await claim(schedule, holding, endpoint)
    await settle(schedule, holding, next(each for each in claims.claimed if each.lane == "a"))
    again = await place(schedule, endpoint, "a.1", "b.1", is_replay=True)
    assert again == [Placement.SCHEDULED, Placement.KNOWN]
    assert ids(await claim(schedule, holding, endpoint, held=("b",))) == ["a.1"]
    assert [each.id for each in await schedule.log(endpoint)] == ["b.1", "a.1"]


async def test_above_its_limit_an_endpoint_takes_no_more_and_the_log_says_so(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    names = [f"lane-{number}.1" for number in range(WAITING_MAX + 1)]
    placements = await place(schedule, endpoint, *names)
    assert placements == [Placement.SCHEDULED] * WAITING_MAX + [Placement.FULL]
    assert await schedule.waiting(endpoint) == WAITING_MAX
    await schedule.refuse([a_plan(endpoint, "z", names[-1])], NOON)
    assert len(await schedule.log(endpoint)) == WAITING_MAX + 1


async def test_a_new_owner_has_what_the_last_one_left_and_the_last_one_has_no_effect(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    old = await take(schedule, endpoint)
    await place(schedule, endpoint, "a.1", "b.1")
    left = await claim(schedule, old, endpoint)
    new = await take(schedule, endpoint)
    assert sorted(ids(await claim(schedule, new, endpoint))) == ["a.1", "b.1"]
    with pytest.raises(Fenced):
        await claim(schedule, old, endpoint)
    with pytest.raises(Fenced):
        await settle(schedule, old, left.claimed[0])


async def test_a_claim_whose_answer_was_lost_is_due_with_the_next_claim(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    holding = await take(schedule, endpoint)
    await place(schedule, endpoint, "a.1", "b.1")
    await claim(schedule, holding, endpoint, count=1)
    assert sorted(ids(await claim(schedule, holding, endpoint))) == ["a.1", "b.1"]


async def test_one_call_settles_what_has_ended_and_claims_what_that_lets_go(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    holding = await take(schedule, endpoint)
    await place(schedule, endpoint, "a.1", "a.2", "b.1", "b.2", "c.1")
    a, b, c = sorted((await claim(schedule, holding, endpoint)).claimed, key=lambda each: each.lane)
    both = [ended(a), ended(b, "answered 500")]
    request = ClaimRequest(holding, endpoint, ACTIVATION, 10, held=("c",), ended=both)
    claims = await schedule.settle_and_claim(request, NOON)
    assert ids(claims) == ["a.2"]
    assert claims.next_due_ms == round((NOON + timedelta(seconds=5)).timestamp() * 1000)
    assert claims.failing_since == NOON
    # Its answer was lost: it is made again, and gives the same.
    again = await schedule.settle_and_claim(request, NOON)
    assert (ids(again), again.next_due_ms) == (["a.2"], claims.next_due_ms)
    assert await settle(schedule, holding, c) is None


async def test_what_is_being_tried_stays_so_while_nothing_is_claimed(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    holding = await take(schedule, endpoint)
    await place(schedule, endpoint, "a.1", "b.1")
    a = next(each for each in (await claim(schedule, holding, endpoint)).claimed if each.lane == "a")
    await settle(schedule, holding, a)
    assert ids(await claim(schedule, holding, endpoint, held=("b",))) == []


async def test_settling_again_changes_nothing(schedule: LookedInto, endpoint: EndpointKey) -> None:
    holding = await take(schedule, endpoint)
    await place(schedule, endpoint, "a.1", "a.2")
    (first,) = (await claim(schedule, holding, endpoint)).claimed
    await settle(schedule, holding, first)
    (second,) = (await claim(schedule, holding, endpoint)).claimed
    await settle(schedule, holding, first)
    assert ids(await claim(schedule, holding, endpoint, held=("a",))) == []
    await settle(schedule, holding, second)
    assert [each.state for each in await schedule.log(endpoint)] == [DeliveryState.DELIVERED] * 2


async def test_since_when_an_endpoint_fails_is_known_until_it_succeeds(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    holding = await take(schedule, endpoint)
    await place(schedule, endpoint, "a.1", "b.1", "c.1")
    a, b, c = (await claim(schedule, holding, endpoint)).claimed
    later = NOON + timedelta(hours=1)
    assert await settle(schedule, holding, a, "answered 500") == NOON
    assert await settle(schedule, holding, b, "answered 500", later) == NOON
    assert await settle(schedule, holding, c, None, later) is None


async def test_an_endpoint_that_was_given_up_gets_nothing_until_it_is_defined_anew(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    holding = await take(schedule, endpoint)
    await place(schedule, endpoint, "a.1")
    await schedule.give_up(holding, endpoint, ACTIVATION)
    assert await place(schedule, endpoint, "b.1") == [Placement.GIVEN_UP]
    given_up = await claim(schedule, holding, endpoint)
    assert (ids(given_up), given_up.is_given_up) == ([], True)
    anew = EventId("activation-2")
    plan = a_plan(endpoint, "b", "b.1", activation=anew)
    assert await schedule.schedule([plan], NOON, waiting_max=1_000) == [Placement.SCHEDULED]
    claims = await claim(schedule, holding, endpoint, activation=anew)
    assert (sorted(ids(claims)), claims.is_given_up) == (["a.1", "b.1"], False)


async def test_who_has_the_share_hears_which_endpoints_have_something_new(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    holding = await take(schedule, endpoint)
    await place(schedule, endpoint, "a.1")
    assert endpoint in await schedule.touched(holding)
    assert endpoint not in await schedule.touched(holding)


async def test_a_test_that_was_asked_for_is_told_of_until_it_is_done(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    holding = await take(schedule, endpoint)
    await schedule.ask_test(endpoint, EventId("t-1"))
    assert (await claim(schedule, holding, endpoint)).asked == 1
    assert list((await schedule.asked(endpoint)).tests) == ["t-1"]
    await schedule.test_done(endpoint, EventId("t-1"))
    assert (await claim(schedule, holding, endpoint)).asked == 0


async def test_the_progress_of_a_replay_is_kept_until_its_end(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    reread = Reread(since=NOON, until=NOON, positions={"rondo.conversations/3": 17})
    await schedule.replay_progress(endpoint, reread)
    assert (await schedule.asked(endpoint)).replay == reread
    await schedule.replay_progress(endpoint, None)
    assert (await schedule.asked(endpoint)).replay is None


async def test_a_store_that_was_lost_says_what_is_to_be_read_again_until_that_is_done(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    share = share_of(*endpoint)
    holding = await take(schedule, endpoint)
    await schedule.reread(share)
    assert await schedule.knows(holding)
    wanted = Reread(since=NOON - timedelta(hours=1), until=NOON)
    assert (await schedule.take_over(share, NOON, wanted))[1] is None
    await schedule.lose(endpoint)
    assert not await schedule.knows(holding)
    assert (await schedule.take_over(share, NOON, wanted))[1] == wanted
    assert (await schedule.take_over(share, NOON, wanted))[1] == wanted
    await schedule.reread(share)
    assert (await schedule.take_over(share, NOON, wanted))[1] is None


async def test_nothing_is_kept_of_an_endpoint_that_is_forgotten(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    holding = await take(schedule, endpoint)
    await place(schedule, endpoint, "a.1")
    await schedule.forget([endpoint])
    assert ids(await claim(schedule, holding, endpoint)) == []
    assert await schedule.log(endpoint) == []


async def test_nothing_is_kept_or_sent_of_a_conversation_that_was_erased(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    holding = await take(schedule, endpoint)
    await place(schedule, endpoint, "a.1", "b.1")
    under_way = (await claim(schedule, holding, endpoint)).claimed
    await settle(schedule, holding, next(each for each in under_way if each.lane == "b"))
    await place(schedule, endpoint, "a.2", "b.2", "ab.1")
    for each in ("a", "b"):
        await schedule.erase([endpoint], ConversationId(each))
    await settle(schedule, holding, next(each for each in under_way if each.lane == "a"), "answered 500")
    assert [each.id for each in await schedule.log(endpoint)] == ["ab.1"]
    await place(schedule, endpoint, "a.3")
    assert sorted(ids(await claim(schedule, holding, endpoint))) == ["a.3", "ab.1"]


async def test_an_event_for_several_endpoints_is_placed_for_each_of_them(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    other = new_endpoint(endpoint.workspace_id)
    await place(schedule, other, "a.1")
    plan = a_plan(endpoint, "a", "a.1")
    plans = [plan, replace(plan, endpoint=other)]
    assert await schedule.schedule(plans, NOON, waiting_max=WAITING_MAX) == [
        Placement.SCHEDULED,
        Placement.KNOWN,
    ]


async def test_the_log_keeps_the_latest_that_ended_and_all_that_wait(
    schedule: LookedInto, endpoint: EndpointKey
) -> None:
    await place(schedule, endpoint, "waiting.1")
    ended = [a_plan(endpoint, "a", f"a.{number:04}") for number in range(LOG_ENTRIES_MAX + 3)]
    await schedule.refuse(ended, NOON)
    log = [each.id for each in await schedule.log(endpoint)]
    assert log == ["waiting.1", *(each.id for each in ended[3:])]
    late = NOON + timedelta(seconds=LOG_KEPT_S)
    for number in range(LOG_ENTRIES_MAX // 100 + 1):  # What is old goes bit by bit.
        await schedule.refuse([a_plan(endpoint, "b", f"b.{number}")], late)
    log = [each.id for each in await schedule.log(endpoint)]
    assert log == ["waiting.1", *(f"b.{number}" for number in range(LOG_ENTRIES_MAX // 100 + 1))]


names = st.tuples(st.sampled_from("abc"), st.integers(1, 6)).map(lambda each: f"{each[0]}.{each[1]}")
steps = st.one_of(
    st.tuples(st.just("place"), st.lists(names, max_size=4)),
    st.tuples(st.just("claim"), st.integers(1, 4)),
    st.tuples(st.just("settle"), st.booleans()),
    st.tuples(st.just("crash"), st.none()),
    st.tuples(st.just("wait"), st.sampled_from([1, 10, 100, 10_000])),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(steps, max_size=40))
async def test_whatever_happens_redis_does_as_the_simple_model(
    redis: Redis, history: list[tuple[str, Any]]
) -> None:
    endpoint, now = new_endpoint(), NOON
    both: tuple[LookedInto, ...] = (LookedIntoRedis(redis), LookedIntoFake())
    holdings = [await take(each, endpoint) for each in both]
    held: list[list[Claimed]] = [[], []]
    delivered: list[str] = []
    for step, what in history:
        now += timedelta(milliseconds=1)
        match step:
            case "place":
                placements = [await place(each, endpoint, *what) for each in both]
                assert placements[0] == placements[1]
            case "claim":
                answers = [
                    await claim(
                        each, holding, endpoint, at=now, count=what, held=tuple(one.lane for one in mine)
                    )
                    for each, holding, mine in zip(both, holdings, held, strict=True)
                ]
                _claim_the_same(answers, held)
            case "settle" if held[0]:
                claimed = held[0].pop(0)
                twin = held[1].pop(0)
                error = None if what else "answered 500"
                since = [
                    await settle(each, holding, one, error, now)
                    for each, holding, one in zip(both, holdings, (claimed, twin), strict=True)
                ]
                assert since[0] == since[1]
                if what:
                    delivered.append(claimed.record.id)
            case "crash":
                holdings, held = [await take(each, endpoint, now) for each in both], [[], []]
            case "wait":
                now += timedelta(seconds=what)
    assert await both[0].waiting(endpoint) == await both[1].waiting(endpoint)
    assert await both[0].log(endpoint) == await both[1].log(endpoint)
    assert len(delivered) == len(set(delivered)), "delivered twice without a crash in between"


def _claim_the_same(answers: list[Claims], held: list[list[Claimed]]) -> None:
    assert answers[0] == answers[1]
    for mine, answer in zip(held, answers, strict=True):
        mine.extend(answer.claimed)
        lanes = [each.lane for each in mine]
        assert len(lanes) == len(set(lanes)), "two of a lane at once"
