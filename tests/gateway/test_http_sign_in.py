"""Sign-in links and sessions over HTTP: who gets in, by what, from where, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from http.cookies import Morsel, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from rondo_common.directory.entries import AgentEntry, Kind, ProfileEntry
from rondo_common.events import AgentDefined, ProfileDefined
from rondo_common.ids import AgentId, EventId, ProfileId
from rondo_common.mailbox import StreamEvent
from rondo_common.permissions import Permission
from rondo_common.redis.keys import agent_mailbox_key
from rondo_gateway.domain.sign_in import SessionTimes
from rondo_gateway.handlers.rate_limits import ADDRESS_SIGN_INS_PER_MINUTE
from rondo_gateway.ports import Definition
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    BOB,
    CNV,
    GLOBEX_KEY,
    GRACE,
    NOON,
    ROOT_KEY,
    FakeWorld,
    active,
    bearer,
    client_of,
    json_of,
)
from tests.gateway.served import Served, asked, heard, served
from tests.gateway.stream_reader import reading

LINKS = f"/v1/agents/{GRACE}/sign_in_links"
COOKIE = "rondo_session"
KEY = bearer(ACME_KEY)
CHAT = f"/v1/conversations/{CNV}"
MESSAGE = {"client_message_id": "1", "text": "Hello"}
FROM_ELSEWHERE = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://gateway.evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


async def link_token(http: httpx.AsyncClient, **body: Any) -> str:
    link = json_of(await http.post(LINKS, headers=KEY, json=body), 201)
    return str(urlsplit(link["url"]).fragment.removeprefix("token="))


async def signed_in(http: httpx.AsyncClient) -> dict[str, str]:
    """Sign Grace in; the header that her pages send."""
    session = json_of(await http.post("/v1/sessions", json={"token": await link_token(http)}), 201)
    return {"X-CSRF-Token": session["csrf_token"]}


@pytest.fixture
async def csrf(http: httpx.AsyncClient) -> dict[str, str]:
    """Grace's session, in the cookies of ``http``."""
    return await signed_in(http)


@pytest.fixture
async def other(world: FakeWorld) -> AsyncIterator[httpx.AsyncClient]:
    """Another browser."""
    async with client_of(world.app()) as client:
        yield client


