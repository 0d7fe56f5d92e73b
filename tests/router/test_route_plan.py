"""The route plan, row by row of the product's table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rondo_common.clock import milliseconds
from rondo_common.conversation import FallbackReason, Route
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import AgentId
from rondo_router.domain.route_plan import QueuePlan, RoutePlan, plan_route, plan_transfer
from tests.router.chats import ROUND_ROBIN, RULES, agent_route, request, team_route
from tests.router.provisioned import FROM_SWEDEN, Provisioned

ROUTES: list[Route] = [ROUND_ROBIN, agent_route("grace"), RULES, team_route("sales")]


def acme(**settings: Any) -> Provisioned:
    """A workspace with an account, and rules of which the first in order has the last name."""
    here = Provisioned("acme", **settings)
    here.account("zeta", "owner", "zeta.com", company="Zeta Industries")
    here.team("sales", "grace", "ada")
    here.rule("swedes", "grace", priority=1, conditions=FROM_SWEDEN)
    here.rule("everybody", "ada", priority=2)
    here.rule("also", "grace", priority=2)
    here.rule("off", "grace", priority=0, enabled=False)
    return here


def stages(plan: RoutePlan) -> list[tuple[str, str, int, int]]:
    """Each stage as name, where it looks, leg, attempts."""
    return [
        (each.name, each.pool or f"agent:{each.agent_id}", each.leg, each.attempts_max)
        for each in plan.stages
    ]


def plan(here: Provisioned, route: Route, **visitor: Any) -> RoutePlan:
    return plan_route(request(route, **visitor), here.found)


# --- the routes ----------------------------------------------------------------------------------


def test_round_robin_is_one_stage_over_all_live_chat_agents() -> None:
    assert stages(plan(acme(), ROUND_ROBIN)) == [("round_robin", "all", 0, 1)]


def test_the_agent_route_is_that_agent_only() -> None:
    assert stages(plan(acme(), agent_route("grace"))) == [("agent", "agent:grace", 0, 1)]


def test_a_team_has_two_attempts_and_then_everybody() -> None:
    assert stages(plan(acme(), team_route("sales"))) == [
        ("team", "team:sales", 0, 2),
        ("round_robin", "all", 0, 2),
    ]


def test_rules_come_by_priority_then_by_id_and_only_those_that_are_met_and_switched_on() -> None:
    assert stages(plan(acme(), RULES, country="Sweden")) == [
        ("custom_rule", "rule:swedes", 0, 1),
        ("custom_rule", "rule:also", 0, 1),
        ("custom_rule", "rule:everybody", 0, 1),
        ("round_robin", "all", 0, 1),
    ]
    assert stages(plan(acme(), RULES, country="Norway"))[0][1] == "rule:also"


def test_no_rule_met_is_a_reason_of_its_own_and_nobody_waits() -> None:
    here = Provisioned("acme", queue={"enabled": True})
    here.rule("swedes", "grace", conditions=FROM_SWEDEN)
    found = plan(here, RULES, country="Norway")
    assert found.stages == ()
    assert (found.nobody, found.queue) == (FallbackReason.NO_RULE_MATCHED, None)


def test_without_any_rule_none_is_met() -> None:
    assert plan(Provisioned("acme"), RULES).nobody is FallbackReason.NO_RULE_MATCHED


@pytest.mark.parametrize("route", ROUTES)
def test_the_account_owner_comes_first_on_a_leg_of_their_own(route: Route) -> None:
    without = stages(plan(acme(), route))
    with_owner = stages(plan(acme(), route, email="ADA@Zeta.COM"))
    assert with_owner[0] == ("account_owner", "agent:owner", 0, 1)
    assert with_owner[1:] == [(name, where, leg + 1, times) for name, where, leg, times in without]


def test_the_account_is_found_by_company_where_the_domain_tells_nothing() -> None:
    found = plan(acme(), ROUND_ROBIN, email="ada@mail.example", company=" zeta   industries ")
    assert found.stages[0].agent_id == "owner"


def test_an_owner_who_declined_leaves_a_visitor_whom_no_rule_knows_without_a_rule() -> None:
    here = acme()
    for rule in list(here.found.rules):
        here.rule(rule, "grace", enabled=False)
    found = plan(here, RULES, email="x@zeta.com")
    assert stages(found) == [("account_owner", "agent:owner", 0, 1)]
    assert (found.nobody, found.unanswered) == (FallbackReason.NO_RULE_MATCHED,) * 2


# --- the guards ----------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES)
def test_live_chat_switched_off_falls_back_before_anybody_is_asked(route: Route) -> None:
    found = plan(acme(live_chat_enabled=False), route, email="x@zeta.com")
    assert (found.stages, found.guard) == ((), FallbackReason.LIVE_CHAT_DISABLED)


@pytest.mark.parametrize("email", ["spy@rival.com", "Spy@RIVAL.com", "a@b@rival.com"])
def test_a_blocked_domain_falls_back_whatever_its_case(email: str) -> None:
    found = plan(acme(blocked_email_domains=["Rival.com"]), ROUND_ROBIN, email=email)
    assert (found.stages, found.guard) == ((), FallbackReason.BLOCKED_EMAIL_DOMAIN)


@pytest.mark.parametrize("email", [None, "ada@mail.rival.com", "ada@rival.com.example", "rival.com@x.io"])
def test_other_domains_are_not_blocked(email: str | None) -> None:
    assert plan(acme(blocked_email_domains=["rival.com"]), ROUND_ROBIN, email=email).guard is None


def test_live_chat_off_comes_before_the_blocked_domain() -> None:
    here = acme(live_chat_enabled=False, blocked_email_domains=["rival.com"])
    assert plan(here, ROUND_ROBIN, email="x@rival.com").guard is FallbackReason.LIVE_CHAT_DISABLED


def test_a_workspace_that_is_gone_has_live_chat_switched_off() -> None:
    found = plan_route(request(), WorkspaceDirectory())
    assert found.guard is FallbackReason.LIVE_CHAT_DISABLED


@pytest.mark.parametrize(
    ("time_zone", "at", "month"),
    [
        ("UTC", datetime(2026, 1, 31, 23, 59, tzinfo=UTC), "2026-01"),
        ("Europe/Stockholm", datetime(2026, 1, 31, 22, 59, tzinfo=UTC), "2026-01"),
        ("Europe/Stockholm", datetime(2026, 1, 31, 23, 0, tzinfo=UTC), "2026-02"),
        ("America/Los_Angeles", datetime(2026, 2, 1, 7, 59, tzinfo=UTC), "2026-01"),
        ("Pacific/Kiritimati", datetime(2025, 12, 31, 10, 0, tzinfo=UTC), "2026-01"),
    ],
)
def test_engagements_count_in_the_months_of_the_workspaces_time_zone(
    time_zone: str, at: datetime, month: str
) -> None:
    here = acme(time_zone=time_zone, engagements_per_month_max=7)
    engagements = plan(here, ROUND_ROBIN, at=milliseconds(at)).engagements
    assert (engagements.month, engagements.routed_max) == (month, 7)


# --- what the plan carries -----------------------------------------------------------------------


@given(
    route=st.sampled_from(ROUTES),
    timeout_s=st.integers(1, 600),
    attempts=st.integers(1, 100),
    message=st.text(st.characters(exclude_characters="\x00"), min_size=1, max_size=50),
    max_wait_s=st.integers(1, 86_400),
    country=st.sampled_from([None, "Sweden", "Norway"]),
)
def test_a_plan_carries_the_settings_it_was_made_under(
    route: Route, timeout_s: int, attempts: int, message: str, max_wait_s: int, country: str | None
) -> None:
    here = acme(
        offer_timeout_s=timeout_s,
        offer_attempts={
            "round_robin": attempts,
            "agent": attempts,
            "custom_rules": attempts,
            "team": attempts,
        },
        fallback={"message": message, "offer_meeting": True},
        queue={"enabled": True, "max_wait_s": max_wait_s, "size_max": 3},
    )
    found = plan(here, route, country=country)
    assert found.offer_timeout_s == timeout_s
    assert {stage.attempts_max for stage in found.stages} == {attempts}
    assert (found.fallback.message, found.fallback.offer_meeting) == (message, True)
    assert found.queue == QueuePlan(max_wait_s=max_wait_s, size_max=3)


def test_a_conversation_is_handed_to_one_agent_once_or_to_a_team_as_often_as_teams_are_tried() -> None:
    here = acme(offer_timeout_s=20, offer_attempts={"team": 3})
    to_agent = plan_transfer(here.found, AgentId("ada"), None)
    to_team = plan_transfer(here.found, None, team_route("sales").team_id)
    assert (to_agent.stage.agent_id, to_agent.stage.attempts_max) == ("ada", 1)
    assert (to_team.stage.pool, to_team.stage.attempts_max) == ("team:sales", 3)
    assert (to_agent.offer_timeout_s, to_team.offer_timeout_s) == (20, 20)
