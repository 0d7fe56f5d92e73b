"""Who is offered a chat, who gets it, and what happens when nobody answers: under load, over routers."""

from __future__ import annotations

import asyncio
from collections import Counter

from tests.e2e.client import Caller, Json, Workspace, at_most, new_workspace
from tests.e2e.conftest import RunningStack
from tests.e2e.topics import count_of, events_of_workspace


async def test_two_hundred_chats_at_once_are_shared_evenly(workspace: Workspace) -> None:
    names = [f"agent-{number}" for number in range(5)]
    await workspace.agents(*names, capacity=1000)

    async def ask() -> str:
        asked = await workspace.ask()
        return str((await workspace.settled(asked["id"]))["offer"]["agent_id"])

    offered = Counter(await at_most(32, [ask() for _ in range(200)]))
    assert offered == dict.fromkeys(names, 40)


async def test_many_workspaces_over_three_routers_each_keep_their_own_sequence(root: Caller) -> None:
    async def one_workspace() -> list[str]:
        workspace = await new_workspace(root)
        await workspace.agents("a", "b", "c")
        asked = [await workspace.ask() for _ in range(6)]
        settled = [await workspace.settled(each["id"]) for each in asked]
        return [each["offer"]["agent_id"] for each in settled]

    for sequence in await at_most(4, [one_workspace() for _ in range(12)]):
        assert sequence == ["a", "b", "c", "a", "b", "c"]


async def test_capacity_is_never_passed_and_everybody_gets_an_outcome(workspace: Workspace) -> None:
    await workspace.agents("a", "b", capacity=3)
    asked = await at_most(32, [workspace.ask() for _ in range(40)])
    settled = [await workspace.settled(each["id"]) for each in asked]
    assert Counter(each["status"] for each in settled) == {"offered": 6, "fell_back": 34}
    assert Counter(each["offer"]["agent_id"] for each in settled if each["offer"]) == {"a": 3, "b": 3}


async def test_two_devices_accept_at_once_and_there_is_one_accept(
    workspace: Workspace, running: RunningStack
) -> None:
    await workspace.agents("grace", "other")
    grace, other = await workspace.agent("grace"), await workspace.agent("other")
    asked = await workspace.ask(to="grace")
    await workspace.until(asked["id"], "offered")
    path = f"/v1/conversations/{asked['id']}/accept"
    mine = [grace.call("POST", path) for _ in range(4)]
    theirs = [other.call("POST", path) for _ in range(2)]
    answers = await asyncio.gather(*mine, *theirs)
    assert [each.status_code for each in answers[:4]] == [200] * 4
    assert {each.status_code for each in answers[4:]} == {409}
    events = await events_of_workspace(running.env["RONDO_KAFKA_BOOTSTRAP"], workspace.id)
    assert count_of(events, "rondo.assignment.accepted.v1") == {asked["id"]: 1}


async def test_an_offer_nobody_answers_times_out_and_frees_the_agent(root: Caller) -> None:
    workspace = await new_workspace(root, offer_timeout_s=1)
    await workspace.agents("grace", capacity=1)
    asked = await workspace.ask()
    told = await workspace.until(asked["id"], "fell_back")
    assert told["fallback"]["reason"] == "not_answered"
    again = await workspace.ask()
    assert (await workspace.settled(again["id"]))["status"] == "offered"


async def test_a_declined_chat_goes_to_the_next_agent_while_attempts_last(root: Caller) -> None:
    workspace = await new_workspace(root, offer_attempts={"round_robin": 2})
    await workspace.agents("a", "b", "c")
    asked = await workspace.ask()
    path = f"/v1/conversations/{asked['id']}"
    await workspace.until(asked["id"], "offered")
    after_first = await (await workspace.agent("a")).post(f"{path}/decline")
    assert after_first["offer"]["agent_id"] == "b"
    after_second = await (await workspace.agent("b")).post(f"{path}/decline")
    assert after_second["fallback"]["reason"] == "not_answered"


async def test_the_same_idempotency_key_fifty_times_is_one_conversation(
    workspace: Workspace, running: RunningStack
) -> None:
    await workspace.agents("a", "b")
    answers = await asyncio.gather(*(workspace.ask(key="order-66") for _ in range(50)))
    (conversation_id,) = {each["id"] for each in answers}
    assert len({each["visitor"]["id"] for each in answers}) == 1
    other: Json = {"visitor": {"first_name": "Eve"}, "route": {"type": "round_robin"}}
    headers = {"Idempotency-Key": "order-66"}
    refused = await workspace.call("POST", "/v1/conversations", other, headers=headers)
    assert refused.status_code == 422
    await workspace.settled(conversation_id)
    events = await events_of_workspace(running.env["RONDO_KAFKA_BOOTSTRAP"], workspace.id)
    assert count_of(events, "rondo.assignment.offered.v1") == {conversation_id: 1}
