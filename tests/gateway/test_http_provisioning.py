"""Workspaces, settings, API keys and agents over HTTP."""

from __future__ import annotations

import httpx

from tests.gateway.fake_world import ACME_KEY, GLOBEX_KEY, ROOT_KEY, FakeWorld, bearer, json_of

ROOT = bearer(ROOT_KEY)
ACME = bearer(ACME_KEY)
AGENT = {"name": "Alan", "email": "alan@example.com"}


async def test_a_new_workspace_opens_with_the_key_it_is_shown_with(http: httpx.AsyncClient) -> None:
    body = {"id": "initech", "name": "Initech"}
    created = await http.post("/v1/workspaces", headers=ROOT, json=body)
    shown = json_of(created, 201)
    assert shown["api_key"].startswith("rk_")
    assert created.headers["location"] == "/v1/workspaces/initech"
    own = json_of(await http.get("/v1/workspace", headers=bearer(shown["api_key"])), 200)
    assert (own["id"], own["offer_timeout_s"]) == ("initech", 100)
    again = await http.post("/v1/workspaces", headers=ROOT, json=body)
    assert json_of(again, 409)["type"] == "urn:rondo:error:workspace-exists"


async def test_workspaces_are_listed_in_pages(http: httpx.AsyncClient) -> None:
    first = json_of(await http.get("/v1/workspaces?limit=1", headers=ROOT), 200)
    assert [each["id"] for each in first["data"]] == ["acme"]
    rest = json_of(await http.get(f"/v1/workspaces?cursor={first['next_cursor']}", headers=ROOT), 200)
    assert [each["id"] for each in rest["data"]] == ["globex"]
    assert rest["next_cursor"] is None
    for query in ("limit=0", "limit=201", "limit=x", "cursor=a%20b", "cursor="):
        assert (await http.get(f"/v1/workspaces?{query}", headers=ROOT)).status_code == 422


async def test_a_deleted_workspace_is_gone_with_everything_in_it(http: httpx.AsyncClient) -> None:
    assert (await http.delete("/v1/workspaces/acme", headers=ROOT)).status_code == 204
    assert (await http.delete("/v1/workspaces/acme", headers=ROOT)).status_code == 404
    assert (await http.get("/v1/workspaces/acme", headers=ROOT)).status_code == 404
    assert (await http.get("/v1/agents", headers=ACME)).status_code == 401
    assert (await http.get("/v1/agents", headers=bearer(GLOBEX_KEY))).status_code == 200
    created = await http.post("/v1/workspaces", headers=ROOT, json={"id": "acme", "name": "Acme"})
    key = bearer(json_of(created, 201)["api_key"])
    assert json_of(await http.get("/v1/agents", headers=key), 200)["data"] == []
    assert len(json_of(await http.get("/v1/api_keys", headers=key), 200)["data"]) == 1


async def test_settings_change_by_merge_patch(http: httpx.AsyncClient) -> None:
    changed = await http.patch("/v1/workspace", headers=ACME, json={"offer_timeout_s": 2})
    assert json_of(changed, 200)["offer_timeout_s"] == 2
    assert json_of(await http.get("/v1/workspace", headers=ACME), 200)["offer_timeout_s"] == 2
    refused = await http.patch("/v1/workspace", headers=ACME, json={"offer_timeout_s": 601})
    assert json_of(refused, 422)["errors"][0]["pointer"] == "/offer_timeout_s"
    assert (await http.patch("/v1/workspace", headers=ACME, json=[])).status_code == 422
    assert (await http.patch("/v1/workspace", headers=ACME, json={"id": "globex"})).status_code == 422


async def test_an_api_key_is_shown_once_and_opens_until_it_is_deleted(http: httpx.AsyncClient) -> None:
    created = json_of(await http.post("/v1/api_keys", headers=ACME, json={"name": "widget"}), 201)
    key = bearer(created["api_key"])
    path = f"/v1/api_keys/{created['id']}"
    listed = json_of(await http.get("/v1/api_keys", headers=key), 200)["data"]
    assert {each["name"] for each in listed} == {None, "widget"}
    shown = await http.get(path, headers=key)
    assert json_of(shown, 200)["name"] == "widget"
    assert created["api_key"] not in shown.text
    assert "sha256" not in shown.text
    assert (await http.get(path, headers=bearer(GLOBEX_KEY))).status_code == 404
    assert (await http.delete(path, headers=key)).status_code == 204
    assert (await http.get("/v1/agents", headers=key)).status_code == 401


