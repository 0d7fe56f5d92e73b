"""What every switchboard promises, shown on the fake and on the real Redis Functions alike."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence

import pytest
from redis.asyncio import Redis

from rondo_common.conversation import FallbackReason, PassedOverReason, Status
from rondo_common.errors import Fenced
from rondo_common.ids import AgentId
from rondo_router.adapters.redis_switchboard import RedisSwitchboard
from rondo_router.domain.decision import Decision, Declined, FellBack, Offered, TimedOut
from rondo_router.domain.instruction import Instruction, instruction_of_timer
from rondo_router.domain.outcome import showing_of
from rondo_router.ports import AgentSeat, Epoch, Switchboard
from tests.router.chats import Desk, seat
from tests.router.fake_switchboard import FakeSwitchboard

NOW = 1_700_000_000_000


class Hall:
    """A switchboard with one workspace, and an owner that decides and shows at a chosen time."""

    def __init__(self, board: Switchboard, epoch: Epoch) -> None:
        self.board = board
        self.epoch = epoch
        self.desk = Desk(f"w-{uuid.uuid4().hex[:12]}")
        self.now = NOW

    async def sit(self, *seats: AgentSeat) -> None:
        await self.board.seat_agents(self.epoch, self.desk.workspace_id, seats)

    async def decide(self, *instructions: Instruction) -> list[Decision]:
        decisions = await self.board.decide(self.epoch, instructions, self.now)
        showings = [showing_of(*each) for each in zip(instructions, decisions, strict=True)]
        await self.board.show(self.epoch, showings)
        return decisions

    async def offered(self, instruction: Instruction) -> str | None:
        (decision,) = await self.decide(instruction)
        return _offered(decision)

    async def fire_due(self) -> list[Decision]:
        timers = await self.board.due_timers([self.desk.workspace_id], self.now)
        return await self.decide(*(instruction_of_timer(*timer) for timer in timers))


def _offered(decision: Decision) -> str | None:
    last = decision.steps[-1]
    return last.agent.id if isinstance(last, Offered) else None


@pytest.fixture(params=["fake", "redis"])
async def hall(request: pytest.FixtureRequest, redis: Redis) -> Hall:
    board: Switchboard = FakeSwitchboard() if request.param == "fake" else RedisSwitchboard(redis)
    return Hall(board, await board.claim(0, NOW))


async def _ask_many(hall: Hall, count: int, start: int = 0) -> list[str | None]:
    asked = [hall.desk.ask(f"cnv_{start + number}") for number in range(count)]
    return [_offered(decision) for decision in await hall.decide(*asked)]


async def test_agents_take_turns_in_the_order_they_joined(hall: Hall) -> None:
    await hall.sit(seat("a"), seat("b"), seat("c"))
    assert await _ask_many(hall, 7) == ["a", "b", "c", "a", "b", "c", "a"]


async def test_a_full_agent_is_skipped_without_losing_or_gaining_a_turn(hall: Hall) -> None:
    await hall.sit(seat("a", capacity=1), seat("b"), seat("c"))
    assert await _ask_many(hall, 4) == ["a", "b", "c", "b"]
    await hall.decide(hall.desk.withdraw("cnv_0"))
    assert await _ask_many(hall, 4, start=10) == ["c", "a", "b", "c"]


async def test_a_new_agent_joins_at_the_end(hall: Hall) -> None:
    await hall.sit(seat("a"), seat("b"))
    assert await _ask_many(hall, 3) == ["a", "b", "a"]
    await hall.sit(seat("c"))
    assert await _ask_many(hall, 4, start=10) == ["b", "c", "a", "b"]


async def test_one_who_comes_back_keeps_their_place(hall: Hall) -> None:
    await hall.sit(seat("a"), seat("b"), seat("c"))
    await hall.sit(seat("b", live_chat=False, version=1))
    assert await _ask_many(hall, 3) == ["a", "c", "a"]
    await hall.sit(seat("b", version=2))
    assert await _ask_many(hall, 3, start=10) == ["b", "c", "a"]


async def test_an_older_definition_of_an_agent_changes_nothing(hall: Hall) -> None:
    await hall.sit(seat("a", version=5))
    await hall.sit(seat("a", live_chat=False, version=4))
    assert await hall.offered(hall.desk.ask("cnv_1")) == "a"


async def test_nobody_is_offered_more_than_their_capacity(hall: Hall) -> None:
    await hall.sit(seat("a", capacity=2), seat("b", capacity=3))
    offered = await _ask_many(hall, 9)
    assert Counter(offered) == {"a": 2, "b": 3, None: 4}


async def test_with_nobody_free_it_falls_back_and_says_who_was_passed_over(hall: Hall) -> None:
    await hall.sit(seat("a", capacity=1))
    _, decision = await hall.decide(hall.desk.ask("cnv_1"), hall.desk.ask("cnv_2"))
    step = decision.steps[-1]
    assert isinstance(step, FellBack)
    assert step.reason is FallbackReason.NOBODY_AVAILABLE
    assert [(each.agent_id, each.reason) for each in step.why.passed_over] == [
        ("a", PassedOverReason.AT_CAPACITY)
    ]


async def test_an_offer_says_its_place_and_who_was_passed_over(hall: Hall) -> None:
    await hall.sit(seat("a"), seat("b", capacity=1), seat("c"))
    await _ask_many(hall, 4)  # a, b (now full), c, a
    (decision,) = await hall.decide(hall.desk.ask("cnv_9"))
    offer = decision.steps[-1]
    assert isinstance(offer, Offered)
    assert (offer.agent.id, offer.why.place, offer.why.stage) == ("c", 3, "round_robin")
    assert [each.agent_id for each in offer.why.passed_over] == ["b"]
    assert offer.why.passed_over_count == 1


async def test_the_agent_route_rings_that_agent_and_moves_no_turn(hall: Hall) -> None:
    await hall.sit(seat("a"), seat("b"))
    assert await hall.offered(hall.desk.ask("cnv_1", to="b")) == "b"
    assert await hall.offered(hall.desk.ask("cnv_2")) == "a"
    assert await hall.offered(hall.desk.ask("cnv_3", to="ghost")) is None


async def test_an_accept_wins_once_and_again_is_no_second_event(hall: Hall) -> None:
    await hall.sit(seat("a"), seat("b"))
    first, again, other = await _after_offer(
        hall,
        hall.desk.accept("cnv_1", "a"),
        hall.desk.accept("cnv_1", "a"),
        hall.desk.accept("cnv_1", "b"),
    )
    assert [step.type for step in first.steps] == ["accepted"]
    assert again.steps == ()
    assert again.refusal is None
    assert other.refusal == "conversation-already-taken"


async def test_who_was_not_offered_the_chat_cannot_accept_it(hall: Hall) -> None:
    await hall.sit(seat("a"), seat("b"))
    (decision,) = await _after_offer(hall, hall.desk.accept("cnv_1", "b"))
    assert decision.refusal == "not-offered-to-you"


async def test_an_expired_offer_cannot_be_accepted(hall: Hall) -> None:
    await hall.sit(seat("a"))
    await hall.decide(hall.desk.ask("cnv_1"))
    hall.now += 100_000
    (decision,) = await hall.decide(hall.desk.accept("cnv_1", "a"))
    assert decision.refusal == "offer-expired"


async def test_a_missed_offer_falls_back_when_attempts_are_used_up(hall: Hall) -> None:
    await hall.sit(seat("a"), seat("b"))
    await hall.decide(hall.desk.ask("cnv_1"))
    assert await hall.fire_due() == []
    hall.now += 100_000
    (decision,) = await hall.fire_due()
    assert isinstance(decision.steps[0], TimedOut)
    step = decision.steps[1]
    assert isinstance(step, FellBack)
    assert step.reason is FallbackReason.NOT_ANSWERED
    assert await hall.fire_due() == []
    assert await hall.board.next_timers([hall.desk.workspace_id]) == {hall.desk.workspace_id: None}


async def test_a_declined_offer_goes_to_the_next_but_never_to_the_same_agent(hall: Hall) -> None:
    await hall.sit(seat("a"), seat("b"))
    await hall.decide(hall.desk.ask("cnv_1", attempts=3))
    (first,) = await hall.decide(hall.desk.decline("cnv_1", "a"))
    assert isinstance(first.steps[0], Declined)
    assert _offered(first) == "b"
    (second,) = await hall.decide(hall.desk.decline("cnv_1", "b"))
    step = second.steps[-1]
    assert isinstance(step, FellBack)
    assert step.reason is FallbackReason.NOBODY_AVAILABLE


async def test_who_missed_a_chat_can_be_offered_the_next_one(hall: Hall) -> None:
    await hall.sit(seat("a", capacity=1))
    await hall.decide(hall.desk.ask("cnv_1"))
    hall.now += 100_000
    await hall.fire_due()
    assert await hall.offered(hall.desk.ask("cnv_2")) == "a"


async def test_the_turn_of_one_who_was_passed_over_for_having_been_tried_is_kept(hall: Hall) -> None:
    await hall.sit(seat("a"), seat("b"), seat("c"))
    assert await hall.offered(hall.desk.ask("cnv_0", attempts=2)) == "a"
    assert await _ask_many(hall, 2, start=1) == ["b", "c"]
    (declined,) = await hall.decide(hall.desk.decline("cnv_0", "a"))
    assert _offered(declined) == "b"  # It is a's turn, but a was tried for this chat.
    assert await _ask_many(hall, 4, start=10) == ["a", "c", "a", "b"]


async def test_withdrawing_rescinds_the_offer_and_frees_the_agent(hall: Hall) -> None:
    await hall.sit(seat("a", capacity=1))
    (decision, again) = await _after_offer(hall, hall.desk.withdraw("cnv_1"), hall.desk.withdraw("cnv_1"))
    assert [step.type for step in decision.steps] == ["rescinded", "withdrawn"]
    assert (again.steps, again.refusal) == ((), None)
    assert await hall.offered(hall.desk.ask("cnv_2")) == "a"


async def test_ending_frees_the_agent_and_again_is_nothing_new(hall: Hall) -> None:
    await hall.sit(seat("a", capacity=1))
    early, _, ended, again, withdrawn = await _after_offer(
        hall,
        hall.desk.end("cnv_1"),
        hall.desk.accept("cnv_1", "a"),
        hall.desk.end("cnv_1", by_agent="a"),
        hall.desk.end("cnv_1"),
        hall.desk.withdraw("cnv_1"),
    )
    assert early.refusal == "conversation-not-active"
    assert [step.type for step in ended.steps] == ["ended"]
    assert (again.steps, again.refusal) == ((), None)
    assert withdrawn.refusal == "conversation-over"
    assert await hall.offered(hall.desk.ask("cnv_2")) == "a"


async def test_only_its_agent_ends_a_conversation_for_the_agents(hall: Hall) -> None:
    await hall.sit(seat("a"), seat("b"))
    *_, decision = await _after_offer(
        hall, hall.desk.accept("cnv_1", "a"), hall.desk.end("cnv_1", by_agent="b")
    )
    assert decision.refusal == "not-your-conversation"


async def test_the_same_cause_gets_the_same_decision(hall: Hall) -> None:
    await hall.sit(seat("a"), seat("b"))
    ask = hall.desk.ask("cnv_1")
    (first,) = await hall.board.decide(hall.epoch, [ask], NOW)
    (unpublished,) = await hall.board.decide(hall.epoch, [ask], NOW + 5_000)
    assert unpublished == first
    await hall.board.show(hall.epoch, [showing_of(ask, first)])
    (published,) = await hall.board.decide(hall.epoch, [ask], NOW + 9_000)
    assert published == first.model_copy(update={"repeated": True})
    assert await hall.offered(hall.desk.ask("cnv_2")) == "b"


async def test_an_old_view_never_replaces_a_newer_one(hall: Hall) -> None:
    await hall.sit(seat("a"))
    ask, accept = hall.desk.ask("cnv_1"), hall.desk.accept("cnv_1", "a")
    first, second = await hall.decide(ask, accept)
    await hall.board.show(hall.epoch, [showing_of(ask, first)])
    (again,) = await hall.board.decide(hall.epoch, [accept], NOW)
    assert again.repeated
    assert second.steps[0].type == "accepted"
    # The offer's timer, had it come back, would be due now.
    hall.now += 100_000
    assert all(not decision.steps for decision in await hall.fire_due())


async def test_an_earlier_owner_is_fenced_off(hall: Hall) -> None:
    await hall.sit(seat("a"))
    newer = await hall.board.claim(0, NOW)
    assert newer > hall.epoch
    await hall.board.decide(newer, [hall.desk.ask("cnv_1")], NOW)
    with pytest.raises(Fenced):
        await hall.decide(hall.desk.ask("cnv_2"))
    with pytest.raises(Fenced):
        await hall.sit(seat("b"))


async def test_a_removed_agent_is_offered_nothing(hall: Hall) -> None:
    await hall.sit(seat("a"), seat("b"))
    await hall.board.unseat_agents(hall.epoch, hall.desk.workspace_id, [AgentId("a")])
    assert await _ask_many(hall, 2) == ["b", "b"]
    assert await hall.board.seated(hall.desk.workspace_id) == {"b"}


async def test_lowering_capacity_lets_chats_run_and_offers_nothing_new(hall: Hall) -> None:
    await hall.sit(seat("a", capacity=3))
    assert await _ask_many(hall, 2) == ["a", "a"]
    await hall.sit(seat("a", capacity=1, version=1))
    assert await hall.offered(hall.desk.ask("cnv_9")) is None


async def test_what_is_shown_is_what_was_decided() -> None:
    board = FakeSwitchboard()
    hall = Hall(board, await board.claim(0, NOW))
    await hall.sit(seat("a"))
    await hall.decide(hall.desk.ask("cnv_1"), hall.desk.accept("cnv_1", "a"))
    (view,) = board.workspaces[hall.desk.workspace_id].views.values()
    assert (view.status, view.agent_id, view.offer) == (Status.ACTIVE, "a", None)


async def _after_offer(hall: Hall, *instructions: Instruction) -> Sequence[Decision]:
    await hall.decide(hall.desk.ask("cnv_1"))
    return await hall.decide(*instructions)