def cookie_of(answer: httpx.Response) -> Morsel[str]:
    (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
    return morsel


async def with_profile(world: FakeWorld, name: str, *permissions: Permission) -> dict[str, str]:
    """The header of an agent of that name who has these permissions."""
    profile = ProfileEntry(id=ProfileId(name), name=name, permissions=permissions)
    agent = AgentEntry(id=AgentId(name), name=name, email=f"{name}@example.com", profile=profile.id)
    await world.directory.write(
        ACME,
        [
            Definition(Kind.PROFILE, profile.id, ProfileDefined(profile=profile)),
            Definition(Kind.AGENT, agent.id, AgentDefined(agent=agent)),
        ],
    )
    return bearer(world.agent_token(agent.id))


# --- links -------------------------------------------------------------------------------------


async def test_a_link_signs_its_agent_in_once(http: httpx.AsyncClient, world: FakeWorld) -> None:
    answer = await http.post(LINKS, headers=KEY, json={"ttl_s": 60, "return_to": "/inbox/conversations/c"})
    link = json_of(answer, 201)
    assert answer.headers["cache-control"] == "no-store"
    assert link["expires_at"] == (world.now + timedelta(seconds=60)).isoformat().replace("+00:00", "Z")
    start, _, token = link["url"].partition("#token=")
    assert start == "http://gateway/inbox/sign-in"
    begun = json_of(await http.post("/v1/sessions", json={"token": token}), 201)
    assert begun["workspace"] == {"id": "acme", "name": "Acme", "time_zone": "UTC"}
    assert begun["agent"] == {
        "id": "grace",
        "name": "Grace",
        "email": "grace@example.com",
        "avatar_url": None,
        "time_zone": None,
    }
    assert begun["permissions"] == ["live_chat_view_my", "own_availability"]
    assert begun["return_to"] == "/inbox/conversations/c"
    session = json_of(await http.get("/v1/session"), 200)
    assert begun == {**session, "return_to": "/inbox/conversations/c"}
    again = await http.post("/v1/sessions", json={"token": token})
    assert json_of(again, 401)["type"] == "urn:rondo:error:sign-in-link-invalid"
    assert (await http.get("/v1/session")).status_code == 200  # Whoever is in stays in.


async def test_of_many_who_open_a_link_at_once_one_is_signed_in(http: httpx.AsyncClient) -> None:
    token = await link_token(http)
    answers = await asyncio.gather(*(http.post("/v1/sessions", json={"token": token}) for _ in range(10)))
    assert sorted(each.status_code for each in answers) == [201] + [401] * 9


async def test_a_link_lasts_and_leads_within_bounds(http: httpx.AsyncClient) -> None:
    bodies: list[dict[str, Any]] = [
        {"ttl_s": 29},
        {"ttl_s": 3_601},
        {"ttl_s": "60"},
        {"return_to": "https://evil.example/"},
        {"return_to": "//evil.example"},
        {"return_to": "/demo/shop"},
        {"surprise": 1},
    ]
    for body in bodies:
        assert (await http.post(LINKS, headers=KEY, json=body)).status_code == 422, body


async def test_a_link_is_good_for_its_time(http: httpx.AsyncClient, world: FakeWorld) -> None:
    first, second = await link_token(http), await link_token(http)
    world.now += timedelta(seconds=299)
    assert (await http.post("/v1/sessions", json={"token": first})).status_code == 201
    world.now += timedelta(seconds=1)
    answer = await http.post("/v1/sessions", json={"token": second})
    assert json_of(answer, 401)["type"] == "urn:rondo:error:sign-in-link-invalid"


async def test_what_is_no_token_of_a_link_signs_nobody_in(http: httpx.AsyncClient) -> None:
    for token in ("x", "acme", "acme.", f"acme.{'x' * 43}", f"initech.{'x' * 43}", "." * 300):
        answer = await http.post("/v1/sessions", json={"token": token})
        assert json_of(answer, 401)["type"] == "urn:rondo:error:sign-in-link-invalid"
        assert "set-cookie" not in answer.headers


async def test_links_are_given_out_by_those_who_see_to_agents(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    admin = await with_profile(
        world, "admin", Permission.ADMIN_AGENTS, Permission.LIVE_CHAT_VIEW_MY, Permission.OWN_AVAILABILITY
    )
    boss = await with_profile(world, "boss", *Permission)
    assert (await http.post(LINKS, headers=admin)).status_code == 201
    assert (await http.post("/v1/agents/me/sign_in_links", headers=admin)).status_code == 201
    # Who signs in as the boss can do what the boss can.
    assert (await http.post("/v1/agents/boss/sign_in_links", headers=admin)).status_code == 403
    assert (await http.post("/v1/agents/admin/sign_in_links", headers=boss)).status_code == 201
    for credential in (world.agent_token(), world.visitor_token(), ROOT_KEY):
        assert (await http.post(LINKS, headers=bearer(credential))).status_code == 403
    assert (await http.post("/v1/agents/nobody/sign_in_links", headers=KEY)).status_code == 404
    assert (
        await http.post("/v1/agents/admin/sign_in_links", headers=bearer(GLOBEX_KEY))
    ).status_code == 404
    assert (await http.post(LINKS)).status_code == 401


async def test_what_is_kept_of_links_and_sessions_opens_nothing(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    token = await link_token(http)
    kept = f"{world.tickets.kept}"
    answer = await http.post("/v1/sessions", json={"token": token})
    kept += f"{world.sessions.kept}"
    session = json_of(answer, 201)
    for secret in (token, cookie_of(answer).value, session["csrf_token"]):
        assert secret.rpartition(".")[2] not in kept
    assert "grace" in kept


async def test_attempts_from_one_address_are_limited(http: httpx.AsyncClient) -> None:
    wrong = {"token": f"acme.{'x' * 43}"}
    tried = [await http.post("/v1/sessions", json=wrong) for _ in range(ADDRESS_SIGN_INS_PER_MINUTE)]
    assert {each.status_code for each in tried} == {401}
    answer = await http.post("/v1/sessions", json={"token": await link_token(http)})
    assert json_of(answer, 429)["type"] == "urn:rondo:error:limit-reached"
    assert int(answer.headers["retry-after"]) >= 1


# --- the cookie --------------------------------------------------------------------------------


async def test_the_cookie_is_no_scripts_and_no_other_sites(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/sessions", json={"token": await link_token(http)})
    cookie = cookie_of(answer)
    assert cookie.key == COOKIE
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "lax", "/")
    assert (cookie["domain"], cookie["secure"]) == ("", "")
    assert cookie["max-age"] == str(SessionTimes().max_s)
    assert answer.headers["cache-control"] == "no-store"
    assert cookie.value not in answer.text


async def test_by_https_the_cookie_is_secure_and_bound_to_the_host(world: FakeWorld) -> None:
    world.public_url = "https://chat.example.com"
    async with client_of(world.app()) as http:
        link = json_of(await http.post(LINKS, headers=KEY), 201)
        assert link["url"].startswith("https://chat.example.com/inbox/sign-in#token=")
        answer = await http.post("/v1/sessions", json={"token": link["url"].partition("=")[2]})
        cookie = cookie_of(answer)
        assert (cookie.key, cookie["secure"], cookie["path"]) == (f"__Host-{COOKIE}", True, "/")
        assert cookie["domain"] == ""
        csrf = {"X-CSRF-Token": answer.json()["csrf_token"]}
        shown = {"Cookie": f"{cookie.key}={cookie.value}"}
        assert (await http.get("/v1/session", headers=shown)).status_code == 200
        assert (
            await http.get("/v1/session", headers={"Cookie": f"{COOKIE}={cookie.value}"})
        ).status_code == 401
        for origin, status in (
            ("https://chat.example.com", 204),
            ("https://gateway", 204),  # As it is called behind a proxy.
            ("http://chat.example.com", 403),
            ("http://gateway", 403),
        ):
            headers = {**shown, **csrf, "Origin": origin}
            assert (await http.delete("/v1/session", headers=headers)).status_code == status, origin


async def test_without_a_session_nobody_is_there(http: httpx.AsyncClient) -> None:
    for cookie in ("", "x", f"acme.grace.{'x' * 43}", f"acme.grace.{'x' * 43}.more", "acme.grace"):
        headers = {"Cookie": f"{COOKIE}={cookie}"} if cookie else {}
        for path in ("/v1/session", "/v1/conversations"):
            answer = await http.get(path, headers=headers)
            assert json_of(answer, 401)["type"] == "urn:rondo:error:not-authenticated"


async def test_a_session_is_its_own_agents_and_its_own_workspaces_alone(
    http: httpx.AsyncClient, csrf: dict[str, str], other: httpx.AsyncClient
) -> None:
    workspace, agent, secret = str(http.cookies[COOKIE]).split(".")
    for forged in (f"{workspace}.bob.{secret}", f"globex.{agent}.{secret}"):
        answer = await other.get("/v1/session", headers={"Cookie": f"{COOKIE}={forged}", **csrf})
        assert answer.status_code == 401


# --- as an agent's credential ------------------------------------------------------------------


async def test_a_session_counts_where_the_agents_token_does(
    http: httpx.AsyncClient, csrf: dict[str, str], world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    assert json_of(await http.get(CHAT), 200)["agent"]["id"] == GRACE
    posted = json_of(await http.post(f"{CHAT}/messages", headers=csrf, json=MESSAGE), 201)
    assert posted["author"] == {"type": "agent", "id": "grace", "name": "Grace"}
    body = {"available": False}
    path = "/v1/agents/me/availability"
    assert json_of(await http.put(path, headers=csrf, json=body), 200)["available"] is False
    assert (await http.get("/v1/agents")).status_code == 403  # As her profile has it.
    assert (await http.get("/v1/push_key")).status_code == 200


async def test_nothing_is_changed_without_the_sessions_csrf_token(
    http: httpx.AsyncClient, csrf: dict[str, str], world: FakeWorld
) -> None:
    assert csrf
    await world.conversations.show(ACME, active())
    for method, path in (
        ("POST", f"{CHAT}/end"),
        ("POST", f"{CHAT}/messages"),
        ("PUT", "/v1/agents/me/availability"),
        ("PATCH", "/v1/workspace"),
        ("DELETE", "/v1/session"),
        ("DELETE", "/v1/sessions"),
    ):
        for token in (None, b"", b"x", "é".encode("latin-1")):
            sent = [] if token is None else [(b"X-CSRF-Token", token)]
            answer = await http.request(method, path, headers=sent, json=MESSAGE)
            assert json_of(answer, 403)["type"] == "urn:rondo:error:csrf", path
    assert (await http.get("/v1/session")).status_code == 200
    assert world.log.events == []


async def test_the_csrf_token_of_another_session_is_none(
    http: httpx.AsyncClient, csrf: dict[str, str], other: httpx.AsyncClient
) -> None:
    theirs = await signed_in(other)
    assert theirs != csrf
    answer = await http.delete("/v1/session", headers=theirs)
    assert json_of(answer, 403)["type"] == "urn:rondo:error:csrf"


@pytest.mark.parametrize("whence", FROM_ELSEWHERE)
async def test_a_cookie_opens_nothing_to_other_websites(
    http: httpx.AsyncClient, csrf: dict[str, str], world: FakeWorld, whence: dict[str, str]
) -> None:
    await world.settle(allowed_origins=["https://evil.example"])  # Known as a shop, even so.
    await world.conversations.show(ACME, active())
    for method, path in (
        ("GET", CHAT),
        ("GET", "/v1/session"),
        ("POST", f"{CHAT}/messages"),
        ("DELETE", "/v1/session"),
        ("GET", f"{CHAT}/stream"),
        ("GET", "/v1/agents/me/stream"),
        ("GET", "/v1/metrics/live/stream"),
    ):
        answer = await http.request(method, path, headers={**csrf, **whence}, json=MESSAGE)
        assert json_of(answer, 403)["type"] == "urn:rondo:error:csrf", path
        assert "access-control-allow-credentials" not in answer.headers
    assert (await http.get("/v1/session")).status_code == 200


async def test_a_cookie_counts_from_the_gateways_own_pages(http: httpx.AsyncClient) -> None:
    for whence in (
        {"Origin": "http://gateway"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://gateway", "Sec-Fetch-Site": "same-origin"},
    ):
        csrf = await signed_in(http)
        assert (await http.get("/v1/session", headers=whence)).status_code == 200
        assert (await http.head("/v1/agents/me/stream", headers=whence)).status_code == 200
        assert (await http.delete("/v1/session", headers={**csrf, **whence})).status_code == 204


async def test_a_link_from_elsewhere_may_lead_to_a_download_and_to_no_stream(
    http: httpx.AsyncClient, csrf: dict[str, str]
) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert (await http.get("/v1/conversations", headers=followed)).status_code == 200
    assert (await http.get("/v1/agents/me/stream", headers=followed)).status_code == 403
    assert (await http.delete("/v1/session", headers={**csrf, **followed})).status_code == 403


async def test_another_website_signs_nobody_in(http: httpx.AsyncClient) -> None:
    token = await link_token(http)
    for whence in FROM_ELSEWHERE:
        answer = await http.post("/v1/sessions", headers=whence, json={"token": token})
        assert json_of(answer, 403)["type"] == "urn:rondo:error:csrf"
    form = await http.post("/v1/sessions", headers={"Content-Type": "text/plain"}, content=token)
    assert form.status_code == 415
    assert (await http.post("/v1/sessions", json={"token": token})).status_code == 201


async def test_a_bearer_credential_wins_over_the_cookie(
    http: httpx.AsyncClient, csrf: dict[str, str], world: FakeWorld
) -> None:
    assert csrf
    await world.conversations.show(ACME, active())
    bob = bearer(world.agent_token(BOB))
    assert (await http.get(CHAT, headers=bob)).status_code == 403
    assert (
        await http.put("/v1/teams/t", headers=KEY, json={"name": "T", "agent_ids": []})
    ).status_code == 201
    visitor = bearer(world.visitor_token())
    elsewhere = {**visitor, "Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}
    await world.settle(allowed_origins=["https://shop.example"])
    answer = await http.post(f"{CHAT}/messages", headers=elsewhere, json=MESSAGE)
    assert json_of(answer, 201)["author"]["type"] == "visitor"
    for wrong in ({"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eA=="}):
        assert (await http.get(CHAT, headers=wrong)).status_code == 401
    stream = await http.get(f"/v1/agents/{GRACE}/stream?access_token={world.agent_token(BOB)}")
    assert stream.status_code == 403


async def test_a_session_does_not_stand_for_a_visitor(
    http: httpx.AsyncClient, csrf: dict[str, str]
) -> None:
    answer = await http.post("/v1/conversations", headers=csrf, json={"route": {"type": "round_robin"}})
    assert json_of(answer, 403)["type"] == "urn:rondo:error:not-permitted"
    assert (await http.post("/v1/visitor_sessions/refresh", headers=csrf)).status_code == 401


async def test_who_works_by_a_session_is_present(
    http: httpx.AsyncClient, csrf: dict[str, str], world: FakeWorld
) -> None:
    assert csrf
    await world.presence.lose(ACME)
    assert (await http.get("/v1/conversations")).status_code == 200
    assert await world.presence.ends_at(ACME, GRACE) == world.now + timedelta(seconds=75)


# --- how it ends -------------------------------------------------------------------------------


async def test_a_session_goes_on_while_it_is_used_and_ends_at_last(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    world.session_times = SessionTimes(idle_s=100, max_s=250)
    async with client_of(world.app()) as browser:
        await signed_in(browser)
        for waited_s, expires_s in ((90, 100), (90, 70), (69, 1)):
            world.now += timedelta(seconds=waited_s)
            session = json_of(await browser.get("/v1/session"), 200)
            expires_at = (world.now + timedelta(seconds=expires_s)).isoformat().replace("+00:00", "Z")
            assert session["expires_at"] == expires_at
        world.now += timedelta(seconds=1)
        assert (await browser.get("/v1/session")).status_code == 401
        await signed_in(browser)
        world.now += timedelta(seconds=100)
        assert (await browser.get("/v1/session")).status_code == 401
    assert http.cookies.get(COOKIE) is None


async def test_signing_out_ends_this_browsers_session_and_no_other(
    http: httpx.AsyncClient, csrf: dict[str, str], other: httpx.AsyncClient
) -> None:
    await signed_in(other)
    stolen = {"Cookie": f"{COOKIE}={http.cookies[COOKIE]}"}
    answer = await http.delete("/v1/session", headers=csrf)
    assert answer.status_code == 204
    assert (cookie_of(answer).key, cookie_of(answer)["max-age"]) == (COOKIE, "0")
    assert (await http.get("/v1/session")).status_code == 401
    assert (await http.get("/v1/session", headers=stolen)).status_code == 401
    again = await http.delete("/v1/session", headers={**stolen, **csrf})
    assert again.status_code == 204  # It has ended already.
    assert (await http.delete("/v1/session", headers=csrf)).status_code == 401
    assert (await other.get("/v1/session")).status_code == 200


@pytest.mark.parametrize("by_token", [False, True])
async def test_signing_out_everywhere_ends_every_session_of_the_agent(
    http: httpx.AsyncClient,
    csrf: dict[str, str],
    other: httpx.AsyncClient,
    world: FakeWorld,
    by_token: bool,
) -> None:
    await signed_in(other)
    token = bearer(world.agent_token())
    assert (await http.delete("/v1/sessions", headers=token if by_token else csrf)).status_code == 204
    for browser in (http, other):
        assert (await browser.get("/v1/session")).status_code == 401
    assert (await http.get("/v1/conversations", headers=token)).status_code == 200
    assert (await http.delete("/v1/sessions", headers=KEY)).status_code == 403
    await signed_in(other)
    assert (await other.get("/v1/session")).status_code == 200


async def test_signing_in_anew_ends_the_browsers_former_session(
    http: httpx.AsyncClient, csrf: dict[str, str]
) -> None:
    former = {"Cookie": f"{COOKIE}={http.cookies[COOKIE]}", **csrf}
    await signed_in(http)
    assert (await http.get("/v1/session", headers=former)).status_code == 401
    assert (await http.get("/v1/session")).status_code == 200


async def test_a_deleted_agent_is_signed_out_and_a_later_one_of_the_id_is_not_in(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    body = {"name": "Ann", "email": "ann@example.com"}
    for _ in range(2):  # The second time she is somebody else.
        assert (await http.put("/v1/agents/ann", headers=KEY, json=body)).status_code == 201
        links = [
            json_of(await http.post("/v1/agents/ann/sign_in_links", headers=KEY), 201) for _ in range(2)
        ]
        tokens = [each["url"].partition("=")[2] for each in links]
        async with client_of(world.app()) as browser:
            assert (await browser.post("/v1/sessions", json={"token": tokens[0]})).status_code == 201
            changed = await http.put("/v1/agents/ann", headers=KEY, json={**body, "name": "Anna"})
            assert changed.status_code == 200
            assert (await browser.get("/v1/session")).json()["agent"]["name"] == "Anna"
            assert (await http.delete("/v1/agents/ann", headers=KEY)).status_code == 204
            assert (await browser.get("/v1/session")).status_code == 401
            assert (await browser.post("/v1/sessions", json={"token": tokens[1]})).status_code == 401
            assert (await http.put("/v1/agents/ann", headers=KEY, json=body)).status_code == 201
            assert (await browser.get("/v1/session")).status_code == 401
            assert (await browser.post("/v1/sessions", json={"token": tokens[1]})).status_code == 401
        assert (await http.delete("/v1/agents/ann", headers=KEY)).status_code == 204


async def test_a_deleted_workspace_signs_everybody_out(
    http: httpx.AsyncClient, csrf: dict[str, str], world: FakeWorld
) -> None:
    assert csrf
    root = bearer(ROOT_KEY)
    assert (await http.delete(f"/v1/workspaces/{ACME}", headers=root)).status_code == 204
    assert (await http.get("/v1/session")).status_code == 401
    world.now += timedelta(seconds=1)
    made = await http.post("/v1/workspaces", headers=root, json={"id": ACME, "name": "Acme"})
    key = bearer(json_of(made, 201)["api_key"])
    body = {"name": "Grace", "email": "grace@example.com"}
    await http.put(f"/v1/agents/{GRACE}", headers=key, json=body)
    assert (await http.get("/v1/session")).status_code == 401


async def test_with_the_store_out_of_reach_nobody_is_taken_for_signed_out(
    http: httpx.AsyncClient, csrf: dict[str, str], world: FakeWorld
) -> None:
    token = await link_token(http)
    world.sessions.is_unreachable = True
    for answer in (
        await http.get("/v1/session"),
        await http.delete("/v1/session", headers=csrf),
        await http.post("/v1/sessions", json={"token": token}),
    ):
        assert answer.status_code == 503
        assert "set-cookie" not in answer.headers
    world.sessions.is_unreachable = False
    assert (await http.post("/v1/sessions", json={"token": token})).status_code == 201


# --- live --------------------------------------------------------------------------------------


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("path", ["/v1/agents/me/stream", f"{CHAT}/stream", "/v1/metrics/live/stream"])
async def test_a_stream_ends_when_its_session_does(
    http: httpx.AsyncClient, world: FakeWorld, path: str, everywhere: bool
) -> None:
    await world.conversations.show(ACME, active())
    await with_profile(world, "live_agent", Permission.ANALYTICS_VIEW, Permission.LIVE_CHAT_VIEW_MY)
    app = world.app()
    csrf = await signed_in(http)
    cookie = {"Cookie": f"{COOKIE}={http.cookies[COOKIE]}"}
    async with reading(app, path, cookie) as stream:
        assert [each.type for each in await stream.take(1)] == ["snapshot"]
        gone = "/v1/sessions" if everywhere else "/v1/session"
        assert (await http.delete(gone, headers=csrf)).status_code == 204
        last = await stream.next()
        while last is not None and (following := await stream.next()) is not None:
            last = following
    if "metrics" not in path:
        assert last is not None
        assert (last.type, last.data["reason"]) == ("stream.closed", "not_permitted")
    assert stream.is_over


async def test_another_browsers_stream_goes_on(
    http: httpx.AsyncClient, csrf: dict[str, str], other: httpx.AsyncClient, world: FakeWorld
) -> None:
    await signed_in(other)
    cookie = {"Cookie": f"{COOKIE}={other.cookies[COOKIE]}"}
    async with reading(world.app(), "/v1/agents/me/stream", cookie) as stream:
        await stream.take(1)
        assert (await http.delete("/v1/session", headers=csrf)).status_code == 204
        theirs = await signed_in(http)
        assert (await http.delete("/v1/session", headers=theirs)).status_code == 204
        told = StreamEvent(
            id=EventId("e-1"),
            type="agent.availability_changed",
            conversation_id=None,
            occurred_at=NOON,
            data={},
        )
        await world.mailboxes.deliver(agent_mailbox_key(ACME, GRACE), told)
        assert [each.type for each in await stream.take(1)] == ["agent.availability_changed"]


@pytest.fixture
async def gateway(world: FakeWorld) -> AsyncIterator[Served]:
    await world.conversations.show(ACME, active())
    async with served(world) as running:
        yield running


async def test_a_socket_by_session_takes_commands_and_closes_with_it(
    http: httpx.AsyncClient, csrf: dict[str, str], gateway: Served
) -> None:
    here = {
        "Origin": f"http://127.0.0.1:{gateway.port}",
        "Sec-Fetch-Site": "cross-site",
    }  # As some browsers say.
    cookie = {"Cookie": f"{COOKIE}={http.cookies[COOKIE]}", **here}
    async with gateway.socket("/v1/agents/me/socket", **cookie) as connection:
        assert (await heard(connection))["type"] == "snapshot"
        frame = {"id": 1, "type": "message", "conversation_id": CNV, "data": MESSAGE}
        assert (await asked(connection, frame))["result"]["author"]["id"] == GRACE
        assert (await http.delete("/v1/session", headers=csrf)).status_code == 204
        while (last := await heard(connection))["type"] != "stream.closed":
            pass
        assert last["data"]["reason"] == "not_permitted"
        await connection.wait_closed()
        assert connection.close_code == 1008


@pytest.mark.parametrize("path", ["/v1/agents/me/socket", f"{CHAT}/socket"])
async def test_another_websites_page_gets_no_socket(
    http: httpx.AsyncClient, csrf: dict[str, str], gateway: Served, path: str
) -> None:
    assert csrf
    for whence in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        cookie = {"Cookie": f"{COOKIE}={http.cookies[COOKIE]}", **whence}
        async with gateway.socket(path, **cookie) as connection:
            refusal = await heard(connection)
            assert refusal["data"]["problem"]["type"] == "urn:rondo:error:csrf"
            await connection.wait_closed()
            assert connection.close_code == 1008
