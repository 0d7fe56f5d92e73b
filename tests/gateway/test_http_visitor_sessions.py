"""Visitors in the browser: sessions from allowed origins, who they prove to be, and what they may do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest

from rondo_common.conversation import Status
from rondo_common.events import ChatRequested
from rondo_common.ids import ConversationId
from rondo_gateway.domain.visitor_session import SESSION_KEPT
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    ADA,
    GLOBEX,
    GLOBEX_KEY,
    NOON,
    FakeWorld,
    bearer,
    json_of,
)

SHOP = "https://shop.example"
ROUND_ROBIN = {"route": {"type": "round_robin"}}


@pytest.fixture
async def world() -> FakeWorld:
    furnished = FakeWorld()
    await furnished.furnish()
    await furnished.settle(allowed_origins=[SHOP, "https://*.shops.example"])
    return furnished


@pytest.fixture
async def secret(http: httpx.AsyncClient) -> str:
    return await rotate(http)


async def rotate(http: httpx.AsyncClient, key: str = ACME_KEY) -> str:
    answer = await http.post("/v1/workspace/identity_secret", headers=bearer(key))
    return str(json_of(answer, 201)["identity_secret"])


def site(world: FakeWorld, **more: Any) -> dict[str, Any]:
    return {"site_key": world.workspace().site_key, **more}


async def begin(
    http: httpx.AsyncClient,
    body: Mapping[str, Any],
    token: str | None = None,
    origin: str | None = SHOP,
) -> httpx.Response:
    headers = {} if origin is None else {"Origin": origin}
    if token is not None:
        headers |= bearer(token)
    return await http.post("/v1/visitor_sessions", headers=headers, json=dict(body))


async def refresh(http: httpx.AsyncClient, token: str, origin: str = SHOP) -> httpx.Response:
    return await http.post("/v1/visitor_sessions/refresh", headers={"Origin": origin, **bearer(token)})


async def ask(http: httpx.AsyncClient, token: str, body: Mapping[str, Any] = ROUND_ROBIN) -> Any:
    headers = {"Origin": SHOP, **bearer(token)}
    return json_of(await http.post("/v1/conversations", headers=headers, json=dict(body)), 202)


async def status_of(http: httpx.AsyncClient, token: str, conversation: Mapping[str, Any]) -> int:
    path = f"/v1/conversations/{conversation['id']}"
    return (await http.get(path, headers={"Origin": SHOP, **bearer(token)})).status_code


def signed(secret: str, *, algorithm: str = "HS256", lives_s: float | None = 3600, **claims: Any) -> str:
    payload = {"sub": "u-17", **claims}
    if lives_s is not None:
        payload["exp"] = NOON.timestamp() + lives_s
    return jwt.encode(payload, secret, algorithm=algorithm)


# --- sessions ------------------------------------------------------------------------------------


async def test_the_own_workspace_shows_a_public_site_key_that_stays(http: httpx.AsyncClient) -> None:
    first = json_of(await http.get("/v1/workspace", headers=bearer(ACME_KEY)), 200)
    patch = {"offer_timeout_s": 50}
    changed = json_of(await http.patch("/v1/workspace", headers=bearer(ACME_KEY), json=patch), 200)
    other = json_of(await http.get("/v1/workspace", headers=bearer(GLOBEX_KEY)), 200)
    assert first["site_key"].startswith("site_")
    assert changed["site_key"] == first["site_key"] != other["site_key"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("https://meet.example.com/sales?from=chat", 200),
        (None, 200),
        ("javascript:alert(1)", 422),
        ("https://user@meet.example.com/", 422),
        ("https://meet.example.com/a b", 422),
    ],
)
async def test_a_meeting_is_booked_on_a_page_and_nowhere_else(
    http: httpx.AsyncClient, address: str | None, status: int
) -> None:
    patch = {"widget": {"meeting_url": address}}
    answer = await http.patch("/v1/workspace", headers=bearer(ACME_KEY), json=patch)
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["widget"]["meeting_url"] == address


async def test_a_session_from_an_allowed_origin_has_a_token_for_a_quarter_of_an_hour(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    answer = await begin(http, site(world))
    session = json_of(answer, 201)
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert session["visitor_id"].startswith("vis_")
    assert session["expires_at"] == (NOON + timedelta(minutes=15)).isoformat().replace("+00:00", "Z")
    assert session["config"] == {
        "title": "Chat with us",
        "greeting": "Hello! How can we help?",
        "colour": "#2563eb",
        "fields": ["first_name", "email"],
        "required": [],
        "route": None,
        "ratings": True,
        "meeting_url": None,
    }
    again = json_of(await begin(http, site(world)), 201)
    assert again["visitor_id"] != session["visitor_id"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://shop.example.evil.example",
        "https://sub.shop.example",
        "https://shops.example",
        "https://evilshops.example",
        "http://a.shops.example",
        "null",
        "",
        None,
        "https://shop.example/",
    ],
)
async def test_from_any_other_origin_no_session_begins_and_no_page_reads_why(
    http: httpx.AsyncClient, world: FakeWorld, origin: str | None
) -> None:
    answer = await begin(http, site(world), origin=origin)
    assert json_of(answer, 403)["type"] == "urn:rondo:error:origin-not-allowed"
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("origin", ["https://a.shops.example", "https://a.b.shops.example"])
async def test_a_wildcard_allows_subdomains(http: httpx.AsyncClient, world: FakeWorld, origin: str) -> None:
    answer = await begin(http, site(world), origin=origin)
    assert answer.status_code == 201
    assert answer.headers["access-control-allow-origin"] == origin


async def test_an_origin_is_allowed_for_its_workspace_alone(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    body = {"site_key": world.workspace(GLOBEX).site_key}
    answer = await begin(http, body)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


async def test_an_unknown_site_key_is_not_found(http: httpx.AsyncClient) -> None:
    assert (await begin(http, {"site_key": "site_nobody"})).status_code == 404


async def test_a_bad_body_is_told_to_pages_that_may_call(http: httpx.AsyncClient) -> None:
    answer = await begin(http, {"site_key": "", "surprise": 1})
    assert answer.status_code == 422
    assert answer.headers["access-control-allow-origin"] == SHOP


async def test_the_widget_looks_as_the_workspace_says(http: httpx.AsyncClient, world: FakeWorld) -> None:
    widget = {
        "title": "Hej",
        "greeting": "",
        "colour": "#FF0000",
        "fields": ["email", "company"],
        "required": ["email"],
        "route": {"type": "team", "team_id": "sales"},
        "ratings": False,
        "meeting_url": "https://meet.example.com/sales",
    }
    patch = await http.patch("/v1/workspace", headers=bearer(ACME_KEY), json={"widget": widget})
    assert json_of(patch, 200)["widget"] == widget
    assert json_of(await begin(http, site(world)), 201)["config"] == widget


@pytest.mark.parametrize(
    "patch",
    [
        {"widget": {"colour": "red"}},
        {"widget": {"title": ""}},
        {"widget": {"title": "a\x00b"}},
        {"widget": {"fields": ["shoe_size"]}},
        {"widget": {"fields": ["email", "email"]}},
        {"widget": {"fields": [], "required": ["email"]}},
        {"widget": {"route": {"type": "agent"}}},
        {"allowed_origins": ["shop.example"]},
        {"allowed_origins": ["https://shop.example/"]},
        {"allowed_origins": ["https://shop.example/path"]},
        {"allowed_origins": ["https://*"]},
        {"allowed_origins": ["https://*.example"]},
        {"allowed_origins": ["http://*.shop.example"]},
        {"allowed_origins": ["*"]},
        {"allowed_origins": ["null"]},
        {"allowed_origins": ["https://user@shop.example"]},
        {"allowed_origins": ["https://köp.example"]},
        {"allowed_origins": "https://shop.example"},
        {"rate_limits": {"visitor_messages_per_minute": -1}},
        {"rate_limits": {"visitor_messages_per_minute": "5"}},
        {"rate_limits": {"surprise": 1}},
        {"idle_timeout_s": 4},
        {"idle_timeout_s": 86_401},
        {"visitor_lease_s": -1},
    ],
)
async def test_a_setting_that_cannot_be_is_refused(http: httpx.AsyncClient, patch: dict[str, Any]) -> None:
    answer = await http.patch("/v1/workspace", headers=bearer(ACME_KEY), json=patch)
    assert json_of(answer, 422)["errors"][0]["pointer"].startswith(f"/{next(iter(patch))}")


async def test_origins_are_kept_as_browsers_write_them(http: httpx.AsyncClient) -> None:
    patch = {"allowed_origins": ["HTTPS://Shop.Example:443", "http://localhost:3000", "http://[::1]:80"]}
    answer = await http.patch("/v1/workspace", headers=bearer(ACME_KEY), json=patch)
    kept = ["https://shop.example", "http://localhost:3000", "http://[::1]"]
    assert json_of(answer, 200)["allowed_origins"] == kept


# --- renewing ------------------------------------------------------------------------------------


async def test_a_session_is_renewed_for_thirty_days_from_its_first_token(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    session = json_of(await begin(http, site(world)), 201)
    visitor_id, token = session["visitor_id"], session["visitor_token"]
    while world.now + timedelta(hours=20) < NOON + SESSION_KEPT:
        world.now += timedelta(hours=20)
        renewed = json_of(await refresh(http, token), 200)
        assert renewed["visitor_id"] == visitor_id
        token = renewed["visitor_token"]
    world.now = NOON + SESSION_KEPT
    assert (await refresh(http, token)).status_code == 401


async def test_an_expired_token_renews_for_a_day_and_opens_nothing_else(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    token = json_of(await begin(http, site(world)), 201)["visitor_token"]
    conversation = await ask(http, token)
    world.now += timedelta(minutes=15, seconds=1)
    assert await status_of(http, token, conversation) == 401
    world.now = NOON + timedelta(hours=24, minutes=14)
    json_of(await refresh(http, token), 200)
    world.now = NOON + timedelta(hours=24, minutes=16)
    assert (await refresh(http, token)).status_code == 401


async def test_only_a_sessions_own_token_renews_it(http: httpx.AsyncClient, world: FakeWorld) -> None:
    token = json_of(await begin(http, site(world)), 201)["visitor_token"]
    header, payload, signature = token.split(".")
    unsigned = jwt.encode(jwt.decode(token, options={"verify_signature": False}), "", algorithm="none")
    tampered = f"{header}.{payload[:-2]}AA.{signature}"
    for bad in (tampered, unsigned, world.visitor_token(), world.agent_token(), ACME_KEY, "x"):
        assert (await refresh(http, bad)).status_code in {401, 403}, bad
    assert (await refresh(http, token, origin="https://evil.example")).status_code == 403
    bare = await http.post("/v1/visitor_sessions/refresh", headers={"Origin": SHOP})
    assert bare.status_code == 401


# --- who a visitor is ----------------------------------------------------------------------------


async def test_an_anonymous_visitor_comes_back_with_their_last_token(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    first = json_of(await begin(http, site(world)), 201)
    conversation = await ask(http, first["visitor_token"])
    world.now += timedelta(hours=5)
    body = site(world, visitor_id=first["visitor_id"])
    again = json_of(await begin(http, body, first["visitor_token"]), 201)
    assert again["visitor_id"] == first["visitor_id"]
    assert await status_of(http, again["visitor_token"], conversation) == 200


async def test_an_id_without_proof_opens_nobodys_conversations(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    victim = json_of(await begin(http, site(world)), 201)
    conversation = await ask(http, victim["visitor_token"])
    other = json_of(await begin(http, site(world)), 201)
    for token in (None, other["visitor_token"], world.visitor_token(), "garbage"):
        body = site(world, visitor_id=victim["visitor_id"])
        claimed = json_of(await begin(http, body, token), 201)
        assert claimed["visitor_id"] != victim["visitor_id"]
        assert await status_of(http, claimed["visitor_token"], conversation) == 404
    known = json_of(await begin(http, site(world, visitor_id=ADA)), 201)
    assert known["visitor_id"] != ADA


async def test_a_signed_identity_makes_its_sub_the_visitor(
    http: httpx.AsyncClient, world: FakeWorld, secret: str
) -> None:
    identity = signed(
        secret, first_name="Ada", email="ada@shop.example", iss="shop", attributes={"plan": "pro"}
    )
    session = json_of(await begin(http, site(world, identity=identity)), 201)
    assert session["visitor_id"] == "u-17"
    said = {
        "visitor": {
            "email": "ceo@bank.example",
            "company": "Bank",
            "attributes": {"plan": "free", "page": "x"},
        },
        **ROUND_ROBIN,
    }
    conversation = await ask(http, session["visitor_token"], said)
    visitor = conversation["visitor"]
    assert (visitor["id"], visitor["first_name"]) == ("u-17", "Ada")
    assert visitor["email"] == "ada@shop.example"
    assert visitor["company"] == "Bank"
    assert visitor["attributes"] == {"plan": "pro", "page": "x"}
    renewed = json_of(await refresh(http, session["visitor_token"]), 200)
    again = await ask(http, renewed["visitor_token"])
    assert again["visitor"]["email"] == "ada@shop.example"


@pytest.mark.parametrize("with_token", [True, False])
async def test_an_identity_joins_the_anonymous_visitor_with_the_known_one(
    http: httpx.AsyncClient, world: FakeWorld, secret: str, with_token: bool
) -> None:
    anonymous = json_of(await begin(http, site(world)), 201)
    before = await ask(http, anonymous["visitor_token"])
    body = site(world, visitor_id=anonymous["visitor_id"], identity=signed(secret))
    token = anonymous["visitor_token"] if with_token else None
    known = json_of(await begin(http, body, token), 201)
    assert known["visitor_id"] == "u-17"
    after = await ask(http, known["visitor_token"])
    renewed = json_of(await refresh(http, known["visitor_token"]), 200)
    for token in (known["visitor_token"], renewed["visitor_token"]):
        assert await status_of(http, token, before) == 200
        assert await status_of(http, token, after) == 200
    assert await status_of(http, anonymous["visitor_token"], after) == 404


async def test_an_identity_joins_no_id_that_was_not_drawn_here(
    http: httpx.AsyncClient, world: FakeWorld, secret: str
) -> None:
    conversation = json_of(
        await http.post(
            "/v1/conversations", headers=bearer(ACME_KEY), json={"visitor": {"id": "u-1"}, **ROUND_ROBIN}
        ),
        202,
    )
    body = site(world, visitor_id="u-1", identity=signed(secret))
    known = json_of(await begin(http, body), 201)
    assert await status_of(http, known["visitor_token"], conversation) == 404


async def test_the_next_to_sign_in_has_nothing_of_the_one_before(
    http: httpx.AsyncClient, world: FakeWorld, secret: str
) -> None:
    anonymous = json_of(await begin(http, site(world)), 201)
    before = await ask(http, anonymous["visitor_token"])
    body = site(world, identity=signed(secret))
    first = json_of(await begin(http, body, anonymous["visitor_token"]), 201)
    body = site(world, identity=signed(secret, sub="u-18"))
    second = json_of(await begin(http, body, first["visitor_token"]), 201)
    assert await status_of(http, first["visitor_token"], before) == 200
    assert await status_of(http, second["visitor_token"], before) == 404


async def test_an_identity_that_is_not_signed_as_it_must_be_is_refused(
    http: httpx.AsyncClient, world: FakeWorld, secret: str
) -> None:
    other = await rotate(http, GLOBEX_KEY)
    none = jwt.encode({"sub": "u-17", "exp": NOON.timestamp() + 60}, "", algorithm="none")
    good = signed(secret)
    header, payload, _ = good.split(".")
    bad = {
        "without exp": signed(secret, lives_s=None),
        "expired": signed(secret, lives_s=-1),
        "expires now": signed(secret, lives_s=0),
        "lives too long": signed(secret, lives_s=25 * 3600),
        "another algorithm": signed(secret * 2, algorithm="HS512"),
        "the same secret, another algorithm": signed(secret, algorithm="HS384"),
        "no algorithm": none,
        "no signature": f"{header}.{payload}.",
        "another workspace's": signed(other),
        "another secret": signed("ids_" + "0" * 64),
        "not a token": "x.y.z",
        "exp is no number": jwt.encode({"sub": "u", "exp": None}, secret),
        "without sub": jwt.encode({"exp": int(NOON.timestamp()) + 60}, secret),
    }
    for name, identity in bad.items():
        answer = await begin(http, site(world, identity=identity))
        assert answer.status_code == 401, (name, answer.text)
        assert answer.headers["access-control-allow-origin"] == SHOP


async def test_without_an_identity_secret_nobody_is_known(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    identity = signed(world.identities.secret(world.workspace(), ""))
    assert (await begin(http, site(world, identity=identity))).status_code == 401


@pytest.mark.parametrize(
    "claims",
    [{"sub": "not an id!"}, {"email": "nobody"}, {"first_name": 1}, {"attributes": {"a": {}}}],
)
async def test_what_an_identity_says_must_be_a_visitor(
    http: httpx.AsyncClient, world: FakeWorld, secret: str, claims: dict[str, Any]
) -> None:
    answer = await begin(http, site(world, identity=signed(secret, **claims)))
    assert json_of(answer, 422)["errors"][0]["pointer"] == "/identity"


async def test_an_identity_too_large_for_a_token_is_refused(
    http: httpx.AsyncClient, world: FakeWorld, secret: str
) -> None:
    texts = {f"a{number}": "🦄" * 250 for number in range(2)}
    payload = json.dumps(
        {"sub": "u", "exp": NOON.timestamp() + 60, "attributes": texts}, ensure_ascii=False
    ).encode()
    identity = jwt.api_jws.encode(payload, secret, algorithm="HS256")
    answer = await begin(http, site(world, identity=identity))
    assert json_of(answer, 422)["errors"][0]["pointer"] == "/identity"


async def test_the_last_two_secrets_are_valid(http: httpx.AsyncClient, world: FakeWorld) -> None:
    secrets = [await rotate(http) for _ in range(3)]
    assert len(set(secrets)) == 3
    statuses = [(await begin(http, site(world, identity=signed(each)))).status_code for each in secrets]
    assert statuses == [401, 201, 201]


async def test_the_directory_does_not_hold_the_secret(
    http: httpx.AsyncClient, world: FakeWorld, secret: str
) -> None:
    found = world.directory.find(ACME)
    assert found is not None
    assert found.identity is not None
    assert secret.removeprefix("ids_") not in found.identity.model_dump_json()
    shown = json_of(await http.get("/v1/workspace", headers=bearer(ACME_KEY)), 200)
    assert "secret" not in json.dumps(shown)


async def test_only_the_backend_rotates_the_secret(http: httpx.AsyncClient, world: FakeWorld) -> None:
    for credential in (world.agent_token(), world.visitor_token()):
        answer = await http.post("/v1/workspace/identity_secret", headers=bearer(credential))
        assert answer.status_code == 403


# --- asking for a chat ---------------------------------------------------------------------------


async def test_a_session_asks_for_its_own_visitor(http: httpx.AsyncClient, world: FakeWorld) -> None:
    session = json_of(await begin(http, site(world)), 201)
    said = {"visitor": {"first_name": "Ada", "email": "ada@example.com"}, **ROUND_ROBIN}
    conversation = await ask(http, session["visitor_token"], said)
    assert conversation["status"] == Status.REQUESTED
    assert conversation["visitor"]["id"] == session["visitor_id"]
    assert conversation["visitor"]["first_name"] == "Ada"
    (event,) = world.log.events
    assert isinstance(event, ChatRequested)
    assert event.request.visitor.email == "ada@example.com"
    assert await status_of(http, conversation["visitor_token"], conversation) == 200
    json_of(await refresh(http, conversation["visitor_token"]), 200)


async def test_a_session_asks_for_nobody_else(http: httpx.AsyncClient, world: FakeWorld) -> None:
    token = json_of(await begin(http, site(world)), 201)["visitor_token"]
    headers = {"Origin": SHOP, **bearer(token)}
    body = {"visitor": {"id": ADA}, **ROUND_ROBIN}
    answer = await http.post("/v1/conversations", headers=headers, json=body)
    assert json_of(answer, 422)["errors"][0]["pointer"] == "/visitor/id"


async def test_a_visitor_outside_a_session_does_not_ask(http: httpx.AsyncClient, world: FakeWorld) -> None:
    for token in (world.visitor_token(), world.agent_token()):
        answer = await http.post("/v1/conversations", headers=bearer(token), json=ROUND_ROBIN)
        assert answer.status_code == 403


async def test_one_visitors_key_never_stands_for_anothers_request(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    ids = []
    for _ in range(2):
        token = json_of(await begin(http, site(world)), 201)["visitor_token"]
        for _ in range(2):
            headers = {"Origin": SHOP, "Idempotency-Key": "1", **bearer(token)}
            answer = await http.post("/v1/conversations", headers=headers, json=ROUND_ROBIN)
            ids.append(json_of(answer, 202)["id"])
    backend = {"Idempotency-Key": "1", **bearer(ACME_KEY)}
    ids.append(json_of(await http.post("/v1/conversations", headers=backend, json=ROUND_ROBIN), 202)["id"])
    assert ids[0] == ids[1]
    assert ids[2] == ids[3]
    assert len({ids[0], ids[2], ids[4]}) == 3


async def test_sessions_of_another_workspace_open_nothing_here(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.settle(GLOBEX, allowed_origins=[SHOP])
    mine = json_of(await begin(http, site(world)), 201)
    conversation = await ask(http, mine["visitor_token"])
    body = {"site_key": world.workspace(GLOBEX).site_key, "visitor_id": mine["visitor_id"]}
    theirs = json_of(await begin(http, body, mine["visitor_token"]), 201)
    assert theirs["visitor_id"] != mine["visitor_id"]
    assert await status_of(http, theirs["visitor_token"], conversation) == 404
    assert (GLOBEX, ConversationId(conversation["id"])) not in world.conversations.views
