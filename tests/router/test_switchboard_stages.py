"""What every switchboard promises of stages, attempts, guards and previews."""

from __future__ import annotations

import pytest

from rondo_common.conversation import FallbackReason, PassedOverReason
from rondo_router.domain.decision import Decision, FellBack, Offered
from tests.router.chats import RULES, agent_route, team_route
from tests.router.hall import Hall, OpenHall, offered, told
from tests.router.provisioned import FROM_SWEDEN, NEVER


def fallback(decision: Decision) -> FellBack:
    last = decision.steps[-1]
    assert isinstance(last, FellBack)
    return last


# --- stages and attempts -------------------------------------------------------------------------


async def test_round_robin_has_one_attempt_unless_set_otherwise(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b"))
    await hall.one(hall.asking.ask("1"))
    declined = await hall.one(hall.asking.decline("1", "a"))
    assert told(declined) == ["declined:a", "fell_back:not_answered"]
    assert fallback(declined).why.stage == "round_robin"


async def test_the_agent_route_rings_nobody_else(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b"))
    await hall.one(hall.asking.ask("1", agent_route("b")))
    assert told(*await hall.wait(100)) == ["timed_out:b", "fell_back:not_answered"]
    away = await hall.one(hall.asking.ask("2", agent_route("ghost")))
    assert told(away) == ["fell_back:nobody_available"]
    assert [each.reason for each in fallback(away).why.passed_over] == [PassedOverReason.NO_PERMISSION]


async def test_a_team_tries_one_more_of_its_agents_and_then_falls_back(hall: Hall) -> None:
    here = hall.here
    await hall.provision(here.agents("a", "b", "c", "d"), here.team("sales", "b", "c", "d"))
    first = await hall.one(hall.asking.ask("1", team_route("sales")))
    second = await hall.one(hall.asking.decline("1", "b"))
    assert [offered(first), offered(second)] == ["b", "c"]
    third = await hall.one(hall.asking.decline("1", "c"))
    assert told(third) == ["declined:c", "fell_back:not_answered"]


async def test_a_team_nobody_of_which_is_there_gives_to_everybody(hall: Hall) -> None:
    here = hall.here
    await hall.provision(here.agent("a"), here.agent("b", schedule=NEVER), here.team("sales", "b"))
    decision = await hall.one(hall.asking.ask("1", team_route("sales")))
    assert offered(decision) == "a"
    step = decision.steps[-1]
    assert isinstance(step, Offered)
    assert (step.why.stage, step.why.attempts_left, step.why.stages_left) == ("round_robin", 1, ())


async def test_the_second_attempt_of_a_team_goes_to_everybody_when_its_others_are_away(hall: Hall) -> None:
    here = hall.here
    await hall.provision(here.agents("a", "b", "c"), here.team("sales", "b"))
    assert await hall.offered("1", team_route("sales")) == "b"
    assert offered(await hall.one(hall.asking.decline("1", "b"))) == "a"
    assert told(await hall.one(hall.asking.decline("1", "a"))) == ["declined:a", "fell_back:not_answered"]


async def test_every_rule_that_is_met_is_looked_at_in_order_and_then_everybody(hall: Hall) -> None:
    here = hall.here
    await hall.provision(
        here.agents("a", "b"),
        here.agent("c", schedule=NEVER),
        here.rule("first", "c", priority=1),
        here.rule("never", "a", priority=2, conditions=FROM_SWEDEN),
        here.rule("second", "b", priority=3),
    )
    decision = await hall.one(hall.asking.ask("1", RULES))
    step = decision.steps[-1]
    assert isinstance(step, Offered)
    assert (step.agent.id, step.why.pool, step.why.stages_left) == ("b", "rule:second", ("round_robin",))
    await hall.provision(here.agent("b", schedule=NEVER))
    decision = await hall.one(hall.asking.ask("2", RULES))
    step = decision.steps[-1]
    assert isinstance(step, Offered)
    assert (step.agent.id, step.why.pool) == ("a", "all")


async def test_a_rule_that_is_met_and_not_answered_has_one_attempt(hall: Hall) -> None:
    here = hall.here
    await hall.provision(here.agents("a", "b"), here.rule("only", "a", "b"))
    assert await hall.offered("1", RULES) == "a"
    assert told(*await hall.wait(100)) == ["timed_out:a", "fell_back:not_answered"]


async def test_no_rule_met_falls_back_even_where_others_wait(open_hall: OpenHall) -> None:
    hall = await open_hall(queue={"enabled": True})
    here = hall.here
    await hall.provision(here.agent("a"), here.rule("swedes", "a", conditions=FROM_SWEDEN))
    decision = await hall.one(hall.asking.ask("1", RULES))
    assert told(decision) == ["fell_back:no_rule_matched"]
    assert fallback(decision).why.stage == "route"


async def test_the_owner_comes_first_with_an_attempt_of_their_own(hall: Hall) -> None:
    here = hall.here
    await hall.provision(
        here.agents("a", "b", "c", "o"), here.team("sales", "b", "c"), here.account("z", "o", "zeta.com")
    )
    first = await hall.one(hall.asking.ask("1", team_route("sales"), email="x@Zeta.com"))
    step = first.steps[-1]
    assert isinstance(step, Offered)
    assert (step.agent.id, step.why.stage, step.why.place, step.why.attempts_left) == (
        "o",
        "account_owner",
        None,
        0,
    )
    assert step.why.stages_left == ("team", "round_robin")
    second = await hall.one(hall.asking.decline("1", "o"))
    third = await hall.one(hall.asking.decline("1", "b"))
    assert [offered(second), offered(third)] == ["b", "c"]
    last = await hall.one(hall.asking.decline("1", "c"))
    assert told(last) == ["declined:c", "fell_back:not_answered"]


async def test_an_owner_who_is_away_costs_no_attempt(hall: Hall) -> None:
    here = hall.here
    await hall.provision(
        here.agent("a"), here.agent("o", schedule=NEVER), here.account("z", "o", company="Zeta Inc")
    )
    decision = await hall.one(hall.asking.ask("1", company="zeta  INC"))
    step = decision.steps[-1]
    assert isinstance(step, Offered)
    assert (step.agent.id, step.why.attempts_left) == ("a", 0)


async def test_an_owner_who_declined_is_not_asked_again_by_the_route(hall: Hall) -> None:
    here = hall.here
    await hall.provision(here.agents("o", "a"), here.account("z", "o", "zeta.com"))
    assert await hall.offered("1", email="x@zeta.com") == "o"
    declined = await hall.one(hall.asking.decline("1", "o"))
    assert offered(declined) == "a"
    step = declined.steps[-1]
    assert isinstance(step, Offered)
    assert [each.reason for each in step.why.passed_over] == [PassedOverReason.ALREADY_TRIED]


@pytest.mark.parametrize("owner", ["declines", "is away"])
async def test_no_rule_met_is_the_reason_also_after_an_owner(hall: Hall, owner: str) -> None:
    here = hall.here
    await hall.provision(
        here.agent("o", schedule=NEVER if owner == "is away" else None),
        here.account("z", "o", "zeta.com"),
        here.rule("swedes", "o", conditions=FROM_SWEDEN),
    )
    decision = await hall.one(hall.asking.ask("1", RULES, email="x@zeta.com"))
    if owner == "declines":
        decision = await hall.one(hall.asking.decline("1", "o"))
    assert fallback(decision).reason is FallbackReason.NO_RULE_MATCHED


async def test_the_next_attempt_starts_again_at_the_stage_where_the_last_was(hall: Hall) -> None:
    here = hall.here
    await hall.provision(
        here.agent("a"), here.agent("b", schedule=NEVER), here.agent("c"), here.team("sales", "b")
    )
    assert await hall.offered("1", team_route("sales")) == "a"  # Nobody in the team: everybody.
    await hall.provision(here.agent("b"))
    declined = await hall.one(hall.asking.decline("1", "a"))
    step = declined.steps[-1]
    assert isinstance(step, Offered)
    assert (step.why.stage, step.agent.id) == ("round_robin", "b")


async def test_nobody_is_asked_twice_for_one_conversation(open_hall: OpenHall) -> None:
    hall = await open_hall(offer_attempts={"round_robin": 5})
    await hall.provision(hall.here.agents("a", "b"))
    await hall.one(hall.asking.ask("1"))
    assert offered(await hall.one(hall.asking.decline("1", "a"))) == "b"
    last = await hall.one(hall.asking.decline("1", "b"))
    assert told(last) == ["declined:b", "fell_back:nobody_available"]


async def test_who_missed_a_chat_can_be_offered_the_next_one(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=1))
    await hall.one(hall.asking.ask("1"))
    await hall.wait(100)
    assert await hall.offered("2") == "a"


async def test_a_fallback_carries_the_workspaces_message(open_hall: OpenHall) -> None:
    hall = await open_hall(fallback={"message": "Call us.", "offer_meeting": True})
    step = fallback(await hall.one(hall.asking.ask("1")))
    assert (step.message, step.offer_meeting) == ("Call us.", True)


# --- guards --------------------------------------------------------------------------------------


async def test_the_guards_come_in_their_order(open_hall: OpenHall) -> None:
    blocked = {"blocked_email_domains": ["rival.com"]}
    hall = await open_hall(**blocked, engagements_per_month_max=1)
    await hall.provision(hall.here.agent("a"))
    by_domain = await hall.one(hall.asking.ask("1", email="spy@Rival.com"))
    assert told(by_domain) == ["fell_back:blocked_email_domain"]
    assert await hall.offered("2") == "a"
    assert told(await hall.one(hall.asking.ask("3", email="spy@rival.com"))) == [
        "fell_back:engagement_limit"
    ]
    await hall.provision(
        hall.here.settings(**blocked, engagements_per_month_max=1, live_chat_enabled=False)
    )
    off = await hall.one(hall.asking.ask("4", email="spy@rival.com"))
    assert told(off) == ["fell_back:live_chat_disabled"]
    assert fallback(off).why.stage == "guards"


async def test_what_the_guards_stop_does_not_count_and_what_falls_back_later_does(
    open_hall: OpenHall,
) -> None:
    hall = await open_hall(blocked_email_domains=["rival.com"], engagements_per_month_max=2)
    for conversation in "123":
        await hall.one(hall.asking.ask(conversation, email="spy@rival.com"))
    assert told(*await hall.decide(*(hall.asking.ask(each) for each in "456"))) == [
        "fell_back:nobody_available",
        "fell_back:nobody_available",
        "fell_back:engagement_limit",
    ]


async def test_the_engagements_of_another_month_are_counted_apart(open_hall: OpenHall) -> None:
    hall = await open_hall(engagements_per_month_max=1)
    await hall.provision(hall.here.agent("a"))
    assert await hall.offers("1", "2") == ["a", None]
    assert await hall.offered("3", at=hall.now + 31 * 24 * 3600 * 1000) == "a"


# --- what if -------------------------------------------------------------------------------------


async def test_a_preview_says_what_would_happen_and_changes_nothing(open_hall: OpenHall) -> None:
    hall = await open_hall(queue={"enabled": True, "size_max": 2}, engagements_per_month_max=4)
    await hall.provision(hall.here.agent("a", capacity=1))
    seen = [(await hall.one(hall.asking.preview())).preview for _ in range(3)]
    assert [each and each.agent and each.agent.id for each in seen] == ["a"] * 3
    assert await hall.offered("1") == "a"
    waits = (await hall.one(hall.asking.preview(priority=1))).preview
    assert waits is not None
    assert waits.outcome == "queued"
    await hall.decide(hall.asking.ask("2"), hall.asking.ask("3"))
    full = (await hall.one(hall.asking.preview())).preview
    assert full is not None
    assert full.reason is FallbackReason.QUEUE_FULL
    await hall.one(hall.asking.ask("4"))
    over = (await hall.one(hall.asking.preview())).preview
    assert over is not None
    assert over.reason is FallbackReason.ENGAGEMENT_LIMIT


async def test_a_preview_names_turn_place_and_stages_as_the_offer_would(hall: Hall) -> None:
    here = hall.here
    await hall.provision(here.agents("a", "b"), here.team("sales", "b", "a"))
    await hall.one(hall.asking.ask("1", team_route("sales")))
    seen = (await hall.one(hall.asking.preview(team_route("sales")))).preview
    step = (await hall.one(hall.asking.ask("2", team_route("sales")))).steps[-1]
    assert isinstance(step, Offered)
    assert seen is not None
    assert (seen.agent, seen.why) == (step.agent, step.why)


async def test_a_preview_places_the_visitor_behind_those_of_their_priority(open_hall: OpenHall) -> None:
    hall = await open_hall(queue={"enabled": True})
    await hall.one(hall.asking.ask("1"))
    await hall.one(hall.asking.ask("2", priority=5))
    positions = []
    for priority in (0, 5, 9):
        seen = (await hall.one(hall.asking.preview(priority=priority))).preview
        assert seen is not None
        assert seen.queue is not None
        positions.append(seen.queue.position)
    assert positions == [3, 2, 1]
