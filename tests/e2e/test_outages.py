"""Kafka or Redis out of reach: a clear refusal that takes nothing half, and recovery by itself."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.client import Workspace, eventually
from tests.e2e.conftest import RunningStack

ASK = {"visitor": {"id": "v-1"}, "route": {"type": "round_robin"}}


@pytest.mark.parametrize("dependency", ["kafka", "valkey"])
async def test_a_request_is_refused_while_a_dependency_is_away_and_taken_afterwards(
    workspace: Workspace, running: RunningStack, dependency: str
) -> None:
    await workspace.agents("grace")
    asked = await workspace.ask()
    await workspace.settled(asked["id"])
    running.kill(dependency, signal.SIGSTOP)
    try:
        refused = await workspace.call("POST", "/v1/conversations", ASK)
    finally:
        running.kill(dependency, signal.SIGCONT)
    assert refused.status_code == 503
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) > 0

    async def taken_again() -> bool | None:
        answer = await workspace.call("POST", "/v1/conversations", ASK)
        return True if answer.status_code == 202 else None

    await eventually(taken_again, "the gateway to take requests again")
    asked = await workspace.ask()
    await workspace.settled(asked["id"])


@pytest.mark.parametrize("dependency", ["kafka", "valkey"])
async def test_a_killed_dependency_that_comes_back_is_used_again(
    workspace: Workspace, running: RunningStack, dependency: str
) -> None:
    await workspace.agents("grace")
    running.kill(dependency)
    refused = await workspace.call("POST", "/v1/conversations", ASK)
    assert refused.status_code == 503
    await running.heal()

    async def taken_again() -> bool | None:
        answer = await workspace.call("POST", "/v1/conversations", ASK)
        return True if answer.status_code == 202 else None

    await eventually(taken_again, "the gateway to take requests again")
    asked = await workspace.ask()
    assert (await workspace.settled(asked["id"]))["status"] == "offered"
