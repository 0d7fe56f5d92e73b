"""Who is there, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx

from rondo_common.ids import ConversationId
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    BOB,
    GLOBEX_KEY,
    GRACE,
    FakeWorld,
    active,
    bearer,
    json_of,
    offered,
)

KEY = bearer(ACME_KEY)


async def roster(http: httpx.AsyncClient, caller: dict[str, str] = KEY) -> dict[str, dict[str, Any]]:
    shown = json_of(await http.get("/v1/roster", headers=caller), 200)
    return {each["id"]: each for each in shown["data"]}


async def test_a_colleague_is_told_with_all_that_a_transfer_depends_on(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await http.put("/v1/teams/sales", headers=KEY, json={"name": "Sales", "agent_ids": [BOB]})
    await http.put("/v1/teams/care", headers=KEY, json={"name": "Care", "agent_ids": [GRACE, BOB]})
    await world.conversations.show(ACME, active(BOB))
    await world.conversations.show(ACME, offered(BOB, ConversationId("cnv_2")))
    colleagues = await roster(http, bearer(world.agent_token(GRACE)))
    assert list(colleagues) == ["bob", "grace"]
    assert colleagues["bob"] == {
        "id": "bob",
        "name": "Bob",
        "avatar_url": None,
        "available": True,
        "present": True,
        "load": 2,
        "capacity": 10,
        "teams": ["care", "sales"],
    }
    assert colleagues["grace"]["load"] == 0


async def test_the_roster_follows_availability_presence_and_capacity(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    body = {"name": "Alan", "email": "alan@example.com", "capacity": 3, "schedule": []}
    await http.put("/v1/agents/alan", headers=KEY, json=body)
    alan = (await roster(http))["alan"]
    assert (alan["available"], alan["present"], alan["capacity"]) == (False, False, 3)
    await http.put("/v1/agents/alan/availability", headers=KEY, json={"available": True})
    await world.presence.renew(ACME, alan["id"], world.now, world.presence_lease_s)
    alan = (await roster(http))["alan"]
    assert (alan["available"], alan["present"]) == (True, True)


async def test_who_answers_no_chats_is_not_on_the_roster(http: httpx.AsyncClient) -> None:
    body = {"name": "Alan", "email": "alan@example.com", "live_chat": False}
    await http.put("/v1/agents/alan", headers=KEY, json=body)
    await http.put(
        "/v1/agents/mary", headers=KEY, json={**body, "live_chat": True, "profile": "calendar_agent"}
    )
    assert set(await roster(http)) == {GRACE, BOB}
    assert set(await roster(http, bearer(GLOBEX_KEY))) == {GRACE, BOB}


async def test_while_loads_cannot_be_read_nobody_is_said_to_be_idle(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    world.conversations.is_unreachable = True
    assert (await http.get("/v1/roster", headers=KEY)).status_code == 503


async def test_a_visitor_is_told_of_nobody(http: httpx.AsyncClient, world: FakeWorld) -> None:
    answer = await http.get("/v1/roster", headers=bearer(world.visitor_token()))
    assert answer.status_code == 403
