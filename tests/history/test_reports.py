"""Reports equal a recount from the events, whatever happened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rondo_common.conversation import (
    AgentCard,
    AgentRoute,
    CustomRulesRoute,
    EndReason,
    FallbackReason,
    RoundRobinRoute,
    Route,
    TeamRoute,
)
from rondo_common.ids import AgentId, TeamId, WorkspaceId
from rondo_history.adapters.postgres import open_pool
from rondo_history.adapters.postgres_archive import PostgresArchive
from rondo_history.adapters.postgres_reports import PostgresReports
from rondo_history.domain.fact import Fact
from rondo_history.domain.report import Grouping, Period
from tests.history.conversations import NOON, Conversation, asked, fresh_workspace
from tests.history.recount import recounted

AGENTS = [AgentCard(id=AgentId(f"a{number}"), name=f"Agent {number}") for number in range(3)]
ROUTES: list[Route] = [
    RoundRobinRoute(),
    AgentRoute(agent_id=AGENTS[0].id),
    CustomRulesRoute(),
    TeamRoute(team_id=TeamId("sales")),
]
POOLS = [None, "all", "team:sales", "team:support", "rule:r1"]


@pytest.fixture
async def counting(database: str) -> AsyncIterator[tuple[PostgresArchive, PostgresReports]]:
    async with open_pool(database) as pool:
        yield PostgresArchive(pool), PostgresReports(pool)


@st.composite
def conversations(draw: st.DrawFn) -> list[tuple[Route, datetime, list[tuple[Any, ...]]]]:
    """Stories of conversations: what was asked for, when, and what happened then."""
    return draw(
        st.lists(
            st.tuples(
                st.sampled_from(ROUTES),
                st.integers(-1500, 1500).map(lambda minutes: NOON + timedelta(minutes=minutes)),
                stories(),
            ),
            max_size=8,
        )
    )


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    story: list[tuple[Any, ...]] = []
    if draw(st.booleans()):
        story.append(("queued",))
    outcome = "none"
    for attempt in range(1, draw(st.integers(0, 3)) + 1):
        agent, pool = draw(st.sampled_from(AGENTS)), draw(st.sampled_from(POOLS))
        outcome = draw(st.sampled_from(["missed", "declined", "accepted", "rescinded", "open"]))
        story.append(("offered", agent, attempt, pool))
        if outcome != "open":
            story.append((outcome, agent, attempt))
        if outcome in {"accepted", "rescinded", "open"}:
            break
    if outcome == "accepted":
        story += [("said", by) for by in draw(st.lists(st.sampled_from(["visitor", "agent"]), max_size=4))]
        if draw(st.booleans()):
            story.append(("ended",))
            scores = draw(st.lists(st.integers(1, 5), max_size=2))
            story += [("rated", score, draw(st.sampled_from(AGENTS))) for score in scores]
    elif outcome == "rescinded":
        story.append(("withdrawn",))
    elif outcome != "open" and draw(st.booleans()):
        story.append(("fell_back", draw(st.sampled_from(FallbackReason))))
    return story


def told(story: list[tuple[Any, ...]], chat: Conversation) -> list[Fact]:
    facts = [chat.requested()]
    for what, *arguments in story:
        match what, arguments:
            case "offered", [agent, attempt, pool]:
                facts.append(chat.offered(agent, attempt=attempt, pool=pool))
            case (("missed" | "declined" | "accepted" | "rescinded"), [agent, attempt]):
                facts.append(getattr(chat, what)(agent, attempt=attempt))
            case "said", [by]:
                facts.append(chat.said("Hello", by=by))
            case "ended", []:
                facts.append(chat.ended(EndReason.AGENT_ENDED))
            case "rated", [score, agent]:
                facts.append(chat.rated(score, agent=agent))
            case "fell_back", [reason]:
                facts.append(chat.fell_back(reason))
            case _:
                facts.append(getattr(chat, what)())
    assert facts[0].occurred_at >= NOON
    return facts


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    return round(value, 6) if isinstance(value, float) else value


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    found=conversations(),
    time_zone=st.sampled_from(["UTC", "Europe/Stockholm", "America/New_York", "Asia/Kolkata"]),
    around_h=st.integers(1, 30),
)
async def test_every_figure_is_that_of_a_recount(
    counting: tuple[PostgresArchive, PostgresReports],
    found: list[tuple[Route, datetime, list[tuple[Any, ...]]]],
    time_zone: str,
    around_h: int,
) -> None:
    archive, reports = counting
    workspace_id = fresh_workspace()
    all_facts = []
    for number, (route, at, story) in enumerate(found):
        request = asked(route=route, requested_at=at)
        all_facts.append(told(story, Conversation(f"cnv_{number}", workspace_id, request=request)))
    await archive.keep([fact for facts in all_facts for fact in facts])
    period = Period(NOON - timedelta(hours=around_h), NOON + timedelta(hours=around_h), time_zone)
    for grouping in Grouping:
        rows = await reports.live_chat(workspace_id, period, grouping)
        reported = {row.group: row.model_dump(mode="json", exclude={"group"}) for row in rows}
        expected = recounted(all_facts, workspace_id, period, grouping)
        assert rounded(reported) == rounded(expected)
        assert [row.group for row in rows] == sorted(expected)


async def test_another_workspace_counts_for_itself(
    counting: tuple[PostgresArchive, PostgresReports],
) -> None:
    archive, reports = counting
    here, there = Conversation(), Conversation()
    await archive.keep([here.requested(), there.requested(), there.fell_back()])
    period = Period(NOON, NOON + timedelta(seconds=1), "UTC")
    (row,) = await reports.live_chat(here.workspace_id, period, Grouping.WORKSPACE)
    assert (row.group, row.requested, row.fell_back) == (here.workspace_id, 1, {})
    assert await reports.live_chat(WorkspaceId("nobody"), period, Grouping.WORKSPACE) == []
