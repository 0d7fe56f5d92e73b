"""Why an agent was rung, and why nobody: asked right after it happened."""

from __future__ import annotations

from tests.e2e.client import Workspace


async def test_every_attempt_is_told_at_once_with_its_outcome_and_why(workspace: Workspace) -> None:
    await workspace.call("PATCH", "/v1/workspace", {"offer_attempts": {"round_robin": 2}})
    await workspace.agents("alan", "grace")
    asked = await workspace.ask()
    first = (await workspace.until(asked["id"], "offered"))["offer"]["agent_id"]
    second = ({"alan", "grace"} - {first}).pop()
    path = f"/v1/conversations/{asked['id']}"
    await (await workspace.agent(first)).post(f"{path}/decline")
    winner = await workspace.agent(second)
    await winner.post(f"{path}/accept")
    for caller in (workspace, winner):
        told = await caller.get(f"{path}/assignments")
        assert [each["agent"]["id"] for each in told["data"]] == [first, second]
        assert [each["outcome"] for each in told["data"]] == ["declined", "accepted"]
        assert [each["why"]["pool"] for each in told["data"]] == ["all", "all"]
        assert all(each["outcome_at"] >= each["offered_at"] for each in told["data"])
        assert (told["queued"], told["fell_back"]) == ([], None)
    ada = workspace.bearer(asked["visitor_token"])
    for caller in (ada, await workspace.agent(first)):
        assert (await caller.call("GET", f"{path}/assignments")).status_code == 403


async def test_why_nobody_was_rung_is_told(workspace: Workspace) -> None:
    asked = await workspace.ask()
    await workspace.until(asked["id"], "fell_back")
    told = await workspace.get(f"/v1/conversations/{asked['id']}/assignments")
    assert told["data"] == []
    assert told["fell_back"]["fallback"]["reason"] == "nobody_available"
    assert told["fell_back"]["why"]["stage"]
