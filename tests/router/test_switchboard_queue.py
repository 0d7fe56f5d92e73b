"""What every switchboard promises those who wait."""

from __future__ import annotations

import pytest

from rondo_common.conversation import Status
from rondo_common.directory.entries import Kind
from rondo_router.domain.decision import Decision, FellBack, Offered, Queued
from tests.router.chats import RULES, agent_route, team_route
from tests.router.hall import Hall, OpenHall, told, told_of
from tests.router.provisioned import NEVER


@pytest.fixture
async def hall(open_hall: OpenHall) -> Hall:
    """A hall where visitors wait: at most three of them, five minutes."""
    return await open_hall(
        queue={"enabled": True, "size_max": 3, "max_wait_s": 300},
        offer_attempts={"round_robin": 3},
        offer_timeout_s=100,
    )


def place(decision: Decision) -> tuple[int, int]:
    """Position and expected wait of one who was told to wait last."""
    last = decision.steps[-1]
    assert isinstance(last, Queued)
    return last.queue.position, last.queue.estimated_wait_s


async def test_with_everybody_busy_visitors_wait_in_line(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=1))
    await hall.one(hall.asking.ask("0"))
    waiting = await hall.decide(hall.asking.ask("1"), hall.asking.ask("2"))
    assert [place(each)[0] for each in waiting] == [1, 2]
    assert await hall.status("1") is Status.QUEUED
    step = waiting[0].steps[-1]
    assert isinstance(step, Queued)
    assert (step.queued_at, step.expires_at) == (hall.now, hall.now + 300_000)
    assert [each.agent_id for each in step.why.passed_over] == ["a"]


async def test_a_freed_agent_takes_the_one_who_came_first_at_once(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=1))
    await hall.decide(*(hall.asking.ask(each) for each in "0123"))
    assert told(await hall.one(hall.asking.withdraw("0"))) == [
        "rescinded:a:withdrawn",
        "withdrawn",
        "offered:a",
    ]
    assert await hall.status("1") is Status.OFFERED
    await hall.one(hall.asking.accept("1", "a"))
    ended = await hall.one(hall.asking.end("1"))
    assert told_of("2", ended) == ["offered:a"]


async def test_higher_priority_goes_first_and_within_it_who_came_first(open_hall: OpenHall) -> None:
    hall = await open_hall(queue={"enabled": True})
    await hall.one(hall.asking.ask("low-1"))
    await hall.one(hall.asking.ask("high-1", priority=1000))
    await hall.one(hall.asking.ask("low-2"))
    await hall.one(hall.asking.ask("mid", priority=1))
    last = await hall.one(hall.asking.ask("high-2", priority=1000))
    assert place(last)[0] == 2
    decisions = await hall.provision(hall.here.agent("a", capacity=10))
    offered = [
        step.conversation_id for each in decisions for step in each.steps if isinstance(step, Offered)
    ]
    assert offered == ["high-1", "high-2", "mid", "low-1", "low-2"]


async def test_a_new_agent_takes_who_waits_for_them(hall: Hall) -> None:
    await hall.decide(hall.asking.ask("0", agent_route("b")), hall.asking.ask("1", agent_route("c")))
    assert told(*await hall.provision(hall.here.agents("a", "c"))) == ["offered:c"]
    assert told(*await hall.provision(hall.here.agent("b"))) == ["offered:b"]


