"""Nothing crosses from one workspace to another, and every caller has just their own rights."""

from __future__ import annotations

import pytest

from tests.e2e.client import Caller, Workspace, new_workspace

MESSAGE = {"client_message_id": "1", "text": "hello"}


async def test_another_workspace_sees_and_changes_nothing(root: Caller) -> None:
    ours, theirs = await new_workspace(root), await new_workspace(root)
    await ours.agents("grace")
    await theirs.agents("grace")
    asked, _, ada = await ours.connected("grace")
    path = f"/v1/conversations/{asked['id']}"
    for stranger in (theirs, await theirs.agent("grace")):
        for method, what in [
            ("GET", ""), ("GET", "/messages"), ("GET", "/transcript"), ("GET", "/stream"),
            ("POST", "/end"), ("POST", "/messages"),
        ]:  # fmt: skip
            body = MESSAGE if (method, what) == ("POST", "/messages") else None
            answer = await stranger.call(method, path + what, body)
            assert answer.status_code == 404, (method, what, answer.text)
    assert (await ada.get(path))["status"] == "active"


async def test_a_visitor_sees_their_own_conversation_only(workspace: Workspace) -> None:
    await workspace.agents("grace")
    mine, other = await workspace.ask(), await workspace.ask()
    ada = workspace.bearer(mine["visitor_token"])
    assert (await ada.get(f"/v1/conversations/{mine['id']}"))["id"] == mine["id"]
    peek = await ada.call("GET", f"/v1/conversations/{other['id']}")
    assert peek.status_code == 404
    assert (await ada.call("GET", "/v1/agents")).status_code == 403


@pytest.mark.parametrize("credential", ["", "Bearer nonsense", "Bearer rk_nonsense", "Basic Zm9v"])
async def test_without_a_good_credential_nothing_is_answered(root: Caller, credential: str) -> None:
    answer = await Caller(root.http, {"Authorization": credential}).call("GET", "/v1/workspace")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_deleted_workspace_is_gone(root: Caller) -> None:
    workspace = await new_workspace(root)
    await workspace.agents("grace")
    grace = await workspace.agent("grace")
    gone = await root.call("DELETE", f"/v1/workspaces/{workspace.id}")
    assert gone.status_code == 204
    assert (await workspace.call("GET", "/v1/workspace")).status_code == 401
    assert (await grace.call("GET", "/v1/agents/grace")).status_code == 401
