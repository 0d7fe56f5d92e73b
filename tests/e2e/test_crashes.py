"""Processes die in the middle of everything; nothing is lost and nothing happens twice."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx
import pytest

from tests.e2e.client import Caller, Json, Workspace, at_most, new_workspace
from tests.e2e.conftest import RunningStack
from tests.e2e.topics import count_of, events_of_workspace

CHATS = 120
AGENTS = 4
VICTIM_AFTER = 30
ATTEMPTS_MAX = 60
RETRY_S = 0.25


async def _persistently(workspace: Workspace, method: str, path: str, body: object, key: str = "") -> Json:
    """Call as an integrator should: repeat what was not answered, under the same key."""
    headers = {"Idempotency-Key": key} if key else {}
    for _ in range(ATTEMPTS_MAX):
        try:
            answer = await workspace.call(method, path, body, headers=headers)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code < 500:
            assert answer.is_success, answer.text
            result: Json = answer.json() if answer.content else {}
            return result
        await asyncio.sleep(RETRY_S)
    raise AssertionError(f"{method} {path} was never answered")


@pytest.mark.usefixtures("dead_gateways")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("victim", ["router", "notifier", "history", "gateway"])
async def test_killed_in_the_middle_nothing_is_lost_and_nothing_is_twice(
    root: Caller, running: RunningStack, victim: str
) -> None:
    workspace = await new_workspace(root)
    names = [f"agent-{number}" for number in range(AGENTS)]
    await workspace.agents(*names, capacity=1000)
    tokens = {name: await workspace.agent(name) for name in names}
    started = asyncio.Event()
    done = 0

    async def whole_chat(number: int) -> str:
        nonlocal done
        body = {"visitor": {"id": f"v-{number}"}, "route": {"type": "round_robin"}}
        key = f"chat-{number}"
        asked = await _persistently(workspace, "POST", "/v1/conversations", body, key)
        path = f"/v1/conversations/{asked['id']}"
        offered = await _until_offered(workspace, path)
        agent = Workspace(workspace.http, tokens[offered].headers, workspace.id)
        await _persistently(agent, "POST", f"{path}/accept", None)
        await _until_status(workspace, path, "active")
        message = {"client_message_id": "m", "text": f"hello {number}"}
        await _persistently(agent, "POST", f"{path}/messages", message)
        await _persistently(workspace, "POST", f"{path}/end", None)
        done += 1
        if done >= VICTIM_AFTER:
            started.set()
        return str(asked["id"])

    async def strike() -> None:
        await started.wait()
        running.kill(victim)
        await running.heal()

    *ids, _ = await asyncio.gather(at_most(16, [whole_chat(n) for n in range(CHATS)]), strike())
    conversation_ids = set(ids[0])
    assert len(conversation_ids) == CHATS
    for conversation_id in conversation_ids:
        transcript = await workspace.transcript(conversation_id, messages=1)
        kinds = Counter(line["event"] or line["type"] for line in transcript["lines"])
        assert kinds["message"] == 1
        assert kinds["conversation.ended"] == 1
    events = await events_of_workspace(running.env["RONDO_KAFKA_BOOTSTRAP"], workspace.id)
    once = dict.fromkeys(conversation_ids, 1)
    for kind in ("assignment.offered", "assignment.accepted", "message.posted", "conversation.ended"):
        assert count_of(events, f"rondo.{kind}.v1") == once, kind


async def _until_offered(workspace: Workspace, path: str) -> str:
    conversation = await _until_status(workspace, path, "offered")
    return str(conversation["offer"]["agent_id"])


async def _until_status(workspace: Workspace, path: str, status: str) -> Json:
    for _ in range(ATTEMPTS_MAX * 20):
        conversation = await _persistently(workspace, "GET", path, None)
        if conversation["status"] == status:
            return conversation
        await asyncio.sleep(RETRY_S / 10)
    raise AssertionError(f"{path} never became {status}")
