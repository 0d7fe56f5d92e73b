"""What agents of every profile may do: the tokens of each profile at every endpoint."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rondo_common.directory.entries import AgentEntry, Kind, ProfileEntry, WorkspaceSettings
from rondo_common.events import AgentDefined, ConnectAgent, ProfileDefined
from rondo_common.ids import AgentId, ProfileId
from rondo_common.permissions import DEFAULT_PROFILES, Permission
from rondo_gateway.domain.roster import ROSTER_READERS
from rondo_gateway.domain.transcript import Transcript
from rondo_gateway.domain.workspace_settings import SETTING_PERMISSIONS
from rondo_gateway.entrypoints.app import openapi_document
from rondo_gateway.ports import Definition
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    BOB,
    CNV,
    GLOBEX_KEY,
    GRACE,
    NOON,
    FakeWorld,
    active,
    bearer,
    client_of,
    json_of,
)

SUBSCRIPTION = {
    "endpoint": "https://push.example.com/send/1",
    "keys": {"p256dh": "B" + "A" * 86, "auth": "A" * 22},
}
CALLER = AgentId("caller")
EVERY_AGENT = frozenset(Permission)
"""Whatever their profile: what is asked about is their own."""
NO_AGENT: frozenset[Permission] = frozenset()
SETTINGS = frozenset(each for each in Permission if each.value.startswith("admin_"))
ONE_OF: dict[str, frozenset[Permission]] = {
    "POST /v1/conversations": NO_AGENT,
    "GET /v1/conversations": EVERY_AGENT,
    "GET /v1/conversations/{conversation_id}": EVERY_AGENT,
    "POST /v1/conversations/{conversation_id}/transcript/email": EVERY_AGENT,
    "POST /v1/conversations/{conversation_id}/rating": NO_AGENT,
    "GET /v1/reports/live_chat": frozenset({Permission.ANALYTICS_VIEW}),
    "DELETE /v1/visitors/{visitor_id}": frozenset({Permission.ADMIN_SECURITY}),
    "POST /v1/conversations/{conversation_id}/accept": EVERY_AGENT,
    "POST /v1/conversations/{conversation_id}/decline": EVERY_AGENT,
    "POST /v1/conversations/{conversation_id}/take": frozenset({Permission.LIVE_CHAT_VIEW_ALL}),
    "POST /v1/conversations/{conversation_id}/withdraw": NO_AGENT,
    "POST /v1/conversations/{conversation_id}/transfer": EVERY_AGENT,
    "POST /v1/conversations/{conversation_id}/end": EVERY_AGENT,
    "GET /v1/conversations/{conversation_id}/assignments": EVERY_AGENT,
    "POST /v1/route_plans": frozenset({Permission.ADMIN_CUSTOM_RULES, Permission.ADMIN_ROUND_ROBIN}),
    "POST /v1/conversations/{conversation_id}/messages": EVERY_AGENT,
    "GET /v1/conversations/{conversation_id}/messages": EVERY_AGENT,
    "GET /v1/conversations/{conversation_id}/transcript": EVERY_AGENT,
    "POST /v1/conversations/{conversation_id}/typing": EVERY_AGENT,
    "POST /v1/conversations/{conversation_id}/read": EVERY_AGENT,
    "POST /v1/workspace/identity_secret": frozenset({Permission.ADMIN_SECURITY}),
    "GET /v1/conversations/{conversation_id}/stream": EVERY_AGENT,
    "GET /v1/agents/{agent_id}/stream": EVERY_AGENT,
    "POST /v1/agents/{agent_id}/token": NO_AGENT,
    "GET /v1/agents/{agent_id}/unread": EVERY_AGENT,
    "GET /v1/agents/{agent_id}/notifications": EVERY_AGENT,
    "PATCH /v1/agents/{agent_id}/notifications": EVERY_AGENT,
    "POST /v1/agents/{agent_id}/sign_in_links": frozenset({Permission.ADMIN_AGENTS}),
    "DELETE /v1/sessions": EVERY_AGENT,
    "GET /v1/agents/{agent_id}/availability": frozenset(
        {Permission.OWN_AVAILABILITY, Permission.ADMIN_AGENTS}
    ),
    "PUT /v1/agents/{agent_id}/availability": frozenset(
        {Permission.OWN_AVAILABILITY, Permission.ADMIN_AGENTS}
    ),
    "GET /v1/roster": frozenset(ROSTER_READERS),
    "GET /v1/agents/{agent_id}/alerts": EVERY_AGENT,
    "POST /v1/agents/{agent_id}/alerts/{alert_id}/acknowledge": EVERY_AGENT,
    "GET /v1/push_key": EVERY_AGENT,
    "POST /v1/agents/{agent_id}/push_subscriptions": EVERY_AGENT,
    "DELETE /v1/agents/{agent_id}/push_subscriptions/{subscription_id}": EVERY_AGENT,
    "GET /v1/rules/lint": frozenset({Permission.ADMIN_CUSTOM_RULES}),
    "POST /v1/rules/order": frozenset({Permission.ADMIN_CUSTOM_RULES}),
    "GET /v1/metrics/live": frozenset({Permission.ANALYTICS_VIEW}),
    "GET /v1/metrics/live/stream": frozenset({Permission.ANALYTICS_VIEW}),
    "POST /v1/workspaces": NO_AGENT,
    "GET /v1/workspaces": NO_AGENT,
    "GET /v1/workspaces/{workspace_id}": NO_AGENT,
    "DELETE /v1/workspaces/{workspace_id}": NO_AGENT,
    "GET /v1/workspace": SETTINGS,
    "PATCH /v1/workspace": SETTINGS,
    "POST /v1/accounts/import": frozenset({Permission.ADMIN_ACCOUNTS}),
    **{
        f"{each} /v1/webhooks/{{webhook_id}}/{what}": frozenset({Permission.ADMIN_INTEGRATIONS})
        for each, what in (
            ("GET", "deliveries"),
            ("POST", "test"),
            ("POST", "replay"),
            ("POST", "rotate_secret"),
        )
    },
    "POST /v1/api_keys": frozenset({Permission.ADMIN_SECURITY}),
    "GET /v1/api_keys": frozenset({Permission.ADMIN_SECURITY}),
    "GET /v1/api_keys/{key_id}": frozenset({Permission.ADMIN_SECURITY}),
    "DELETE /v1/api_keys/{key_id}": frozenset({Permission.ADMIN_SECURITY}),
    **{
        f"{method} /v1/{kind}{path}": frozenset({permission})
        for kind, permission in {
            "agents": Permission.ADMIN_AGENTS,
            "teams": Permission.ADMIN_TEAMS,
            "rules": Permission.ADMIN_CUSTOM_RULES,
            "accounts": Permission.ADMIN_ACCOUNTS,
            "profiles": Permission.ADMIN_SECURITY,
            "saved_replies": Permission.ADMIN_AGENTS,
            "webhooks": Permission.ADMIN_INTEGRATIONS,
        }.items()
        for method, path in (("PUT", "/{id}"), ("GET", "/{id}"), ("DELETE", "/{id}"), ("GET", ""))
    },
    **{
        f"GET /v1/{kind}{path}": frozenset(readers)
        for kind, readers in {
            "teams": {Permission.ADMIN_TEAMS, Permission.LIVE_CHAT_VIEW_MY},
            "saved_replies": {
                Permission.ADMIN_AGENTS,
                Permission.LIVE_CHAT_VIEW_MY,
                Permission.LIVE_CHAT_VIEW_ALL,
            },
        }.items()
        for path in ("/{id}", "")
    },
}
"""Which permissions open each endpoint to an agent, one of them being enough."""
WITHOUT_CALLER = {"POST /v1/visitor_sessions", "POST /v1/visitor_sessions/refresh"}
"""Whoever calls these is only found out there. See test_http_visitor_sessions.py."""
SIGNING_IN = {
    "GET /v1/sign_in_methods",
    "POST /v1/sessions",
    "GET /v1/session",
    "DELETE /v1/session",
    "GET /v1/oidc/start",
    "GET /v1/oidc/callback",
}
"""Open to everybody, or to whoever has a session. See test_http_sign_in.py and test_oidc_sign_in.py."""
OVER_SOCKETS = {"GET /v1/conversations/{conversation_id}/socket", "GET /v1/agents/{agent_id}/socket"}
"""Open to whom their streams are. See test_sockets.py."""

PROFILES: dict[str, frozenset[Permission]] = {
    **{each: permissions for each, (_, permissions) in DEFAULT_PROFILES.items()},
    **{f"only_{each.value}": frozenset({each}) for each in Permission},
    "nothing": frozenset(),
}
IDS = {
    "{conversation_id}": CNV,
    "{agent_id}": CALLER,
    "{visitor_id}": "nobody",
    "{workspace_id}": ACME,
    "{key_id}": "key_none",
    "{alert_id}": "alr_none",
    "{subscription_id}": "psh_none",
    "{id}": "new-one",
    "{webhook_id}": "crm",
}
BODIES: dict[str, Any] = {
    "POST /v1/conversations": {"route": {"type": "round_robin"}},
    "POST /v1/conversations/{conversation_id}/messages": {"client_message_id": "1", "text": "Hello"},
    "POST /v1/conversations/{conversation_id}/read": {"message_id": "msg_1"},
    "POST /v1/conversations/{conversation_id}/rating": {"score": 5},
    "POST /v1/conversations/{conversation_id}/transcript/email": {"to": "ada@example.com"},
    "POST /v1/conversations/{conversation_id}/transfer": {"agent_id": BOB},
    "POST /v1/route_plans": {"route": {"type": "round_robin"}},
    "POST /v1/workspaces": {"id": "initech", "name": "Initech"},
    "PATCH /v1/workspace": {},
    "PATCH /v1/agents/{agent_id}/notifications": {"sound": False},
    "POST /v1/agents/{agent_id}/push_subscriptions": SUBSCRIPTION,
    "PUT /v1/agents/{agent_id}/availability": {"available": True},
    "PUT /v1/teams/{id}": {"name": "Team", "agent_ids": []},
    "PUT /v1/rules/{id}": {"name": "Rule", "priority": 1, "conditions": {"all": []}, "agent_ids": []},
    "POST /v1/rules/order": {"rule_ids": []},
    "PUT /v1/accounts/{id}": {"company": "Example", "owner_id": BOB},
    "PUT /v1/profiles/{id}": {"name": "Nobody", "permissions": []},
    "PUT /v1/saved_replies/{id}": {"shortcut": "hi", "title": "Hello", "text": "Hello!"},
    "PUT /v1/webhooks/{id}": {"url": "https://crm.example.com/"},
    "POST /v1/webhooks/{webhook_id}/replay": {"since": "2026-01-01T12:00:00Z"},
}


async def with_profile(
    world: FakeWorld, profile: str, permissions: frozenset[Permission]
) -> dict[str, str]:
    """The header of an agent who has a profile with these permissions."""
    profile_id = ProfileId(profile)
    entry = AgentEntry(id=CALLER, name="Caller", email="caller@example.com", profile=profile_id)
    definitions = [Definition(Kind.AGENT, CALLER, AgentDefined(agent=entry))]
    if profile not in DEFAULT_PROFILES:
        defined = ProfileEntry(id=profile_id, name=profile, permissions=tuple(permissions))
        definitions.insert(0, Definition(Kind.PROFILE, profile, ProfileDefined(profile=defined)))
    await world.directory.write(ACME, definitions)
    return bearer(world.agent_token(CALLER))


async def test_every_endpoint_is_in_the_table() -> None:
    paths = openapi_document()["paths"]
    assert set(ONE_OF) | WITHOUT_CALLER | OVER_SOCKETS | SIGNING_IN == {
        f"{method.upper()} {path}" for path, methods in paths.items() for method in methods
    }


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_profile_opens_what_it_permits_and_nothing_else(
    http: httpx.AsyncClient, world: FakeWorld, profile: str
) -> None:
    permissions = PROFILES[profile]
    await world.conversations.show(ACME, active(CALLER))
    token = await with_profile(world, profile, permissions)
    bodies = {**BODIES, "PUT /v1/agents/{id}": {"name": "A", "email": "a@example.com", "profile": profile}}
    for endpoint, one_of in ONE_OF.items():
        method, path = endpoint.split(" ")
        for name, value in IDS.items():
            path = path.replace(name, value)
        if path.endswith("/stream"):
            method = "HEAD"  # As GET, but with an end.
        if path.endswith("/import"):
            csv = {**token, "Content-Type": "text/csv"}
            answer = await http.request(method, path, headers=csv, content="company,domain,owner\n")
        else:
            answer = await http.request(method, path, headers=token, json=bodies.get(endpoint))
        is_open = one_of == EVERY_AGENT or not one_of.isdisjoint(permissions)
        assert (answer.status_code == 403) is not is_open, (endpoint, answer.status_code, answer.text)
        assert answer.status_code not in {400, 401, 405, 415, 422}, (endpoint, answer.text)


async def test_the_table_of_settings_has_every_setting() -> None:
    assert set(SETTING_PERMISSIONS) == set(WorkspaceSettings.model_fields)


@pytest.mark.parametrize("setting", SETTING_PERMISSIONS)
@pytest.mark.parametrize("permission", [Permission.ADMIN_ROUND_ROBIN, Permission.ADMIN_SECURITY])
async def test_a_setting_is_changed_by_those_it_belongs_to(
    http: httpx.AsyncClient, world: FakeWorld, setting: str, permission: Permission
) -> None:
    token = await with_profile(world, "admin", frozenset({permission}))
    answer = await http.patch("/v1/workspace", headers=token, json={setting: None})
    assert answer.status_code == (200 if SETTING_PERMISSIONS[setting] is permission else 403)
    both = {"offer_timeout_s": 2, "blocked_email_domains": ["example.com"]}
    assert (await http.patch("/v1/workspace", headers=token, json=both)).status_code == 403
    assert (await http.patch("/v1/workspace", headers=token, json={"surprise": 1})).status_code == 422


async def test_nobody_is_given_more_than_the_giver_has(http: httpx.AsyncClient, world: FakeWorld) -> None:
    body = {"name": "A", "email": "a@example.com"}
    key, sales_admin = bearer(ACME_KEY), await with_profile(world, "sales_admin", frozenset())
    path = "/v1/agents/alan"
    for profile, status in {
        "live_agent": 201,
        "sales_admin": 200,
        "marketing_admin": 403,
        "marketing_user": 403,
    }.items():
        answer = await http.put(path, headers=sales_admin, json={**body, "profile": profile})
        assert answer.status_code == status, answer.text
    own = await http.put(
        f"/v1/agents/{CALLER}", headers=sales_admin, json={**body, "profile": "marketing_admin"}
    )
    assert json_of(own, 403)["type"] == "urn:rondo:error:not-permitted"
    # Who has more already may be changed, but not in who they are.
    await http.put(path, headers=key, json={**body, "profile": "marketing_admin"})
    changed = await http.put(
        path, headers=sales_admin, json={**body, "profile": "marketing_admin", "capacity": 2}
    )
    assert json_of(changed, 200)["capacity"] == 2
    theirs = {**body, "profile": "marketing_admin", "email": "caller@example.com"}
    assert (await http.put(path, headers=sales_admin, json=theirs)).status_code == 403


async def test_a_profile_is_defined_by_those_who_have_all_of_it(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    key = bearer(ACME_KEY)
    has = frozenset({Permission.ADMIN_SECURITY, Permission.ADMIN_TEAMS})
    token = await with_profile(world, "guard", has)

    async def define(profile: str, *permissions: str, by: dict[str, str] = token) -> int:
        body = {"name": profile, "permissions": permissions}
        return (await http.put(f"/v1/profiles/{profile}", headers=by, json=body)).status_code

    assert await define("helper", "admin_teams", "admin_security") == 201
    assert await define("helper", "admin_teams", "meetings") == 403
    assert await define("guard", *Permission) == 403
    assert await define("live_agent") == 403  # It would take away what the caller has not.
    assert await define("helper", "meetings", by=key) == 200
    assert await define("helper") == 403
    assert (await http.delete("/v1/profiles/helper", headers=token)).status_code == 403
    # Deleting one that stands before a default gives the default's permissions back.
    assert await define("marketing_admin", "admin_teams", by=key) == 200
    assert (await http.delete("/v1/profiles/marketing_admin", headers=token)).status_code == 403
    assert (await http.delete("/v1/profiles/marketing_admin", headers=key)).status_code == 204


@pytest.fixture
async def viewer(world: FakeWorld) -> dict[str, str]:
    """Who may view all, where Grace talks with Ada."""
    await world.conversations.show(ACME, active(GRACE))
    view = active(GRACE)
    world.history.transcripts[CNV] = Transcript(
        conversation_id=CNV, visitor=view.request.visitor, agent_ids=[GRACE], requested_at=NOON, lines=[]
    )
    return await with_profile(world, "viewer", frozenset({Permission.LIVE_CHAT_VIEW_ALL}))


async def test_who_may_view_all_reads_any_conversation_and_changes_none(
    http: httpx.AsyncClient, viewer: dict[str, str], world: FakeWorld
) -> None:
    path = f"/v1/conversations/{CNV}"
    assert json_of(await http.get(path, headers=viewer), 200)["agent"]["id"] == GRACE
    assert (await http.get(f"{path}/messages", headers=viewer)).status_code == 200
    assert (await http.get(f"{path}/transcript", headers=viewer)).status_code == 200
    assert (await http.post(f"{path}/end", headers=viewer)).status_code == 403
    assert (await http.get(f"{path}/stream", headers=viewer)).status_code == 403
    message = {"client_message_id": "1", "text": "Hello"}
    assert (await http.post(f"{path}/messages", headers=viewer, json=message)).status_code == 403
    assert {type(each) for each in world.log.events} <= {ConnectAgent}  # They are at work.
    bob = bearer(world.agent_token(BOB))
    for each in ("", "/messages", "/transcript"):
        assert (await http.get(path + each, headers=bob)).status_code == 403


async def test_who_may_view_all_sees_no_other_workspace(viewer: dict[str, str], world: FakeWorld) -> None:
    async with client_of(world.app()) as http:
        made = await http.put(
            "/v1/teams/x", headers=bearer(GLOBEX_KEY), json={"name": "X", "agent_ids": []}
        )
        assert made.status_code == 201
        admin = await with_profile(world, "marketing_admin", frozenset())
        assert (await http.get("/v1/teams/x", headers=admin)).status_code == 404
        assert (await http.get("/v1/conversations/cnv_of_globex", headers=viewer)).status_code == 404
