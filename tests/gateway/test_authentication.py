"""Who gets in, who does not, and how that is said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest

from rondo_common.directory.entries import Kind
from rondo_common.events import ApiKeyDefined
from rondo_common.ids import VisitorId
from rondo_gateway.ports import Definition
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    BOB,
    CNV,
    GLOBEX,
    GLOBEX_KEY,
    GRACE,
    NOON,
    ROOT_KEY,
    TOKEN_SECRET,
    FakeWorld,
    active,
    bearer,
    json_of,
)

CLAIMS = {
    "ws": ACME,
    "ws_since": int(NOON.timestamp() * 1000),
    "aud": "rondo-agent",
    "agent_id": GRACE,
    "exp": NOON + timedelta(hours=1),
}


def signed(secret: str = TOKEN_SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    """A token with claims as given; None leaves one out."""
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return jwt.encode(claims, secret, algorithm=algorithm)


def unsigned() -> str:
    return jwt.encode(CLAIMS, "", algorithm="none")


async def test_the_token_as_issued_is_taken(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await world.conversations.show(ACME, active())
    answer = await http.get(f"/v1/conversations/{CNV}", headers=bearer(signed()))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "credential",
    [
        "nonsense",
        "rk_nobodys",
        ROOT_KEY + "x",
        ACME_KEY.upper(),
        "a.b.c",
        "ö",
        "x" * 10_000,
        signed() + "x",
        signed(secret="another-secret-of-the-same-length-01"),
        signed(algorithm="HS512", secret=TOKEN_SECRET * 2),
        unsigned(),
        signed(exp=NOON - timedelta(seconds=1)),
        signed(exp=None),
        signed(exp="tomorrow"),
        signed(exp=10**30),
        signed(aud="rondo"),
        signed(aud="rondo-visitor"),
        signed(aud=None),
        signed(ws=None),
        signed(ws=17),
        signed(ws="../globex"),
        signed(ws="nowhere"),
        signed(ws_since=1),
        signed(ws_since="x"),
        signed(agent_id="ghost"),
        signed(agent_id=["grace"]),
        signed(agent_id=None),
    ],
)
async def test_whatever_is_no_credential_is_refused_with_a_challenge(
    http: httpx.AsyncClient, world: FakeWorld, credential: str
) -> None:
    await world.conversations.show(ACME, active())
    headers = {b"authorization": b"Bearer " + credential.encode()}
    answer = await http.get(f"/v1/conversations/{CNV}", headers=headers)
    assert json_of(answer, 401)["type"] == "urn:rondo:error:not-authenticated"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", f"Basic {ACME_KEY}", ACME_KEY])
async def test_a_header_of_another_form_is_refused(http: httpx.AsyncClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = await http.get("/v1/agents", headers=headers)
    assert answer.status_code == 401


async def test_credentials_in_the_query_open_no_ordinary_resource(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/agents", params={"access_token": ACME_KEY})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "may"),
    [
        ("GET", "/v1/workspaces", {"operator"}),
        ("GET", "/v1/workspaces/acme", {"operator"}),
        ("DELETE", "/v1/workspaces/acme", {"operator"}),
        ("GET", "/v1/workspace", {"backend"}),
        ("GET", "/v1/api_keys", {"backend"}),
        ("GET", "/v1/agents", {"backend"}),
        ("GET", "/v1/agents/grace", {"backend"}),
        ("DELETE", "/v1/agents/grace", {"backend"}),
        ("POST", "/v1/agents/grace/token", {"backend"}),
        ("GET", f"/v1/conversations/{CNV}", {"backend", "agent", "visitor"}),
        ("GET", f"/v1/conversations/{CNV}/messages", {"backend", "agent", "visitor"}),
        ("POST", f"/v1/conversations/{CNV}/accept", {"agent"}),
        ("POST", f"/v1/conversations/{CNV}/decline", {"agent"}),
        ("POST", f"/v1/conversations/{CNV}/withdraw", {"backend", "visitor"}),
        ("POST", f"/v1/conversations/{CNV}/end", {"backend", "agent", "visitor"}),
    ],
)
async def test_only_those_who_may_do_it_do_it(
    http: httpx.AsyncClient, world: FakeWorld, method: str, path: str, may: set[str]
) -> None:
    await world.conversations.show(ACME, active())
    callers = {
        "agent": world.agent_token(),
        "visitor": world.visitor_token(),
        "backend": ACME_KEY,  # After those who may lose their place by what it does.
        "operator": ROOT_KEY,
    }
    refused = {
        name
        for name, credential in callers.items()
        if (await http.request(method, path, headers=bearer(credential))).status_code == 403
    }
    assert refused == set(callers) - may


async def test_an_agent_without_part_in_it_is_refused_and_told_so(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    for path in ("", "/messages", "/transcript", "/stream"):
        answer = await http.get(f"/v1/conversations/{CNV}{path}", headers=bearer(world.agent_token(BOB)))
        assert json_of(answer, 403)["type"] == "urn:rondo:error:not-permitted"


@pytest.mark.parametrize("path", ["", "/messages", "/transcript", "/stream"])
async def test_another_workspaces_conversation_does_not_exist(
    http: httpx.AsyncClient, world: FakeWorld, path: str
) -> None:
    await world.conversations.show(ACME, active())
    other = [
        GLOBEX_KEY,
        world.agent_token(workspace_id=GLOBEX),
        world.visitor_token(workspace_id=GLOBEX),
    ]
    for credential in other:
        answer = await http.get(f"/v1/conversations/{CNV}{path}", headers=bearer(credential))
        assert answer.status_code == 404


async def test_another_visitors_conversation_does_not_exist(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    eve = bearer(world.visitor_token(VisitorId("eve")))
    assert (await http.get(f"/v1/conversations/{CNV}", headers=eve)).status_code == 404
    assert (await http.post(f"/v1/conversations/{CNV}/end", headers=eve)).status_code == 404


async def test_a_deleted_agents_token_opens_nothing(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await world.conversations.show(ACME, active())
    token = bearer(world.agent_token())
    assert (await http.get(f"/v1/conversations/{CNV}", headers=token)).status_code == 200
    await world.directory.write(ACME, [Definition(Kind.AGENT, GRACE, None)])
    assert (await http.get(f"/v1/conversations/{CNV}", headers=token)).status_code == 401


async def test_tokens_do_not_outlive_their_workspace_into_one_of_the_same_id(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    credentials = [ACME_KEY, world.visitor_token(), world.agent_token()]
    await http.delete("/v1/workspaces/acme", headers=bearer(ROOT_KEY))
    world.now = NOON + timedelta(seconds=1)
    body = {"id": "acme", "name": "Acme"}
    key = json_of(await http.post("/v1/workspaces", headers=bearer(ROOT_KEY), json=body), 201)["api_key"]
    agent = {"name": "Grace", "email": "grace@example.com"}
    await http.put("/v1/agents/grace", headers=bearer(key), json=agent)
    for credential in credentials:
        answer = await http.get(f"/v1/conversations/{CNV}", headers=bearer(credential))
        assert answer.status_code == 401


async def test_what_another_gateway_made_just_now_is_looked_for_before_refusing(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    found = world.directory.find(ACME)
    assert found is not None
    (api_key,) = found.api_keys.values()
    await world.directory.write(ACME, [Definition(Kind.API_KEY, api_key.id, None)])
    again = Definition(Kind.API_KEY, api_key.id, ApiKeyDefined(api_key=api_key))
    world.directory.unread.append((ACME, again))
    assert (await http.get("/v1/agents", headers=bearer(ACME_KEY))).status_code == 200
    assert world.directory.refreshes == 1


async def test_an_unknown_key_is_no_401_while_nobody_can_tell(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    world.directory.is_unreachable = True
    answer = await http.get("/v1/agents", headers=bearer("rk_unknown"))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
