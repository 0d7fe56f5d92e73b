"""Agents, teams, rules, accounts and profiles over HTTP: what they hold, and their versions."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rondo_common.directory.entries import Kind
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.events import AgentDefined, TeamDefined
from rondo_common.ids import AgentId, RuleId, TeamId
from rondo_gateway.ports import Definition
from tests.gateway.fake_world import ACME, ACME_KEY, GLOBEX_KEY, ROOT_KEY, FakeWorld, bearer, json_of

KEY = bearer(ACME_KEY)
FROM_SWEDEN = {"attribute": "visitor.country", "operator": "is", "value": "SE"}
BODIES: dict[str, dict[str, Any]] = {
    "agents": {
        "name": "Alan",
        "email": "alan@example.com",
        "avatar_url": "https://example.com/alan.png",
        "time_zone": "Europe/Stockholm",
        "capacity": 3,
        "profile": "sales_admin",
        "live_chat": False,
        "schedule": [
            {"weekday": "mon", "from": "09:00", "to": "12:30"},
            {"weekday": "mon", "from": "22:00", "to": "02:00"},
        ],
        "notifications": {"sound": False, "web_push": True, "email": False},
    },
    "teams": {"name": "Sales", "agent_ids": ["grace", "bob"]},
    "rules": {
        "name": "Sweden",
        "priority": 1,
        "conditions": {
            "all": [FROM_SWEDEN, {"any": [{**FROM_SWEDEN, "operator": "in", "value": ["SE", 46]}]}]
        },
        "agent_ids": ["bob"],
        "enabled": False,
    },
    "accounts": {"company": "Example, Inc.", "domains": ["example.com"], "owner_id": "grace"},
    "profiles": {"name": "Lead", "permissions": ["live_chat_view_my", "admin_teams"]},
}
KINDS = sorted(BODIES)


def of_acme(world: FakeWorld) -> WorkspaceDirectory:
    found = world.directory.find(ACME)
    assert found is not None
    return found


async def put(
    http: httpx.AsyncClient, path: str, body: Any, status: int | None = None, **headers: str
) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await http.put(f"/v1/{path}", headers={**KEY, **names}, json=body)
    assert status is None or answer.status_code == status, answer.text
    return answer


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_put_is_read_listed_changed_and_deleted(http: httpx.AsyncClient, kind: str) -> None:
    own = {"own_capacity": 3} if kind == "agents" else {}
    path, shown = f"/v1/{kind}/new-one", {"id": "new-one", **BODIES[kind], **own}
    assert (await http.get(path, headers=KEY)).status_code == 404
    created = await put(http, f"{kind}/new-one", BODIES[kind], 201)
    read = await http.get(path, headers=KEY)
    assert created.json() == read.json() == shown
    assert created.headers["etag"] == read.headers["etag"]
    changed = await put(http, f"{kind}/new-one", {**BODIES[kind], _name_of(kind): "Changed"}, 200)
    assert changed.headers["etag"] != created.headers["etag"]
    listed = json_of(await http.get(f"/v1/{kind}", headers=KEY), 200)["data"]
    assert {**shown, _name_of(kind): "Changed"} in listed
    assert [each["id"] for each in listed] == sorted(each["id"] for each in listed)
    for other in (GLOBEX_KEY,):
        assert (await http.get(path, headers=bearer(other))).status_code == 404
        assert (await http.delete(path, headers=bearer(other))).status_code == 404
    assert (await http.delete(path, headers=KEY)).status_code == 204
    assert (await http.delete(path, headers=KEY)).status_code == 404
    assert (await http.get(path, headers=KEY)).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
async def test_a_write_that_knows_another_version_is_refused_and_told_what_to_do(
    http: httpx.AsyncClient, kind: str
) -> None:
    path, body = f"{kind}/one", BODIES[kind]
    refused = await put(http, path, body, 412, If_Match="*")
    assert refused.json()["type"] == "urn:rondo:error:precondition-failed"
    first = (await put(http, path, body, 201, If_None_Match="*")).headers["etag"]
    await put(http, path, body, 412, If_None_Match="*")
    second = (await put(http, path, body, 200, If_Match=first)).headers["etag"]
    refused = await put(http, path, body, 412, If_Match=first)
    assert "Read it again" in refused.json()["detail"]
    for never in ('"x"', "7", "", f"W/{second}"):
        await put(http, path, body, 412, If_Match=never)
    await put(http, path, body, 412, If_None_Match=second)
    third = (await put(http, path, body, 200, If_Match=f'"0", {second}')).headers["etag"]
    assert (await http.delete(f"/v1/{path}", headers={**KEY, "If-Match": second})).status_code == 412
    assert (await http.delete(f"/v1/{path}", headers={**KEY, "If-Match": third})).status_code == 204
    await put(http, path, body, 412, If_Match=third)


@pytest.mark.parametrize("kind", KINDS)
async def test_who_knows_the_version_is_not_told_it_again(http: httpx.AsyncClient, kind: str) -> None:
    etag = (await put(http, f"{kind}/one", BODIES[kind], 201)).headers["etag"]
    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        read = await http.get(f"/v1/{kind}/one", headers={**KEY, "If-None-Match": known})
        assert (read.status_code, read.content, read.headers["etag"]) == (304, b"", etag)
    read = await http.get(f"/v1/{kind}/one", headers={**KEY, "If-None-Match": '"0"'})
    assert read.status_code == 200


async def test_an_agent_whose_capacity_is_the_workspaces_is_told_again_when_that_changed(
    http: httpx.AsyncClient,
) -> None:
    body = {"name": "Alan", "email": "alan@example.com"}
    known = {**KEY, "If-None-Match": (await put(http, "agents/alan", body, 201)).headers["etag"]}
    assert (await http.get("/v1/agents/alan", headers=known)).status_code == 304
    await http.patch("/v1/workspace", headers=KEY, json={"agent_capacity": 2})
    assert json_of(await http.get("/v1/agents/alan", headers=known), 200)["capacity"] == 2


async def test_settings_have_a_version_too(http: httpx.AsyncClient) -> None:
    first = (await http.get("/v1/workspace", headers=KEY)).headers["etag"]
    patch, stale = {"queue": {"enabled": True}, "presence_required": True}, {**KEY, "If-Match": first}
    changed = await http.patch("/v1/workspace", headers=stale, json=patch)
    assert json_of(changed, 200)["queue"] == {"enabled": True, "max_wait_s": 300, "size_max": 100}
    assert (await http.patch("/v1/workspace", headers=stale, json=patch)).status_code == 412
    known = {**KEY, "If-None-Match": changed.headers["etag"]}
    assert (await http.get("/v1/workspace", headers=known)).status_code == 304
    assert (await http.patch("/v1/workspace", headers={**KEY, "If-Match": "*"}, json={})).status_code == 200


@pytest.mark.parametrize(
    ("path", "change", "pointer"),
    [
        ("agents/x", {"time_zone": "Mars/Olympus"}, "/time_zone"),
        ("agents/x", {"time_zone": "europe/stockholm"}, "/time_zone"),
        ("agents/x", {"profile": "ghost"}, "/profile"),
        ("agents/x", {"profile": None}, "/profile"),
        ("agents/x", {"capacity": 0}, "/capacity"),
        ("agents/x", {"email": "alan"}, "/email"),
        ("agents/x", {"schedule": [{"weekday": "mon", "from": "09:00"}]}, "/schedule/0/to"),
        (
            "agents/x",
            {"schedule": [{"weekday": "Mon", "from": "09:00", "to": "10:00"}]},
            "/schedule/0/weekday",
        ),
        (
            "agents/x",
            {"schedule": [{"weekday": "mon", "from": "24:00", "to": "10:00"}]},
            "/schedule/0/from",
        ),
        (
            "agents/x",
            {"schedule": [{"weekday": "mon", "from_": "09:00", "to": "10:00"}]},
            "/schedule/0/from_",
        ),
        ("agents/x", {"notifications": {"sound": "yes"}}, "/notifications/sound"),
        ("agents/x", {"notifications": {"fax": True}}, "/notifications/fax"),
        ("agents/x", {"place": 1}, "/place"),
        ("teams/x", {"agent_ids": ["grace", "ghost"]}, "/agent_ids/1"),
        ("teams/x", {"agent_ids": ["grace", "bob", "grace"]}, "/agent_ids/2"),
        ("teams/x", {"agent_ids": ["a b"]}, "/agent_ids/0"),
        ("teams/x", {"agent_ids": [f"a{number}" for number in range(5_001)]}, "/agent_ids"),
        ("teams/x", {"agent_ids": None}, "/agent_ids"),
        ("teams/x", {"name": ""}, "/name"),
        ("teams/x", {"places": {"grace": 1}}, "/places"),
        ("rules/x", {"agent_ids": ["ghost"]}, "/agent_ids/0"),
        ("rules/x", {"priority": 0}, "/priority"),
        ("rules/x", {"priority": "1"}, "/priority"),
        ("rules/x", {"conditions": {}}, "/conditions"),
        (
            "rules/x",
            {"conditions": {"all": [{**FROM_SWEDEN, "attribute": "x"}]}},
            "/conditions/all/0/attribute",
        ),
        ("rules/x", {"conditions": {**FROM_SWEDEN, "value": None}}, "/conditions/value"),
        ("rules/x", {"enabled": "true"}, "/enabled"),
        ("accounts/x", {"owner_id": "ghost"}, "/owner_id"),
        ("accounts/x", {"domains": ["ok.com", "@example.com"]}, "/domains/1"),
        ("accounts/x", {"domains": ["localhost"]}, "/domains/0"),
        ("accounts/x", {"domains": [f"d{number}.com" for number in range(1_001)]}, "/domains"),
        ("accounts/x", {"company": " "}, "/company"),
        ("profiles/x", {"permissions": ["everything"]}, "/permissions/0"),
        ("profiles/x", {"permissions": "admin_teams"}, "/permissions"),
    ],
)
async def test_what_cannot_be_taken_is_named(
    http: httpx.AsyncClient, path: str, change: dict[str, Any], pointer: str
) -> None:
    refused = await put(http, path, {**BODIES[path.partition("/")[0]], **change}, 422)
    assert pointer in {each["pointer"] for each in refused.json()["errors"]}
    assert (await http.get(f"/v1/{path}", headers=KEY)).status_code == 404


async def test_domains_are_kept_the_way_addresses_have_them(http: httpx.AsyncClient) -> None:
    domains = ["EXAMPLE.com", "xn--bcher-kva.example", "bücher.example", "example.com"]
    shown = (await put(http, "accounts/x", {**BODIES["accounts"], "domains": domains}, 201)).json()
    assert shown["domains"] == ["example.com", "bücher.example"]
    ask = {"route": {"type": "round_robin"}, "visitor": {"email": "ada@xn--bcher-kva.example"}}
    asked = json_of(await http.post("/v1/conversations", headers=KEY, json=ask), 202)
    assert asked["visitor"]["email"] == "ada@bücher.example"


async def test_new_agents_join_at_the_end_and_keep_their_place(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    body = {"name": "A", "email": "a@example.com"}
    for agent_id in ("c", "a", "b", "a", "c"):
        await put(http, f"agents/{agent_id}", body)
    await http.delete("/v1/agents/b", headers=KEY)
    await put(http, "agents/b", body, 201)
    agents = of_acme(world).agents
    assert [agents[AgentId(each)].entry.place for each in ("c", "a", "b")] == [1, 2, 4]


async def test_places_go_on_after_what_the_log_knows_when_the_counter_was_lost(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    body = {"name": "A", "email": "a@example.com"}
    await put(http, "agents/a", body, 201)
    await put(http, "agents/b", body, 201)
    last = of_acme(world).agents[AgentId("b")]
    # Another gateway gave a place, and this one has not read that yet.
    elsewhere = last.entry.model_copy(update={"id": "z", "place": 7})
    world.directory.unread.append((ACME, Definition(Kind.AGENT, "z", AgentDefined(agent=elsewhere))))
    world.places.forget()
    await put(http, "agents/c", body, 201)
    assert of_acme(world).agents[AgentId("c")].entry.place == 8


@pytest.mark.parametrize("kind", ["teams", "rules"])
async def test_members_keep_their_places_and_new_ones_join_at_the_end(
    http: httpx.AsyncClient, world: FakeWorld, kind: str
) -> None:
    for agent_ids in (["grace"], ["bob", "grace"], ["bob"], ["grace", "bob"]):
        await put(http, f"{kind}/x", {**BODIES[kind], "agent_ids": agent_ids})
    found = of_acme(world)
    entry = found.teams[TeamId("x")].entry if kind == "teams" else found.rules[RuleId("x")].entry
    assert entry.places == {"bob": 2, "grace": 3}
    assert entry.agent_ids == ("grace", "bob")


async def test_a_deleted_agent_is_taken_out_of_every_team_and_rule_in_one_write(
    http: httpx.AsyncClient, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(http, "teams/both", BODIES["teams"], 201)
    await put(http, "teams/bobs", {**BODIES["teams"], "agent_ids": ["bob"]}, 201)
    await put(http, "rules/both", {**BODIES["rules"], "agent_ids": ["bob", "grace"]}, 201)
    await put(http, "accounts/hers", BODIES["accounts"], 201)
    writes: list[list[tuple[Kind, str, bool]]] = []
    write = world.directory.write

    async def noted(workspace_id: Any, definitions: Any) -> list[int]:
        writes.append([(each.kind, each.entry_id, each.event is None) for each in definitions])
        return await write(workspace_id, definitions)

    monkeypatch.setattr(world.directory, "write", noted)
    assert (await http.delete("/v1/agents/grace", headers=KEY)).status_code == 204
    assert writes == [
        [
            (Kind.TEAM, "both", False),
            (Kind.RULE, "both", False),
            (Kind.TOGGLE, "grace", True),
            (Kind.AGENT, "grace", True),
        ]
    ]
    assert json_of(await http.get("/v1/teams/both", headers=KEY), 200)["agent_ids"] == ["bob"]
    assert json_of(await http.get("/v1/rules/both", headers=KEY), 200)["agent_ids"] == ["bob"]
    assert of_acme(world).teams[TeamId("both")].entry.places == {"bob": 2}
    assert json_of(await http.get("/v1/accounts/hers", headers=KEY), 200)["owner_id"] == "grace"


async def test_the_default_profiles_are_there_until_defined_and_after_that_again(
    http: httpx.AsyncClient,
) -> None:
    listed = json_of(await http.get("/v1/profiles", headers=KEY), 200)["data"]
    defaults = ["calendar_agent", "live_agent", "marketing_admin", "marketing_user", "sales_admin"]
    assert [each["id"] for each in listed] == defaults
    original = await http.get("/v1/profiles/live_agent", headers=KEY)
    assert original.json()["permissions"] == ["live_chat_view_my", "own_availability"]
    assert json_of(await http.delete("/v1/profiles/live_agent", headers=KEY), 409)["type"].endswith(
        "default-profile"
    )
    await put(http, "profiles/live_agent", BODIES["profiles"], 412, If_None_Match="*")
    await put(http, "profiles/live_agent", BODIES["profiles"], 200, If_Match=original.headers["etag"])
    listed = json_of(await http.get("/v1/profiles", headers=KEY), 200)["data"]
    assert [each["id"] for each in listed] == defaults
    assert listed[1]["name"] == "Lead"
    # Grace and Bob have it, and will have the default one again.
    assert (await http.delete("/v1/profiles/live_agent", headers=KEY)).status_code == 204
    assert (await http.get("/v1/profiles/live_agent", headers=KEY)).json() == original.json()


async def test_a_profile_that_agents_have_is_not_deleted(http: httpx.AsyncClient) -> None:
    await put(http, "profiles/lead", BODIES["profiles"], 201)
    await put(http, "agents/alan", {**BODIES["agents"], "profile": "lead"}, 201)
    refused = json_of(await http.delete("/v1/profiles/lead", headers=KEY), 409)
    assert refused["type"] == "urn:rondo:error:profile-in-use"
    assert "alan" in refused["detail"]
    await put(http, "agents/alan", BODIES["agents"], 200)
    assert (await http.delete("/v1/profiles/lead", headers=KEY)).status_code == 204


async def test_a_deleted_workspace_leaves_nothing_of_any_kind(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    for kind in KINDS:
        await put(http, f"{kind}/one", BODIES[kind], 201)
    csv = "company,domain,owner\n" + "".join(f"C{number},c{number}.com,bob\n" for number in range(1_200))
    answer = await http.post(
        "/v1/accounts/import", headers={**KEY, "Content-Type": "text/csv"}, content=csv
    )
    assert json_of(answer, 200)["imported"] == 1_200
    await http.delete("/v1/workspaces/acme", headers=bearer(ROOT_KEY))
    created = await http.post(
        "/v1/workspaces", headers=bearer(ROOT_KEY), json={"id": "acme", "name": "Acme"}
    )
    key = bearer(json_of(created, 201)["api_key"])
    for kind in set(KINDS) - {"profiles"}:
        assert json_of(await http.get(f"/v1/{kind}", headers=key), 200)["data"] == []
    assert (await http.get("/v1/profiles/one", headers=key)).status_code == 404
    assert of_acme(world).toggles == {}


async def test_what_another_gateway_made_just_now_is_looked_for(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await put(http, "teams/new", BODIES["teams"], 201)
    team = of_acme(world).teams[TeamId("new")].entry
    await http.delete("/v1/teams/new", headers=KEY)
    world.directory.unread.append((ACME, Definition(Kind.TEAM, "new", TeamDefined(team=team))))
    assert (await http.get("/v1/teams/new", headers=KEY)).status_code == 200
    ask = {"route": {"type": "team", "team_id": "new"}}
    assert (await http.post("/v1/conversations", headers=KEY, json=ask)).status_code == 202


@pytest.mark.parametrize("kind", KINDS)
async def test_what_cannot_be_written_down_is_not_taken(
    http: httpx.AsyncClient, world: FakeWorld, kind: str
) -> None:
    world.directory.is_unreachable = True
    await put(http, f"{kind}/one", BODIES[kind], 503)
    assert (await http.delete(f"/v1/{kind}/one", headers=KEY)).status_code == 503
    world.directory.is_unreachable = False
    await put(http, f"{kind}/one", BODIES[kind], 201)


def _name_of(kind: str) -> str:
    return "company" if kind == "accounts" else "name"