async def test_an_agent_who_comes_back_takes_who_waits(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", schedule=NEVER))
    await hall.one(hall.asking.ask("1"))
    (decision,) = await hall.provision(hall.here.agent("a"))
    assert told(decision) == ["availability_changed:a", "offered:a"]


async def test_an_agent_who_may_chat_again_takes_who_waits(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", live_chat=False))
    await hall.one(hall.asking.ask("1"))
    assert told(*await hall.provision(hall.here.agent("a"))) == ["offered:a"]


async def test_more_capacity_takes_as_many_as_there_is_room_for(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=1))
    await hall.decide(*(hall.asking.ask(each) for each in "0123"))
    assert told(*await hall.provision(hall.here.agent("a", capacity=3))) == ["offered:a", "offered:a"]
    assert await hall.status("3") is Status.QUEUED


async def test_who_was_freed_takes_only_what_may_go_to_them(hall: Hall) -> None:
    here = hall.here
    await hall.provision(here.agents("a", "b", capacity=1))
    await hall.decide(hall.asking.ask("x"), hall.asking.ask("y"))  # To a and b.
    await hall.one(hall.asking.ask("only-b", agent_route("b")))
    await hall.one(hall.asking.ask("anybody"))
    freed = await hall.one(hall.asking.withdraw("x"))
    assert told_of("anybody", freed) == ["offered:a"]
    assert await hall.status("only-b") is Status.QUEUED
    freed = await hall.one(hall.asking.withdraw("y"))
    assert told_of("only-b", freed) == ["offered:b"]


async def test_an_agent_of_a_later_stage_takes_who_waits_for_an_earlier_one(hall: Hall) -> None:
    here = hall.here
    await hall.provision(
        here.agent("a", capacity=1), here.agent("o", schedule=NEVER), here.account("z", "o", "zeta.com")
    )
    await hall.decide(hall.asking.ask("0"), hall.asking.ask("1", email="x@zeta.com"))
    freed = await hall.one(hall.asking.withdraw("0"))
    step = freed.steps[-1]
    assert isinstance(step, Offered)
    assert (step.agent.id, step.why.stage) == ("a", "round_robin")


async def test_the_owner_who_comes_back_first_takes_them_as_owner(hall: Hall) -> None:
    here = hall.here
    await hall.provision(
        here.agent("a", capacity=1), here.agent("o", schedule=NEVER), here.account("z", "o", "zeta.com")
    )
    await hall.decide(hall.asking.ask("0"), hall.asking.ask("1", email="x@zeta.com"))
    *_, decision = await hall.provision(here.agent("o"))
    step = decision.steps[-1]
    assert isinstance(step, Offered)
    assert (step.agent.id, step.why.stage, step.why.turn) == ("o", "account_owner", None)


async def test_a_queue_that_is_full_takes_nobody_more(hall: Hall) -> None:
    decisions = await hall.decide(*(hall.asking.ask(each) for each in "1234"))
    assert told(decisions[-1]) == ["fell_back:queue_full"]
    await hall.one(hall.asking.withdraw("2"))
    assert place(await hall.one(hall.asking.ask("5")))[0] == 3


async def test_who_leaves_the_queue_frees_the_place_and_leaves_no_offer_behind(hall: Hall) -> None:
    await hall.decide(*(hall.asking.ask(each) for each in "12"))
    assert told(await hall.one(hall.asking.withdraw("1"))) == ["withdrawn"]
    assert await hall.status("1") is Status.WITHDRAWN
    decisions = await hall.provision(hall.here.agent("a", capacity=10))
    assert told(*decisions) == ["offered:a"]
    assert await hall.status("2") is Status.OFFERED


async def test_who_has_waited_as_long_as_they_may_falls_back(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", schedule=NEVER))
    await hall.one(hall.asking.ask("1"))
    assert told(*await hall.wait(299.999)) == []
    (decision,) = await hall.wait(0.001)
    assert told(decision) == ["fell_back:queue_timeout"]
    step = decision.steps[-1]
    assert isinstance(step, FellBack)
    assert [each.agent_id for each in step.why.passed_over] == ["a"]
    assert told(*await hall.provision(hall.here.agent("a"))) == ["availability_changed:a"]


async def test_one_who_was_offered_in_vain_comes_before_those_who_came_later(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=1))
    await hall.decide(*(hall.asking.ask(each) for each in "12"))
    # 1 is offered to a, 2 waits. a declines 1, which now waits; a takes 2.
    declined = await hall.one(hall.asking.decline("1", "a"))
    assert told(declined) == ["declined:a", "queued", "offered:a"]
    await hall.one(hall.asking.ask("3"))
    # b may have any of them: 1 had no place in line before 2 took one, but before 3.
    *_, decision = await hall.provision(hall.here.agent("b", capacity=1))
    assert told_of("1", decision) == ["offered:b"]
    # b declines: back in line at the old place, and so is the end of the wait.
    again = await hall.one(hall.asking.decline("1", "b"))
    (queued,) = [step for step in again.steps if isinstance(step, Queued)]
    assert (queued.queue.position, queued.order) == (1, 2)
    assert told_of("3", again) == ["offered:b"]


async def test_the_wait_counts_from_the_first_time_in_line(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", schedule=NEVER, capacity=1))
    await hall.one(hall.asking.ask("1"))
    hall.now += 250_000
    await hall.provision(hall.here.agent("a", capacity=1))
    assert await hall.status("1") is Status.OFFERED
    assert told(*await hall.wait(60)) == []  # The wait would have been over now; it is rung.
    assert told(await hall.one(hall.asking.decline("1", "a"))) == ["declined:a", "fell_back:queue_timeout"]


async def test_the_attempts_are_used_up_also_with_a_queue(open_hall: OpenHall) -> None:
    hall = await open_hall(queue={"enabled": True})
    await hall.provision(hall.here.agents("a"))
    await hall.one(hall.asking.ask("1"))
    assert told(await hall.one(hall.asking.decline("1", "a"))) == ["declined:a", "fell_back:not_answered"]


async def test_an_agent_never_takes_again_whom_they_declined(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=2))
    await hall.one(hall.asking.ask("1"))
    assert told(await hall.one(hall.asking.decline("1", "a"))) == ["declined:a", "queued"]
    assert told(*await hall.provision(hall.here.agent("a", capacity=5))) == []
    assert await hall.offered("2") == "a"


async def test_beyond_the_first_ten_of_a_line_whom_one_declined_others_are_still_found(
    open_hall: OpenHall,
) -> None:
    hall = await open_hall(queue={"enabled": True}, offer_attempts={"round_robin": 2})
    await hall.provision(hall.here.agent("a", capacity=1))
    for number in range(12):
        await hall.one(hall.asking.ask(f"{number}"))
        await hall.one(hall.asking.decline(f"{number}", "a"))
    assert await hall.offered("new") == "a"
    await hall.one(hall.asking.ask("last"))
    freed = await hall.one(hall.asking.withdraw("new"))
    assert told_of("last", freed) == ["offered:a"]


async def test_taking_from_the_queue_moves_the_turn_of_who_took(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=1), hall.here.agent("b", capacity=1))
    await hall.decide(*(hall.asking.ask(each) for each in "012"))
    freed = await hall.one(hall.asking.withdraw("1"))
    step = freed.steps[-1]
    assert isinstance(step, Offered)
    assert (step.agent.id, step.why.place, step.why.passed_over_count) == ("b", 2, 0)
    await hall.one(hall.asking.withdraw("0"))
    await hall.one(hall.asking.withdraw("2"))
    assert await hall.offers("3", "4") == ["a", "b"]


