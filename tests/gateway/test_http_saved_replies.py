"""Saved replies over HTTP; what every kind has in common is in test_http_directory.py."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.gateway.fake_world import ACME_KEY, GLOBEX_KEY, GRACE, ROOT_KEY, FakeWorld, bearer, json_of

KEY = bearer(ACME_KEY)
HELLO: dict[str, Any] = {"shortcut": "hello", "title": "Say hello", "text": "Hej! 👋\nHow can I help?"}
PATH = "/v1/saved_replies/hello"


async def test_a_saved_reply_is_kept_as_given_until_it_is_deleted(http: httpx.AsyncClient) -> None:
    assert json_of(await http.put(PATH, headers=KEY, json=HELLO), 201) == {"id": "hello", **HELLO}
    changed = await http.put(PATH, headers=KEY, json={**HELLO, "text": "Hello!"})
    assert json_of(changed, 200)["text"] == "Hello!"
    assert json_of(await http.get(PATH, headers=KEY), 200)["text"] == "Hello!"
    assert (await http.get(PATH, headers=bearer(GLOBEX_KEY))).status_code == 404
    assert (await http.delete(PATH, headers=KEY)).status_code == 204
    assert (await http.get(PATH, headers=KEY)).status_code == 404


async def test_they_go_with_their_workspace(http: httpx.AsyncClient) -> None:
    root, workspace = bearer(ROOT_KEY), {"id": "initech", "name": "Initech"}
    for path, body in {PATH: HELLO, "/v1/webhooks/crm": {"url": "https://crm.example.com/"}}.items():
        key = bearer(
            json_of(await http.post("/v1/workspaces", headers=root, json=workspace), 201)["api_key"]
        )
        assert (await http.put(path, headers=key, json=body)).status_code == 201
        assert (await http.delete("/v1/workspaces/initech", headers=root)).status_code == 204
    key = bearer(json_of(await http.post("/v1/workspaces", headers=root, json=workspace), 201)["api_key"])
    for path in (PATH, "/v1/webhooks/crm"):
        assert (await http.get(path, headers=key)).status_code == 404


async def test_every_agent_who_chats_reads_them_and_changes_none(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    grace = bearer(world.agent_token(GRACE))
    await http.put(PATH, headers=KEY, json=HELLO)
    listed = json_of(await http.get("/v1/saved_replies", headers=grace), 200)
    assert [each["shortcut"] for each in listed["data"]] == ["hello"]
    assert (await http.put(PATH, headers=grace, json=HELLO)).status_code == 403
    assert (await http.delete(PATH, headers=grace)).status_code == 403


async def test_a_shortcut_stands_for_one_reply(http: httpx.AsyncClient) -> None:
    await http.put(PATH, headers=KEY, json=HELLO)
    again = await http.put("/v1/saved_replies/other", headers=KEY, json={**HELLO, "shortcut": "HELLO"})
    assert json_of(again, 422)["errors"][0]["pointer"] == "/shortcut"
    assert (await http.put(PATH, headers=KEY, json={**HELLO, "shortcut": "Hello"})).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"shortcut": ""},
        {"shortcut": "two words"},
        {"shortcut": "/hello"},
        {"shortcut": "x" * 33},
        {"title": " "},
        {"text": ""},
        {"text": "x" * 4_001},
        {"text": "a\x00b"},
        {"surprise": 1},
    ],
)
async def test_what_cannot_be_typed_or_sent_is_refused(
    http: httpx.AsyncClient, changes: dict[str, Any]
) -> None:
    refused = await http.put(PATH, headers=KEY, json={**HELLO, **changes})
    assert json_of(refused, 422)["errors"][0]["pointer"] == f"/{next(iter(changes))}"


async def test_an_agent_who_may_hand_over_reads_teams_and_changes_none(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    grace, sales = bearer(world.agent_token(GRACE)), {"name": "Sales", "agent_ids": [GRACE]}
    await http.put("/v1/teams/sales", headers=KEY, json=sales)
    listed = json_of(await http.get("/v1/teams", headers=grace), 200)["data"]
    assert listed == [{"id": "sales", **sales}]
    assert (await http.put("/v1/teams/sales", headers=grace, json=sales)).status_code == 403
