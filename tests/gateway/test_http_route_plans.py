"""Asking what would become of a request."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rondo_common.answers import Answer
from rondo_common.conversation import AgentCard, PassedOver, PassedOverReason, Why
from rondo_common.directory.entries import AgentEntry, Kind
from rondo_common.events import AgentDefined, PlanRoute
from rondo_common.ids import CommandId, ProfileId
from rondo_common.route_preview import PlannedStage, RoutePreview
from rondo_gateway.ports import Definition
from tests.gateway.fake_world import ACME, ACME_KEY, BOB, GRACE, FakeWorld, bearer, json_of

PLANS = "/v1/route_plans"
ASK: dict[str, Any] = {"visitor": {"first_name": "Ada"}, "route": {"type": "round_robin"}}
PREVIEW = RoutePreview(
    stages=(PlannedStage(name="round_robin", pool="all", attempts=1),),
    outcome="offered",
    agent=AgentCard(id=GRACE, name="Grace"),
    why=Why(
        stage="round_robin",
        pool="all",
        place=2,
        passed_over=(PassedOver(agent_id=BOB, reason=PassedOverReason.AWAY),),
        passed_over_count=1,
    ),
)


def answering(world: FakeWorld) -> None:
    """Let the router have an answer."""

    async def decide(command_id: CommandId) -> Answer:
        assert world.log.envelopes[-1].id == command_id
        return Answer(preview=PREVIEW)

    world.answers.decide = decide


async def give_profile(world: FakeWorld, profile: str) -> None:
    grace = AgentEntry(id=GRACE, name="Grace", email="g@example.com", profile=ProfileId(profile))
    await world.directory.write(ACME, [Definition(Kind.AGENT, GRACE, AgentDefined(agent=grace))])


async def test_the_plan_is_asked_of_the_router_and_answered_as_it_says(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    answering(world)
    plan = json_of(await http.post(PLANS, headers=bearer(ACME_KEY), json=ASK), 200)
    assert plan == PREVIEW.model_dump(mode="json")
    (envelope,) = world.log.envelopes
    assert isinstance(envelope.event, PlanRoute)
    assert envelope.workspace_id == ACME
    assert envelope.event.request.visitor.first_name == "Ada"
    assert envelope.event.directory_offset == await world.directory.newest_offset(ACME)
    assert world.conversations.views == {}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({**ASK, "route": {"type": "agent", "agent_id": "ghost"}}, "/route/agent_id"),
        ({**ASK, "route": {"type": "nowhere"}}, "/route/type"),
        ({"visitor": {}}, "/route"),
        ({**ASK, "surprise": 1}, "/surprise"),
    ],
)
async def test_a_request_that_could_not_be_made_cannot_be_planned(
    http: httpx.AsyncClient, world: FakeWorld, body: dict[str, Any], pointer: str
) -> None:
    answer = await http.post(PLANS, headers=bearer(ACME_KEY), json=body)
    assert pointer in {each["pointer"] for each in json_of(answer, 422)["errors"]}
    assert world.log.events == []


async def test_a_router_that_does_not_answer_is_said_to_be_away(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    answer = await http.post(PLANS, headers=bearer(ACME_KEY), json=ASK)
    assert json_of(answer, 503)["type"] == "urn:rondo:error:unavailable"
    assert int(answer.headers["retry-after"]) > 0
    assert len(world.log.events) == 1


@pytest.mark.parametrize(
    ("profile", "status"),
    [
        ("live_agent", 403),
        ("marketing_user", 403),
        ("no_such_profile", 403),
        ("sales_admin", 200),
        ("marketing_admin", 200),
    ],
)
async def test_an_agent_plans_if_their_profile_lets_them_set_up_routing(
    http: httpx.AsyncClient, world: FakeWorld, profile: str, status: int
) -> None:
    answering(world)
    await give_profile(world, profile)
    answer = await http.post(PLANS, headers=bearer(world.agent_token()), json=ASK)
    assert answer.status_code == status


async def test_a_visitor_plans_nothing(http: httpx.AsyncClient, world: FakeWorld) -> None:
    answering(world)
    answer = await http.post(PLANS, headers=bearer(world.visitor_token()), json=ASK)
    assert answer.status_code == 403
    assert world.log.events == []