async def test_the_expected_wait_follows_the_pace(open_hall: OpenHall) -> None:
    hall = await open_hall(queue={"enabled": True, "max_wait_s": 3600})
    await hall.provision(hall.here.agent("a", capacity=1))
    await hall.one(hall.asking.ask("0"))
    assert place(await hall.one(hall.asking.ask("1"))) == (1, 60)  # No experience yet.
    assert place(await hall.one(hall.asking.ask("2"))) == (2, 120)
    hall.now += 30_000
    await hall.one(hall.asking.withdraw("0"))  # a takes 1, half a minute after the line began.
    assert place(await hall.one(hall.asking.ask("3"))) == (2, 60)
    hall.now += 80_000
    await hall.one(hall.asking.withdraw("1"))  # a takes 2: 0.8 × 30 s + 0.2 × 80 s.
    assert place(await hall.one(hall.asking.ask("4"))) == (2, 80)


async def test_half_a_second_of_expected_wait_is_rounded_up(open_hall: OpenHall) -> None:
    hall = await open_hall(queue={"enabled": True})
    await hall.provision(hall.here.agent("a", capacity=1))
    await hall.decide(hall.asking.ask("0"), hall.asking.ask("1"))
    hall.now += 2_500
    await hall.one(hall.asking.withdraw("0"))  # The pace is 2.5 s now.
    assert place(await hall.one(hall.asking.ask("2"))) == (1, 3)


async def test_several_who_get_room_at_once_take_one_each_the_first_ones_first(hall: Hall) -> None:
    here, sales = hall.here, team_route("sales")
    await hall.provision(here.agents("a", "b", capacity=1))
    await hall.decide(*(hall.asking.ask(each) for each in "01"))  # a and b are busy.
    await hall.provision(here.agents("c", "d", capacity=1, live_chat=False), here.team("sales", "d", "c"))
    await hall.decide(*(hall.asking.ask(each, sales) for each in "234"))
    decisions = await hall.provision(here.agents("c", "d", capacity=1))
    assert told_of("2", *decisions) == ["offered:c"]
    assert told_of("3", *decisions) == ["offered:d"]
    assert await hall.status("4") is Status.QUEUED


