"""Routing in full on the running stack: queue, transfers, presence, capacity, losses."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter

import pytest
from redis.asyncio import Redis

from tests.e2e.client import Caller, Json, Workspace, at_most, eventually, new_workspace
from tests.e2e.conftest import RunningStack
from tests.e2e.topics import count_of, events_of_workspace

CLIENTS = 64
SESSION_TIMEOUT_S = 6.0
"""Silent for so long, a router loses its partitions."""


async def _status(workspace: Workspace, conversation_id: str, *statuses: str) -> Json:
    async def look() -> Json | None:
        found = await workspace.call("GET", f"/v1/conversations/{conversation_id}")
        conversation: Json = found.json()
        return conversation if found.is_success and conversation["status"] in statuses else None

    return await eventually(look, f"{conversation_id} becoming {' or '.join(statuses)}")


async def _rung(workspace: Workspace, conversation_id: str) -> str:
    return str((await _status(workspace, conversation_id, "offered"))["offer"]["agent_id"])


async def _talking(workspace: Workspace, agent: str) -> tuple[str, Caller]:
    """A conversation that is active with this agent, and the agent."""
    asked = await workspace.ask(to=agent)
    await _rung(workspace, asked["id"])
    caller = await workspace.agent(agent)
    await caller.post(f"/v1/conversations/{asked['id']}/accept")
    return str(asked["id"]), caller


async def test_a_freed_agent_takes_the_visitor_who_has_waited_longest(root: Caller) -> None:
    workspace = await new_workspace(root, queue={"enabled": True, "max_wait_s": 60, "size_max": 4})
    await workspace.agents("grace", capacity=1)
    first, _ = await _talking(workspace, "grace")
    waiting = [(await workspace.ask(priority=priority))["id"] for priority in (0, 0, 5)]
    for conversation_id in waiting:
        await _status(workspace, conversation_id, "queued")
    places = [(await workspace.get(f"/v1/conversations/{each}"))["queue"]["position"] for each in waiting]
    assert places == [2, 3, 1]
    await workspace.ask()
    full = await workspace.ask()
    assert (await _status(workspace, full["id"], "fell_back"))["fallback"]["reason"] == "queue_full"
    await workspace.post(f"/v1/conversations/{waiting[0]}/withdraw")
    for ended, rung in ((first, waiting[2]), (waiting[2], waiting[1])):
        if ended != first:
            grace = await workspace.agent("grace")
            await grace.post(f"/v1/conversations/{ended}/accept")
        await workspace.post(f"/v1/conversations/{ended}/end")
        assert await _rung(workspace, rung) == "grace"


async def test_a_conversation_is_handed_over_and_stays_until_somebody_takes_it(root: Caller) -> None:
    workspace = await new_workspace(root)
    await workspace.agents("grace", "ada", "edsger", capacity=2)
    await workspace.put("/v1/teams/sales", {"name": "Sales", "agent_ids": ["ada", "edsger"]})
    conversation_id, grace = await _talking(workspace, "grace")
    path = f"/v1/conversations/{conversation_id}"
    handed = await grace.post(f"{path}/transfer", {"team_id": "sales"})
    assert (handed["status"], handed["agent"]["id"], handed["offer"]["agent_id"]) == (
        "active",
        "grace",
        "ada",
    )
    ada, edsger = await workspace.agent("ada"), await workspace.agent("edsger")
    await ada.post(f"{path}/decline")

    async def asked_next() -> Json | None:
        conversation = await workspace.get(path)
        offer = conversation["offer"]
        return conversation if offer is not None and offer["agent_id"] == "edsger" else None

    await eventually(asked_next, "edsger being asked")
    await grace.post(f"{path}/messages", {"client_message_id": "1", "text": "One moment, please."})
    await edsger.post(f"{path}/accept")
    assert (await workspace.get(path))["agent"]["id"] == "edsger"
    said = await grace.call("POST", f"{path}/messages", {"client_message_id": "2", "text": "Still me."})
    assert said.status_code in {403, 409}
    attempts = (await workspace.get(f"{path}/assignments"))["data"]
    assert [(each["agent"]["id"], each["outcome"]) for each in attempts] == [
        ("grace", "accepted"),
        ("ada", "declined"),
        ("edsger", "accepted"),
    ]


async def test_capacity_is_never_passed_by_many_clients_on_three_routers(
    root: Caller, running: RunningStack
) -> None:
    workspace = await new_workspace(root)
    names = [f"agent-{number}" for number in range(6)]
    await workspace.agents(*names, capacity=3)

    async def one(_: int) -> Json:
        asked = await workspace.ask()
        return await _status(workspace, asked["id"], "offered", "fell_back")

    settled = await at_most(CLIENTS, [one(number) for number in range(120)])
    offered = Counter(each["offer"]["agent_id"] for each in settled if each["offer"])
    assert offered == dict.fromkeys(names, 3)
    events = await events_of_workspace(running.env["RONDO_KAFKA_BOOTSTRAP"], workspace.id)
    assert sum(count_of(events, "rondo.assignment.offered.v1").values()) == 18


async def test_a_thousand_accepts_at_once_have_one_winner(root: Caller) -> None:
    workspace = await new_workspace(root)
    await workspace.agents("grace", "ada")
    asked = await workspace.ask(to="grace")
    await _rung(workspace, asked["id"])
    grace, ada = await workspace.agent("grace"), await workspace.agent("ada")
    path = f"/v1/conversations/{asked['id']}/accept"
    callers = [grace if number % 2 else ada for number in range(1000)]
    answers = await at_most(200, [caller.call("POST", path) for caller in callers])
    for caller, answer in zip(callers, answers, strict=True):
        assert answer.status_code == 200 if caller is grace else answer.status_code in {403, 409}
    assert (await workspace.get(f"/v1/conversations/{asked['id']}"))["agent"]["id"] == "grace"


async def test_an_agent_is_rung_only_while_an_inbox_is_open_where_that_is_required(root: Caller) -> None:
    workspace = await new_workspace(root, presence_required=True)
    await workspace.agents("grace")
    alone = await workspace.ask()
    assert (await _status(workspace, alone["id"], "fell_back"))["fallback"]["reason"] == "nobody_available"
    grace = await workspace.agent("grace")
    async with grace.stream("/v1/agents/me/stream") as events:
        await events.until("snapshot")
        asked = await workspace.ask()
        assert (await events.until("assignment.offered")).event["conversation_id"] == asked["id"]


async def test_switched_off_and_on_an_agent_leaves_and_takes_who_waits(root: Caller) -> None:
    workspace = await new_workspace(root, queue={"enabled": True})
    await workspace.agents("grace")
    await workspace.put("/v1/agents/grace/availability", {"available": False})
    asked = await workspace.ask()
    await _status(workspace, asked["id"], "queued")
    await workspace.put("/v1/agents/grace/availability", {"available": None})
    assert await _rung(workspace, asked["id"]) == "grace"


async def test_a_deleted_agent_leaves_their_offers_to_others_and_their_talks_end(root: Caller) -> None:
    workspace = await new_workspace(root)
    await workspace.agents("grace", "ada", capacity=5)
    active, _ = await _talking(workspace, "grace")
    offered = await workspace.ask(to="grace")
    turns = await workspace.ask()
    rung = await _rung(workspace, turns["id"])
    assert (await workspace.call("DELETE", "/v1/agents/grace")).status_code == 204
    ended = await _status(workspace, active, "ended")
    assert ended["ended"]["reason"] == "agent_lost"
    fell_back = await _status(workspace, offered["id"], "fell_back")
    assert fell_back["fallback"]["reason"] == "nobody_available"
    if rung == "grace":
        assert await _rung(workspace, turns["id"]) == "ada"


async def test_planning_a_route_says_who_and_why_and_changes_nothing(root: Caller) -> None:
    workspace = await new_workspace(root)
    await workspace.agents("grace", "ada")
    body = {"visitor": {"email": "ada@example.com"}, "route": {"type": "round_robin"}}
    plans = [await workspace.post("/v1/route_plans", body) for _ in range(3)]
    assert {plan["agent"]["id"] for plan in plans} == {"grace"}
    assert plans[0]["outcome"] == "offered"
    assert await _rung(workspace, (await workspace.ask())["id"]) == "grace"


async def test_what_redis_has_lost_comes_back_from_the_log(root: Caller, running: RunningStack) -> None:
    workspace = await new_workspace(root, offer_timeout_s=600, queue={"enabled": True})
    names = [f"agent-{number}" for number in range(4)]
    await workspace.agents(*names, capacity=3)
    asked = [(await workspace.ask())["id"] for _ in range(6)]
    rung = [await _rung(workspace, each) for each in asked]
    agent = await workspace.agent(rung[0])
    await agent.post(f"/v1/conversations/{asked[0]}/accept")
    asked += [(await workspace.ask())["id"] for _ in range(6)]
    rung += [await _rung(workspace, each) for each in asked[6:]]
    assert rung == names * 3
    waiting = [(await workspace.ask())["id"] for _ in range(2)]
    for each in waiting:
        await _status(workspace, each, "queued")
    async with Redis.from_url(running.env["RONDO_REDIS_URL"]) as redis:
        await redis.flushall()
    during = await workspace.call("GET", f"/v1/conversations/{asked[0]}")
    assert during.status_code in {200, 503}
    waiting.append((await workspace.ask())["id"])
    for each in waiting:
        await _status(workspace, each, "queued")
    assert (await _status(workspace, asked[0], "active"))["agent"]["id"] == rung[0]
    assert [await _rung(workspace, each) for each in asked[1:]] == rung[1:]
    # Whoever is freed takes the first in line; the rotation goes on where it was.
    for conversation_id, freed, next_one in zip(asked[:3], rung[:3], waiting, strict=True):
        if conversation_id == asked[0]:
            await workspace.post(f"/v1/conversations/{conversation_id}/end")
        else:
            await workspace.post(f"/v1/conversations/{conversation_id}/withdraw")
        assert await _rung(workspace, next_one) == freed
    for conversation_id in asked[3:]:
        await workspace.post(f"/v1/conversations/{conversation_id}/withdraw")
    after = [await _rung(workspace, (await workspace.ask())["id"]) for _ in range(4)]
    assert after == [names[3], *names[:3]]


@pytest.mark.timeout(120)
async def test_a_router_that_was_paused_and_lost_its_partitions_does_no_harm(
    root: Caller, running: RunningStack
) -> None:
    workspace = await new_workspace(root)
    await workspace.agents("grace", "ada", "edsger", capacity=1000)
    running.kill("router", signal.SIGSTOP)
    try:
        asked = await at_most(16, [workspace.ask() for _ in range(60)])
        await asyncio.gather(*(_rung(workspace, each["id"]) for each in asked))
    finally:
        running.kill("router", signal.SIGCONT)
    more = await at_most(16, [workspace.ask() for _ in range(60)])
    rung = Counter([await _rung(workspace, each["id"]) for each in (*asked, *more)])
    assert rung == {"grace": 40, "ada": 40, "edsger": 40}
    events = await events_of_workspace(running.env["RONDO_KAFKA_BOOTSTRAP"], workspace.id)
    assert set(count_of(events, "rondo.assignment.offered.v1").values()) == {1}
