"""What every switchboard promises of rotation, pools and capacity."""

from __future__ import annotations

from collections import Counter

from rondo_common.conversation import FallbackReason, PassedOverReason
from rondo_common.directory.entries import Kind
from rondo_common.ids import AgentId
from rondo_router.domain.decision import FellBack, Offered
from tests.router.chats import RULES, agent_route, team_route
from tests.router.hall import Hall, OpenHall, offered, told
from tests.router.provisioned import NEVER

# --- whose turn it is ----------------------------------------------------------------------------


async def test_agents_take_turns_in_the_order_they_joined(hall: Hall) -> None:
    await hall.provision(hall.here.agents("c", "a", "b"))
    assert await hall.offers(*"1234567") == ["c", "a", "b", "c", "a", "b", "c"]


async def test_a_full_agent_is_skipped_without_losing_or_gaining_a_turn(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=1), *hall.here.agents("b", "c"))
    assert await hall.offers(*"1234") == ["a", "b", "c", "b"]
    await hall.one(hall.asking.withdraw("1"))
    assert await hall.offers(*"5678") == ["c", "a", "b", "c"]


async def test_an_agent_who_is_away_is_skipped_and_comes_back_to_their_place(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b", "c"))
    await hall.provision(hall.here.agent("b", schedule=NEVER))
    assert await hall.offers(*"123") == ["a", "c", "a"]
    await hall.provision(hall.here.agent("b"))
    assert await hall.offers(*"456") == ["b", "c", "a"]


async def test_one_who_may_not_chat_for_a_while_keeps_their_place(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b", "c"))
    await hall.provision(hall.here.agent("b", live_chat=False))
    assert await hall.offers(*"123") == ["a", "c", "a"]
    await hall.provision(hall.here.agent("b"))
    assert await hall.offers(*"456") == ["b", "c", "a"]


async def test_coming_back_before_ones_turn_has_passed_changes_nothing(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b", "c"))
    assert await hall.offers("1") == ["a"]
    await hall.provision(hall.here.agent("b", schedule=NEVER))
    await hall.provision(hall.here.agent("b"))
    assert await hall.offers(*"234") == ["b", "c", "a"]


async def test_a_new_agent_joins_at_the_end(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b"))
    assert await hall.offers(*"123") == ["a", "b", "a"]
    await hall.provision(hall.here.agent("c"))
    assert await hall.offers(*"4567") == ["b", "c", "a", "b"]


async def test_one_who_was_removed_and_comes_again_is_new(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b", "c"))
    assert await hall.offers("1") == ["a"]
    await hall.one(hall.asking.withdraw("1"))
    await hall.provision(hall.here.remove(Kind.AGENT, "a"))
    assert await hall.offers(*"23") == ["b", "c"]
    await hall.provision(hall.here.agent("a"))
    assert await hall.offers(*"456") == ["a", "b", "c"]


async def test_one_who_comes_again_within_one_batch_of_changes_takes_the_new_place(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b", "c"))
    assert await hall.offers(*"123") == ["a", "b", "c"]
    await hall.provision([hall.here.remove(Kind.AGENT, "a"), hall.here.agent("a")])
    assert await hall.offers(*"456789") == ["a", "b", "c", "a", "b", "c"]
    decision = await hall.one(hall.asking.ask("10"))
    assert isinstance(decision.steps[-1], Offered)
    assert decision.steps[-1].why.place == 4


async def test_the_turn_of_one_who_was_passed_over_for_having_been_tried_is_kept(
    open_hall: OpenHall,
) -> None:
    hall = await open_hall(offer_attempts={"round_robin": 2})
    await hall.provision(hall.here.agents("a", "b", "c"))
    assert await hall.offers(*"012") == ["a", "b", "c"]
    assert offered(await hall.one(hall.asking.decline("0", "a"))) == "b"  # It is a's turn, but …
    assert await hall.offers(*"3456") == ["a", "c", "a", "b"]


async def test_a_kept_turn_is_lost_by_going_away(open_hall: OpenHall) -> None:
    hall = await open_hall(offer_attempts={"round_robin": 2})
    await hall.provision(hall.here.agents("a", "b", "c"))
    await hall.offers(*"012")
    assert offered(await hall.one(hall.asking.decline("0", "a"))) == "b"
    await hall.provision(hall.here.agent("a", schedule=NEVER))
    await hall.provision(hall.here.agent("a"))
    assert await hall.offers(*"345") == ["c", "a", "b"]


async def test_the_agent_route_moves_no_turn(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b"))
    assert await hall.offered("1", agent_route("b")) == "b"
    assert await hall.offered("2") == "a"


async def test_an_offer_says_its_place_its_turn_and_who_was_passed_over(hall: Hall) -> None:
    await hall.provision(
        hall.here.agent("a"),
        hall.here.agent("b", capacity=1),
        hall.here.agent("c", schedule=NEVER),
        hall.here.agent("d"),
    )
    await hall.offers(*"1234")  # a, b (now full), d, a
    decision = await hall.one(hall.asking.ask("5"))
    step = decision.steps[-1]
    assert isinstance(step, Offered)
    assert (step.agent.id, step.why.stage, step.why.pool, step.why.place) == ("d", "round_robin", "all", 4)
    assert [(each.agent_id, each.reason) for each in step.why.passed_over] == [
        ("b", PassedOverReason.AT_CAPACITY),
        ("c", PassedOverReason.AWAY),
    ]
    assert step.why.passed_over_count == 2
    assert step.why.turn == 1_048_576 + 4  # The second round.


async def test_at_most_twenty_who_were_passed_over_are_named_and_all_are_counted(hall: Hall) -> None:
    away = [f"away-{number:02}" for number in range(25)]
    await hall.provision(hall.here.agents(*away, schedule=NEVER))
    step = (await hall.one(hall.asking.ask("1"))).steps[-1]
    assert isinstance(step, FellBack)
    assert [each.agent_id for each in step.why.passed_over] == away[:20]
    assert step.why.passed_over_count == 25


# --- pools of teams and rules --------------------------------------------------------------------


async def test_each_pool_has_a_sequence_and_a_counter_of_its_own(hall: Hall) -> None:
    here = hall.here
    await hall.provision(
        here.agents("a", "b", "c"), here.team("sales", "c", "a"), here.rule("big", "b", "c")
    )
    assert await hall.offers(*"12", route=team_route("sales")) == ["c", "a"]
    assert await hall.offers(*"34", route=RULES) == ["b", "c"]
    assert await hall.offers(*"567") == ["a", "b", "c"]
    assert await hall.offers("8", route=team_route("sales")) == ["c"]


async def test_who_joins_a_team_comes_last_and_who_leaves_it_is_passed(hall: Hall) -> None:
    here, sales = hall.here, team_route("sales")
    await hall.provision(here.agents("a", "b", "c"), here.team("sales", "b", "c"))
    assert await hall.offers("1", route=sales) == ["b"]
    await hall.provision(here.team("sales", "a", "b", "c"))
    assert await hall.offers(*"234", route=sales) == ["c", "a", "b"]
    await hall.provision(here.team("sales", "a", "b"))
    assert await hall.offers(*"567", route=sales) == ["a", "b", "a"]


async def test_a_place_that_changed_while_its_agent_could_be_offered_chats_counts_at_once(
    hall: Hall,
) -> None:
    here, sales = hall.here, team_route("sales")
    await hall.provision(here.agents("a", "b", "c"), here.team("sales", "a", "b", "c"))
    # Out and in again, read as one: a has the last place now.
    await hall.provision([here.team("sales", "b", "c"), here.team("sales", "b", "c", "a")])
    assert await hall.offers(*"123456", route=sales) == ["b", "c", "a", "b", "c", "a"]


async def test_a_team_may_name_agents_who_are_not_there_yet(hall: Hall) -> None:
    here, sales = hall.here, team_route("sales")
    await hall.provision(here.team("sales", "late", "a"), here.agent("a"))
    assert await hall.offers("1", route=sales) == ["a"]
    await hall.provision(here.agent("late"))
    assert await hall.offers(*"23", route=sales) == ["late", "a"]


async def test_a_team_that_is_gone_has_nobody(hall: Hall) -> None:
    here = hall.here
    await hall.provision(here.agents("a", "b"), here.team("sales", "b"))
    assert (await hall.board.seated(here.workspace_id)).pools == {"team:sales"}
    await hall.provision(here.remove(Kind.TEAM, "sales"))
    assert (await hall.board.seated(here.workspace_id)).pools == set()
    assert await hall.offered("1", team_route("sales")) == "a"


async def test_the_seated_are_known(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b"), hall.here.team("sales", "a"))
    await hall.provision(hall.here.remove(Kind.AGENT, "a"))
    assert (await hall.board.seated(hall.workspace_id)).agents == {AgentId("b")}


async def test_taking_over_changes_nobodys_turn(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b", "c"), hall.here.team("sales", "a", "b"))
    assert await hall.offers("1", "2") == ["a", "b"]
    assert await hall.offers("3", route=team_route("sales")) == ["a"]
    assert told(*await hall.take_over()) == []
    assert await hall.offers("4", "5") == ["c", "a"]
    assert await hall.offers("6", route=team_route("sales")) == ["b"]


# --- capacity ------------------------------------------------------------------------------------


async def test_nobody_is_offered_more_than_their_capacity(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=2), hall.here.agent("b", capacity=3))
    assert Counter(await hall.offers(*"123456789")) == {"a": 2, "b": 3, None: 4}


async def test_an_account_owner_who_is_full_is_not_offered_their_own_visitor(hall: Hall) -> None:
    here = hall.here
    await hall.provision(here.agent("a", capacity=1), here.agent("b"), here.account("z", "a", "zeta.com"))
    assert await hall.offers("1", "2", email="x@zeta.com") == ["a", "b"]
    assert await hall.held("a") == {"1"}


async def test_the_agent_route_keeps_to_the_agents_capacity(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=1), hall.here.agent("b"))
    assert await hall.offers("1", "2", route=agent_route("a")) == ["a", None]


async def test_a_transfer_needs_room_with_the_receiver(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a"), hall.here.agent("b", capacity=1))
    assert await hall.offers("1", "2") == ["a", "b"]
    await hall.one(hall.asking.accept("1", "a"))
    refused = await hall.one(hall.asking.transfer("1", "a", agent="b"))
    assert refused.refusal == "nobody-available"


async def test_lowering_capacity_lets_chats_run_and_offers_nothing_new(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=3))
    assert await hall.offers("1", "2") == ["a", "a"]
    await hall.decide(hall.asking.accept("1", "a"), hall.asking.accept("2", "a"))
    assert told(*await hall.provision(hall.here.agent("a", capacity=1))) == []
    assert await hall.held("a") == {"1", "2"}
    assert await hall.offers("3") == [None]
    await hall.one(hall.asking.end("1"))
    assert await hall.offers("4") == [None]
    await hall.one(hall.asking.end("2"))
    assert await hall.offers("5") == ["a"]


async def test_raising_capacity_makes_room_at_once(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=1))
    assert await hall.offers("1", "2") == ["a", None]
    await hall.provision(hall.here.agent("a", capacity=2))
    assert await hall.offers("3") == ["a"]


async def test_with_nobody_free_it_falls_back_and_says_who_was_passed_over(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=1))
    await hall.offers("1")
    step = (await hall.one(hall.asking.ask("2"))).steps[-1]
    assert isinstance(step, FellBack)
    assert step.reason is FallbackReason.NOBODY_AVAILABLE
    assert [(each.agent_id, each.reason) for each in step.why.passed_over] == [
        ("a", PassedOverReason.AT_CAPACITY)
    ]