async def test_who_loses_their_agent_does_not_pass_those_who_wait(hall: Hall) -> None:
    here = hall.here
    await hall.provision(here.agent("a", capacity=1))
    await hall.decide(hall.asking.ask("0"), hall.asking.ask("1"))
    (decision,) = await hall.provision(here.remove(Kind.AGENT, "a"))
    assert told(decision) == ["rescinded:a:agent_removed", "queued"]
    decisions = await hall.provision(here.agent("b", capacity=1))
    assert told_of("1", *decisions) == ["offered:b"]


async def test_nobody_waits_where_no_rule_is_met(hall: Hall) -> None:
    assert told(await hall.one(hall.asking.ask("1", RULES))) == ["fell_back:no_rule_matched"]


async def test_who_takes_a_chat_from_the_queue_has_it_at_once(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=1), *hall.here.agents("b", "c", schedule=NEVER))
    await hall.decide(*(hall.asking.ask(each) for each in "0123"))
    taken = await hall.one(hall.asking.take("2", "b"))
    assert told(taken) == ["offered:b", "accepted:b"]
    step = taken.steps[0]
    assert isinstance(step, Offered)
    assert (step.why.stage, step.why.pool, step.why.turn) == ("taken", None, None)
    view = await hall.view("2")
    assert view is not None
    assert (view.status, view.agent_id, view.queue) == (Status.ACTIVE, "b", None)
    assert (await hall.desk("b"), await hall.held("b")) == ({"2"}, {"2"})
    # The others wait on as they did, and whose turn it is has not changed.
    await hall.one(hall.asking.withdraw("0"))
    assert [await hall.status(each) for each in "13"] == [Status.OFFERED, Status.QUEUED]
    assert told(await hall.one(hall.asking.end("2", by_agent="b"))) == ["ended:b:agent_ended"]


async def test_a_chat_is_taken_by_one_agent_whoever_else_wants_it(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=1), *hall.here.agents("b", "c", schedule=NEVER))
    await hall.decide(*(hall.asking.ask(each) for each in "01"))
    decisions = await hall.decide(hall.asking.take("1", "b"), hall.asking.take("1", "c"))
    assert [each.refusal for each in decisions] == [None, "conversation-already-taken"]
    again = await hall.one(hall.asking.take("1", "b"))
    assert (again.refusal, again.steps) == (None, ())
    assert await hall.held("c") == set()


async def test_what_was_given_to_somebody_meanwhile_is_not_taken(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=1), hall.here.agent("b", schedule=NEVER))
    await hall.decide(*(hall.asking.ask(each) for each in "01"))
    drained, late = await hall.decide(hall.asking.withdraw("0"), hall.asking.take("1", "b"))
    assert told(drained)[-1] == "offered:a"
    assert (late.refusal, late.steps) == ("conversation-not-queued", ())
    # To whom it has come by itself, it is theirs.
    assert told(await hall.one(hall.asking.take("1", "a"))) == ["accepted:a"]
    assert (await hall.one(hall.asking.take("0", "a"))).refusal == "conversation-not-queued"
    assert (await hall.one(hall.asking.take("none", "a"))).refusal == "conversation-not-queued"


async def test_nobody_takes_more_than_they_have_room_for_nor_without_permission(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=1), hall.here.agent("b", capacity=1, schedule=NEVER))
    await hall.provision(hall.here.agent("c", live_chat=False))
    await hall.decide(*(hall.asking.ask(each) for each in "012"))
    taken = await hall.decide(*(hall.asking.take("1", each) for each in ("a", "c", "ghost", "b")))
    full, mute, ghost, b = (each.refusal for each in taken)
    assert (full, mute, ghost, b) == ("agent-at-capacity", "agent-may-not-chat", "agent-may-not-chat", None)
    assert (await hall.one(hall.asking.take("2", "b"))).refusal == "agent-at-capacity"


async def test_who_missed_a_chat_may_take_it_all_the_same(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a"))
    await hall.one(hall.asking.ask("0"))
    await hall.wait(101)
    assert await hall.status("0") is Status.QUEUED
    assert told(await hall.one(hall.asking.take("0", "a"))) == ["offered:a", "accepted:a"]
    assert told(*await hall.wait(300)) == []
