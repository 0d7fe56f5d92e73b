"""What waits for an agent, and how they want to be told of it, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rondo_common.ids import ConversationId
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    BOB,
    CNV,
    GRACE,
    FakeWorld,
    active,
    bearer,
    json_of,
    offered,
    transferring,
)

KEY = bearer(ACME_KEY)
NOTIFICATIONS = "/v1/agents/me/notifications"
UNREAD = "/v1/agents/me/unread"


async def say(http: httpx.AsyncClient, credential: str, text: str) -> str:
    body = {"client_message_id": text, "text": text}
    path = f"/v1/conversations/{CNV}/messages"
    return str(json_of(await http.post(path, headers=bearer(credential), json=body), 201)["id"])


async def test_what_a_visitor_wrote_is_unread_until_the_agent_says_otherwise(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    grace = bearer(world.agent_token())
    await world.conversations.show(ACME, active())
    await world.conversations.show(ACME, offered(GRACE, ConversationId("cnv_2")))
    assert json_of(await http.get(UNREAD, headers=grace), 200) == {
        "data": [{"conversation_id": CNV, "unread": 0}]
    }
    await say(http, world.visitor_token(), "Hello?")
    last = await say(http, world.visitor_token(), "Anybody?")
    await say(http, world.agent_token(), "Yes!")
    assert json_of(await http.get(UNREAD, headers=grace), 200)["data"][0]["unread"] == 2
    await http.post(f"/v1/conversations/{CNV}/read", headers=grace, json={"message_id": last})
    by_key = await http.get("/v1/agents/grace/unread", headers=KEY)
    assert json_of(by_key, 200)["data"] == [{"conversation_id": CNV, "unread": 0}]


async def test_only_the_agents_own_desk_is_counted(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await world.conversations.show(ACME, transferring(BOB))
    bob = bearer(world.agent_token(BOB))
    assert json_of(await http.get(UNREAD, headers=bob), 200)["data"] == []
    assert (await http.get("/v1/agents/grace/unread", headers=bob)).status_code == 403
    assert (await http.get("/v1/agents/ghost/unread", headers=KEY)).status_code == 404
    assert (await http.get(UNREAD, headers=bearer(world.visitor_token()))).status_code == 403


async def test_an_agent_chooses_how_to_be_told(http: httpx.AsyncClient, world: FakeWorld) -> None:
    grace = bearer(world.agent_token())
    before = json_of(await http.get("/v1/agents/grace", headers=KEY), 200)
    assert before["notifications"] == {"sound": True, "web_push": True, "email": True}
    muted = {"sound": False, "web_push": True, "email": True}
    changed = await http.patch(NOTIFICATIONS, headers=grace, json={"sound": False})
    assert json_of(changed, 200) == muted
    assert json_of(await http.get(NOTIFICATIONS, headers=grace), 200) == muted
    after = json_of(await http.get("/v1/agents/grace", headers=KEY), 200)
    assert after == {**before, "notifications": muted}
    unchanged = await http.patch(NOTIFICATIONS, headers=grace, json={"sound": False})
    assert json_of(unchanged, 200) == json_of(await http.patch(NOTIFICATIONS, headers=grace, json={}), 200)


@pytest.mark.parametrize("patch", [{"sound": None}, {"sound": "off"}, {"phone": True}, []])
async def test_what_is_no_preference_is_refused(
    http: httpx.AsyncClient, world: FakeWorld, patch: Any
) -> None:
    grace = bearer(world.agent_token())
    assert (await http.patch(NOTIFICATIONS, headers=grace, json=patch)).status_code == 422


async def test_nobody_chooses_for_another(http: httpx.AsyncClient, world: FakeWorld) -> None:
    bob, path = bearer(world.agent_token(BOB)), "/v1/agents/grace/notifications"
    assert (await http.patch(path, headers=bob, json={"sound": False})).status_code == 403
    assert (await http.get(path, headers=bob)).status_code == 403
    assert json_of(await http.patch(path, headers=KEY, json={"email": False}), 200)["email"] is False
    missing = await http.patch("/v1/agents/ghost/notifications", headers=KEY, json={})
    assert missing.status_code == 404
