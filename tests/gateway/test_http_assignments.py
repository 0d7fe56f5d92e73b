"""Who is told why an agent was rung, and what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from rondo_common.conversation import AgentCard, PassedOver, PassedOverReason, Queue, Why
from rondo_common.directory.entries import AgentEntry, Kind
from rondo_common.events import AgentDefined
from rondo_common.ids import ProfileId
from rondo_gateway.domain.assignments import Assignments, Attempt, Queueing
from rondo_gateway.ports import Definition
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    BOB,
    CNV,
    GLOBEX_KEY,
    GRACE,
    NOON,
    FakeWorld,
    active,
    bearer,
    json_of,
)

PATH = f"/v1/conversations/{CNV}/assignments"
LATER = NOON + timedelta(seconds=100)
WHY = Why(
    stage="round_robin",
    pool="all",
    place=3,
    passed_over=(PassedOver(agent_id=BOB, reason=PassedOverReason.AT_CAPACITY),),
    passed_over_count=1,
    stages_left=("queue",),
)
STORY = Assignments(
    data=[
        Attempt(
            attempt=1,
            agent=AgentCard(id=GRACE, name="Grace"),
            stage="round_robin",
            offered_at=NOON,
            expires_at=LATER,
            outcome="accepted",
            outcome_at=NOON,
            why=WHY,
        )
    ],
    queued=[
        Queueing(queued_at=NOON, expires_at=LATER, queue=Queue(position=1, estimated_wait_s=60), why=WHY)
    ],
    fell_back=None,
)


async def test_every_attempt_is_told_with_why(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await world.conversations.show(ACME, replace(active(), log_offset=17))
    world.history.stories[CNV] = STORY
    for credential in (ACME_KEY, world.agent_token(GRACE)):
        told = json_of(await http.get(PATH, headers=bearer(credential)), 200)
        assert told == STORY.model_dump(mode="json")
        assert told["data"][0]["why"]["passed_over"] == [{"agent_id": "bob", "reason": "at_capacity"}]
    assert world.history.asked_for == [17, 17]


async def test_before_history_knows_it_there_was_no_attempt(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    told = json_of(await http.get(PATH, headers=bearer(ACME_KEY)), 200)
    assert told == {"data": [], "queued": [], "fell_back": None}


async def test_a_visitor_and_an_agent_without_part_in_it_are_not_told(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active(GRACE))
    for credential in (world.visitor_token(), world.agent_token(BOB)):
        assert (await http.get(PATH, headers=bearer(credential))).status_code == 403
    assert (await http.get(PATH, headers=bearer(GLOBEX_KEY))).status_code == 404
    assert world.history.asked_for == []


@pytest.mark.parametrize(("profile", "status"), [("live_agent", 403), ("sales_admin", 200)])
async def test_an_agent_who_sees_all_conversations_is_told(
    http: httpx.AsyncClient, world: FakeWorld, profile: str, status: int
) -> None:
    bob = AgentEntry(id=BOB, name="Bob", email="b@example.com", profile=ProfileId(profile))
    await world.directory.write(ACME, [Definition(Kind.AGENT, BOB, AgentDefined(agent=bob))])
    await world.conversations.show(ACME, active(GRACE))
    answer = await http.get(PATH, headers=bearer(world.agent_token(BOB)))
    assert answer.status_code == status
