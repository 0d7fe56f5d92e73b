"""Live streams: a snapshot first, then everything, and after a break exactly what was missed."""

from __future__ import annotations

import json

from tests.e2e.client import Caller, Heard, Workspace

MESSAGES = 30


async def _say(caller: Caller, conversation_id: str, texts: range) -> None:
    for number in texts:
        message = {"client_message_id": f"m-{number}", "text": f"message {number}"}
        await caller.post(f"/v1/conversations/{conversation_id}/messages", message)


def _texts(heard: list[Heard]) -> list[str]:
    return [each.data["text"] for each in heard if each.type == "message.posted"]


async def test_a_stream_resumes_after_its_last_event_without_gap_or_repeat(
    workspace: Workspace,
) -> None:
    await workspace.agents("grace")
    asked, grace, ada = await workspace.connected("grace")
    path = f"/v1/conversations/{asked['id']}/stream"
    async with ada.stream(path) as events:
        first = await events.next()
        assert first.type == "snapshot"
        assert first.data["conversation"]["status"] == "active"
        await _say(grace, asked["id"], range(MESSAGES))
        while first.type != "message.posted":
            first = await events.next()
        heard = [first, *await events.take(4)]
    async with ada.stream(path, last_event_id=heard[-1].cursor) as events:
        heard += await events.take(MESSAGES - 5)
    assert _texts(heard) == [f"message {number}" for number in range(MESSAGES)]
    assert len({each.cursor for each in heard}) == MESSAGES


async def test_both_sides_and_every_tab_see_the_same_messages_in_the_same_order(
    workspace: Workspace,
) -> None:
    await workspace.agents("grace")
    asked, grace, ada = await workspace.connected("grace")
    path = f"/v1/conversations/{asked['id']}/stream"
    async with (
        ada.stream(path) as visitor,
        grace.stream("/v1/agents/me/stream") as one,
        grace.stream("/v1/agents/grace/stream") as two,
    ):
        for stream in (visitor, one, two):
            assert (await stream.next()).type == "snapshot"
        await _say(ada, asked["id"], range(3))
        await _say(grace, asked["id"], range(3, 6))
        sides = []
        for stream in (visitor, one, two):
            heard: list[Heard] = []
            while len(_texts(heard)) < 6:
                heard.append(await stream.next())
            sides.append(_texts(heard))
    assert sides[0] == sides[1] == sides[2] == [f"message {number}" for number in range(6)]


async def test_a_visitor_never_hears_of_the_agent_before_acceptance(workspace: Workspace) -> None:
    await workspace.agents("grace")
    asked = await workspace.ask()
    ada = workspace.bearer(asked["visitor_token"])
    path = f"/v1/conversations/{asked['id']}"
    async with ada.stream(f"{path}/stream") as events:
        before = [await events.next()]
        if before[0].data["conversation"]["status"] == "requested":
            before.append(await events.until("assignment.offered"))
        assert "grace" not in json.dumps([each.event for each in before]).lower()
        await (await workspace.agent("grace")).post(f"{path}/accept")
        accepted = await events.until("assignment.accepted")
    assert accepted.data["agent"]["name"] == "Grace"


async def test_a_cursor_from_nowhere_gets_a_snapshot_that_says_so(workspace: Workspace) -> None:
    await workspace.agents("grace")
    grace = await workspace.agent("grace")
    async with grace.stream("/v1/agents/me/stream", last_event_id="1000-0") as events:
        first = await events.next()
    assert first.type == "snapshot"
    assert first.data["resumed"] is False


async def test_a_snapshot_has_the_talk_so_far(workspace: Workspace) -> None:
    await workspace.agents("grace")
    asked, grace, ada = await workspace.connected("grace")
    await _say(ada, asked["id"], range(2))
    async with grace.stream("/v1/agents/me/stream") as events:
        snapshot = (await events.next()).data
    assert [each["id"] for each in snapshot["active_conversations"]] == [asked["id"]]
