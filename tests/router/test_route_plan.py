"""The route plan, row by row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rondo_common.conversation import AgentRoute, FallbackReason, RoundRobinRoute, Route
from rondo_common.directory.entries import FallbackSettings, OfferAttempts, WorkspaceSettings
from rondo_common.ids import AgentId
from rondo_router.domain.route_plan import ALL_AGENTS, AgentStage, PoolStage, plan_route
from tests.router.chats import request

ROUTES: list[Route] = [RoundRobinRoute(), AgentRoute(agent_id=AgentId("grace"))]


def test_round_robin_is_one_stage_over_all_live_chat_agents() -> None:
    plan = plan_route(request(RoundRobinRoute()), WorkspaceSettings())
    assert plan.stages == (PoolStage(name="round_robin", pool=ALL_AGENTS),)
    assert plan.fall_back_at_once is None


def test_the_agent_route_is_that_agent_only() -> None:
    plan = plan_route(request(AgentRoute(agent_id=AgentId("grace"))), WorkspaceSettings())
    assert plan.stages == (AgentStage(name="agent", agent_id=AgentId("grace")),)


@pytest.mark.parametrize("route", ROUTES)
def test_live_chat_switched_off_falls_back_before_anybody_is_asked(route: Route) -> None:
    plan = plan_route(request(route), WorkspaceSettings(live_chat_enabled=False))
    assert plan.stages == ()
    assert plan.fall_back_at_once is FallbackReason.LIVE_CHAT_DISABLED


@given(
    route=st.sampled_from(ROUTES),
    timeout_s=st.integers(1, 600),
    attempts=st.integers(1, 100),
    message=st.text(st.characters(exclude_characters="\x00"), min_size=1, max_size=50),
)
def test_a_plan_carries_the_settings_it_was_made_under(
    route: Route, timeout_s: int, attempts: int, message: str
) -> None:
    settings = WorkspaceSettings(
        offer_timeout_s=timeout_s,
        offer_attempts=OfferAttempts(round_robin=attempts, agent=attempts),
        fallback=FallbackSettings(message=message, offer_meeting=True),
    )
    plan = plan_route(request(route), settings)
    assert (plan.offer_timeout_s, plan.attempts_max) == (timeout_s, attempts)
    assert plan.fallback == settings.fallback