async def test_an_api_key_needs_no_body(http: httpx.AsyncClient) -> None:
    assert (await http.post("/v1/api_keys", headers=ACME)).status_code == 201


async def test_an_agent_is_new_once_and_changed_after_that(http: httpx.AsyncClient) -> None:
    created = await http.put("/v1/agents/alan", headers=ACME, json=AGENT)
    assert json_of(created, 201) == {
        "id": "alan",
        **AGENT,
        "avatar_url": None,
        "time_zone": None,
        "capacity": 10,
        "own_capacity": None,
        "profile": "live_agent",
        "live_chat": True,
        "schedule": None,
        "notifications": {"sound": True, "web_push": True, "email": True},
    }
    changed = await http.put("/v1/agents/alan", headers=ACME, json={**AGENT, "capacity": 3})
    assert json_of(changed, 200)["capacity"] == 3
    assert changed.headers["etag"] != created.headers["etag"]
    read = await http.get("/v1/agents/alan", headers=ACME)
    assert read.headers["etag"] == changed.headers["etag"]
    assert (await http.get("/v1/agents/alan", headers=bearer(GLOBEX_KEY))).status_code == 404


async def test_without_a_capacity_of_their_own_the_workspaces_applies(http: httpx.AsyncClient) -> None:
    await http.patch("/v1/workspace", headers=ACME, json={"agent_capacity": 4})
    assert json_of(await http.get("/v1/agents/grace", headers=ACME), 200)["capacity"] == 4


async def test_agents_are_listed_in_pages_and_deleted(http: httpx.AsyncClient) -> None:
    page = json_of(await http.get("/v1/agents?limit=1", headers=ACME), 200)
    assert ([each["id"] for each in page["data"]], page["next_cursor"]) == (["bob"], "bob")
    assert (await http.delete("/v1/agents/bob", headers=ACME)).status_code == 204
    assert (await http.delete("/v1/agents/bob", headers=ACME)).status_code == 404
    page = json_of(await http.get("/v1/agents", headers=ACME), 200)
    assert ([each["id"] for each in page["data"]], page["next_cursor"]) == (["grace"], None)


async def test_an_agents_token_opens_their_stream_and_names_its_end(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    issued = await http.post("/v1/agents/grace/token", headers=ACME, json={"ttl_s": 86_400})
    shown = json_of(issued, 201)
    assert world.tokens.read(shown["token"]).expires_at.isoformat() == shown["expires_at"].replace(
        "Z", "+00:00"
    )
    assert (await http.post("/v1/agents/grace/token", headers=ACME)).status_code == 201
    assert (await http.post("/v1/agents/ghost/token", headers=ACME)).status_code == 404
    for ttl_s in (0, 86_401, "60", None):
        refused = await http.post("/v1/agents/grace/token", headers=ACME, json={"ttl_s": ttl_s})
        assert json_of(refused, 422)["errors"][0]["pointer"] == "/ttl_s"


async def test_what_cannot_be_written_down_is_not_taken(http: httpx.AsyncClient, world: FakeWorld) -> None:
    world.directory.is_unreachable = True
    refusals = [
        await http.post("/v1/workspaces", headers=ROOT, json={"id": "initech", "name": "Initech"}),
        await http.put("/v1/agents/alan", headers=ACME, json=AGENT),
        await http.delete("/v1/agents/grace", headers=ACME),
        await http.patch("/v1/workspace", headers=ACME, json={"offer_timeout_s": 2}),
        await http.post("/v1/api_keys", headers=ACME),
    ]
    assert [each.status_code for each in refusals] == [503] * len(refusals)
    assert all(int(each.headers["retry-after"]) > 0 for each in refusals)
    world.directory.is_unreachable = False
    assert (await http.put("/v1/agents/alan", headers=ACME, json=AGENT)).status_code == 201
