"""Signing in by an OpenID Connect issuer: the gateway over fakes, and a real provider on loopback."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr, ValidationError

from rondo_common.directory.entries import AgentEntry, Kind
from rondo_common.events import AgentDefined
from rondo_common.ids import AgentId
from rondo_gateway.adapters.oidc_issuer import Client, HttpIssuer, is_confidential
from rondo_gateway.domain.oidc import FLOW_TTL
from rondo_gateway.handlers.rate_limits import ADDRESS_SIGN_INS_PER_MINUTE
from rondo_gateway.ports import Definition
from rondo_gateway.settings import GatewaySettings
from tests.gateway.fake_world import ACME, FakeWorld, client_of, json_of
from tests.gateway.oidc_provider import CLIENT_ID, CLIENT_SECRET, Behaviour, Provider, served_provider

GRACE_THERE = {"sub": "g-1906", "email": "grace@example.com", "email_verified": True}


@pytest.fixture(scope="module")
def serving() -> Iterator[Provider]:
    with served_provider() as provider:
        yield provider


@pytest.fixture
def provider(serving: Provider) -> Provider:
    """The module's provider, which behaves well until the test says otherwise."""
    serving.behaviour = Behaviour(person=dict(GRACE_THERE))
    serving.codes.clear()
    return serving


@pytest.fixture
async def loopback() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture
async def browser(
    world: FakeWorld, provider: Provider, loopback: httpx.AsyncClient
) -> AsyncIterator[Browser]:
    provider.clock = lambda: world.now
    world.issuer = issuer_at(provider.issuer, loopback, world)
    async with client_of(world.app()) as gateway:
        yield Browser(gateway, loopback)


def issuer_at(
    url: str, http: httpx.AsyncClient, world: FakeWorld, secret: str | None = CLIENT_SECRET
) -> HttpIssuer:
    return HttpIssuer(url, Client(CLIENT_ID, secret), http, lambda: world.now)


class Browser:
    """A person's browser, which keeps the gateway's cookies."""

    def __init__(self, gateway: httpx.AsyncClient, loopback: httpx.AsyncClient) -> None:
        self.gateway = gateway
        self._loopback = loopback

    async def start(self, workspace_id: str = ACME, **query: str) -> str:
        """Where the gateway sends them: to the issuer, or to its sign-in page."""
        answer = await self.gateway.get("/v1/oidc/start", params={"workspace_id": workspace_id, **query})
        assert answer.status_code == HTTPStatus.FOUND
        assert answer.headers["cache-control"] == "no-store"
        return str(answer.headers["location"])

    async def visit(self, url: str) -> str:
        """Where the issuer sends them back to."""
        return str((await self._loopback.get(url)).headers["location"])

    async def come_back(self, url: str) -> str:
        """The page they come to."""
        answer = await self.gateway.get(url)
        assert answer.status_code == HTTPStatus.FOUND
        return str(answer.headers["location"])

    async def sign_in(self, **query: str) -> str:
        """All of it: the page they come to."""
        return await self.come_back(await self.visit(await self.start(**query)))

    async def problem(self, **query: str) -> str:
        """Why they are back on the sign-in page, without a session."""
        return await self.problem_at(await self.sign_in(**query))

    async def problem_at(self, page: str) -> str:
        assert urlsplit(page).path == "/inbox/sign-in", page
        assert (await self.gateway.get("/v1/session")).status_code == 401
        return parse_qs(urlsplit(page).query)["problem"][0]


def bent(url: str, **changed: str) -> str:
    """A URL with some of its query changed."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return urlsplit(url)._replace(query=urlencode(query | changed)).geturl()


async def with_agents(world: FakeWorld, **emails: str) -> None:
    for name, email in emails.items():
        entry = AgentEntry(id=AgentId(name), name=name, email=email)
        await world.directory.write(ACME, [Definition(Kind.AGENT, name, AgentDefined(agent=entry))])


async def test_who_the_issuer_vouches_for_is_signed_in_where_they_wanted_to_go(browser: Browser) -> None:
    page = await browser.sign_in(return_to="/inbox/conversations/cnv_1?tab=visitor")
    assert page == "/inbox/conversations/cnv_1?tab=visitor"
    session = json_of(await browser.gateway.get("/v1/session"), 200)
    assert (session["workspace"]["id"], session["agent"]["id"]) == ("acme", "grace")
    assert session["csrf_token"]


async def test_the_issuer_is_asked_by_the_book(browser: Browser, provider: Provider) -> None:
    url = await browser.start()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert url.startswith(f"{provider.issuer}/authorize?")
    assert asked["response_type"] == "code"
    assert asked["client_id"] == CLIENT_ID
    assert asked["redirect_uri"] == "http://gateway/v1/oidc/callback"
    assert asked["scope"].split() == ["openid", "email"]
    assert asked["code_challenge_method"] == "S256"
    again = {name: values[0] for name, values in parse_qs(urlsplit(await browser.start()).query).items()}
    for secret in ("state", "nonce", "code_challenge"):
        assert len(asked[secret]) >= 43
        assert asked[secret] != again[secret]


async def test_what_is_kept_of_a_sign_in_opens_nothing(browser: Browser, world: FakeWorld) -> None:
    url = await browser.start()
    secrets = [*parse_qs(urlsplit(url).query)["state"], *browser.gateway.cookies.values()]
    kept = " ".join(f"{ticket} {content}" for ticket, content in world.tickets.kept.items())
    assert len(secrets) == 2
    for each in secrets:
        assert each.rpartition(".")[2] not in kept


@pytest.mark.parametrize(
    ("algorithm", "email", "in_token"),
    [("ES256", "Grace@Example.COM", True), ("RS256", "grace@example.com", False)],
)
async def test_the_email_may_stand_in_the_token_or_be_asked_for(
    browser: Browser, provider: Provider, email: str, algorithm: str, in_token: bool
) -> None:
    provider.behaviour.algorithm = algorithm
    provider.behaviour.tells_email_in_token = in_token
    provider.behaviour.person = {**GRACE_THERE, "email": email}
    assert await browser.sign_in() == "/inbox/"


@pytest.mark.parametrize(
    ("methods", "secret", "used"),
    [
        (("client_secret_basic", "client_secret_post"), CLIENT_SECRET, "client_secret_basic"),
        (("client_secret_post",), CLIENT_SECRET, "client_secret_post"),
        (("none",), None, "none"),
    ],
)
async def test_the_gateway_shows_itself_as_the_issuer_wants_it(
    world: FakeWorld,
    provider: Provider,
    loopback: httpx.AsyncClient,
    methods: tuple[str, ...],
    secret: str | None,
    used: str,
) -> None:
    provider.behaviour.auth_methods = methods
    provider.clock = lambda: world.now
    world.issuer = issuer_at(provider.issuer, loopback, world, secret)
    async with client_of(world.app()) as gateway:
        assert await Browser(gateway, loopback).sign_in() == "/inbox/"
    assert provider.behaviour.seen_methods[-1] == used


LIES: list[dict[str, Any]] = [
    {"aud": "another-client"},
    {"aud": ["another-client"]},
    {"aud": [CLIENT_ID, "another-client"]},
    {"azp": "another-client"},
    {"iss": "https://another-issuer.example"},
    {"nonce": "of-another-sign-in"},
    {"nonce": None},
    {"exp": "soon"},
    {"exp": None},
    {"iat": None},
]


async def test_an_identity_for_somebody_or_something_else_signs_nobody_in(
    browser: Browser, provider: Provider
) -> None:
    for lies in LIES:
        provider.behaviour.lies = lies
        assert await browser.problem() == "identity-invalid", lies
    provider.behaviour.lies = {}
    assert await browser.sign_in() == "/inbox/"


async def test_a_nonce_that_was_changed_on_the_way_is_found_out(browser: Browser) -> None:
    url = bent(await browser.start(), nonce="chosen-by-somebody-else")
    page = await browser.come_back(await browser.visit(url))
    assert await browser.problem_at(page) == "identity-invalid"


@pytest.mark.parametrize(
    ("issued_s", "expires_s", "page"),
    [
        (-3600, -59, "/inbox/"),
        (-3600, -60, "identity-invalid"),
        (60, 3600, "/inbox/"),
        (61, 3600, "identity-invalid"),
    ],
)
async def test_an_identity_counts_only_in_its_time_give_or_take_a_minute(
    browser: Browser, provider: Provider, world: FakeWorld, issued_s: int, expires_s: int, page: str
) -> None:
    now_s = int(world.now.timestamp())
    provider.behaviour.lies = {"iat": now_s + issued_s, "exp": now_s + expires_s}
    reached = await browser.sign_in()
    assert (reached if reached == "/inbox/" else await browser.problem_at(reached)) == page


def of_a_strange_key(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": "ec"})


def of_an_unknown_key(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": "new"})


def unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "", "none")


def by_the_clients_secret(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, CLIENT_SECRET.ljust(32, "-"), "HS256", headers={"kid": "ec"})


def garbage(claims: dict[str, Any]) -> str:
    return f"{claims}"


async def test_what_the_issuer_did_not_sign_signs_nobody_in(browser: Browser, provider: Provider) -> None:
    for forge in (of_a_strange_key, of_an_unknown_key, unsigned, by_the_clients_secret, garbage):
        provider.behaviour.forge = forge
        assert await browser.problem() == "identity-invalid", forge
    provider.behaviour.forge = None
    assert await browser.sign_in() == "/inbox/"


async def test_an_email_that_the_issuer_does_not_vouch_for_signs_nobody_in(
    browser: Browser, provider: Provider
) -> None:
    unsure: list[dict[str, Any]] = [
        {"email": "grace@example.com"},
        {"email": "grace@example.com", "email_verified": False},
        {"email": "grace@example.com", "email_verified": "no"},
        {"email_verified": True},
    ]
    for said in unsure:
        provider.behaviour.person = {"sub": "g-1906", **said}
        for in_token in (True, False):
            provider.behaviour.tells_email_in_token = in_token
            assert await browser.problem() == "email-unverified", (said, in_token)


async def test_userinfo_of_somebody_else_signs_nobody_in(browser: Browser, provider: Provider) -> None:
    provider.behaviour.tells_email_in_token = False
    provider.behaviour.userinfo_sub = "somebody-else"
    assert await browser.problem() == "identity-invalid"


async def test_who_is_no_agent_here_or_cannot_be_told_apart_is_not_signed_in(
    browser: Browser, provider: Provider, world: FakeWorld
) -> None:
    provider.behaviour.person = {**GRACE_THERE, "email": "mallory@example.com"}
    assert await browser.problem() == "agent-unknown"
    await with_agents(world, m1="mallory@example.com", m2="Mallory@example.com")
    assert await browser.problem() == "agent-ambiguous"


async def test_an_address_that_only_looks_alike_is_another(
    browser: Browser, provider: Provider, world: FakeWorld
) -> None:
    await with_agents(world, kelvin="\u212aelvin@example.com")  # KELVIN SIGN, which is a k in small.
    provider.behaviour.person = {**GRACE_THERE, "email": "kelvin@example.com"}
    assert await browser.problem() == "agent-unknown"


async def test_a_state_is_good_for_one_use(browser: Browser) -> None:
    back = await browser.visit(await browser.start())
    cookies = dict(browser.gateway.cookies)
    assert await browser.come_back(back) == "/inbox/"
    browser.gateway.cookies.clear()
    browser.gateway.cookies.update(cookies)
    assert await browser.problem_at(await browser.come_back(back)) == "expired"


async def test_a_sign_in_is_finished_in_the_browser_it_was_begun_in(browser: Browser) -> None:
    back = await browser.visit(await browser.start())
    browser.gateway.cookies.clear()
    assert await browser.problem_at(await browser.come_back(back)) == "expired"
    another = await browser.visit(await browser.start())
    await browser.start()  # The cookie is of this one now.
    assert await browser.problem_at(await browser.come_back(another)) == "expired"


async def test_a_state_that_was_never_given_out_is_no_good(browser: Browser) -> None:
    for state in ("", "acme", "acme.short", f"acme.{'x' * 43}", "..", f"x.y.{'x' * 43}"):
        await browser.start()
        page = await browser.come_back(f"/v1/oidc/callback?{urlencode({'state': state, 'code': 'c'})}")
        assert await browser.problem_at(page) == "expired"


async def test_signing_in_may_take_ten_minutes(browser: Browser, world: FakeWorld) -> None:
    back = await browser.visit(await browser.start())
    world.now += FLOW_TTL
    assert await browser.problem_at(await browser.come_back(back)) == "expired"


async def test_a_code_of_another_sign_in_is_not_redeemed(browser: Browser) -> None:
    """PKCE: the code was stolen, and is put into a sign-in that was begun here."""
    stolen = await browser.visit(await browser.start())
    browser.gateway.cookies.clear()
    back = await browser.visit(await browser.start())
    code = parse_qs(urlsplit(stolen).query)["code"][0]
    assert await browser.problem_at(await browser.come_back(bent(back, code=code))) == "provider-refused"


async def test_who_says_no_at_the_issuer_is_told_so(browser: Browser, provider: Provider) -> None:
    provider.behaviour.person = None
    url = await browser.start()
    state = parse_qs(urlsplit(url).query)["state"][0]
    # This provider asks a stranger to log in; another says it at once.
    back = f"/v1/oidc/callback?{urlencode({'state': state, 'error': 'access_denied'})}"
    page = await browser.come_back(back)
    assert await browser.problem_at(page) == "cancelled"
    assert parse_qs(urlsplit(page).query)["workspace_id"] == ["acme"]


async def test_an_issuer_that_refuses_or_says_nothing_is_told_so(browser: Browser) -> None:
    for said in ({"error": "server_error"}, {}):
        state = parse_qs(urlsplit(await browser.start()).query)["state"][0]
        page = await browser.come_back(f"/v1/oidc/callback?{urlencode({'state': state, **said})}")
        assert await browser.problem_at(page) == "provider-refused"


async def test_an_answer_in_another_issuers_name_signs_nobody_in(
    browser: Browser, provider: Provider
) -> None:
    back = await browser.visit(await browser.start())
    assert await browser.come_back(bent(back, iss=provider.issuer)) == "/inbox/"
    browser.gateway.cookies.clear()
    back = await browser.visit(await browser.start())
    page = await browser.come_back(bent(back, iss="https://another-issuer.example"))
    assert await browser.problem_at(page) == "identity-invalid"


async def test_an_issuer_out_of_reach_is_told_in_words_and_found_again(
    browser: Browser, provider: Provider, world: FakeWorld
) -> None:
    provider.behaviour.is_broken = True
    assert await browser.problem_at(await browser.start()) == "provider-unreachable"
    provider.behaviour.is_broken = False
    provider.behaviour.calls_itself = "https://another-issuer.example"
    assert await browser.problem_at(await browser.start()) == "provider-unreachable"
    provider.behaviour.calls_itself = None
    assert await browser.sign_in() == "/inbox/"
    assert world.sessions.kept


async def test_an_issuer_that_is_down_is_told_in_words(
    world: FakeWorld, provider: Provider, loopback: httpx.AsyncClient
) -> None:
    with served_provider() as gone:
        closed = gone.issuer
    world.issuer = issuer_at(closed, loopback, world)
    async with client_of(world.app()) as gateway:
        page = await Browser(gateway, loopback).start()
    assert parse_qs(urlsplit(page).query) == {"problem": ["provider-unreachable"], "workspace_id": ["acme"]}
    assert provider.behaviour.seen_methods == []


async def test_nobody_is_sent_out_of_the_inbox(browser: Browser) -> None:
    for place in ("https://evil.example/", "//evil.example/inbox/", "/inbox/../v1/session", ""):
        assert await browser.sign_in(return_to=place) == "/inbox/"


async def test_an_unknown_workspace_and_no_issuer_are_told_in_words(
    browser: Browser, world: FakeWorld
) -> None:
    assert await browser.problem_at(await browser.start("initech")) == "workspace-unknown"
    world.issuer = None
    async with client_of(world.app()) as gateway:
        assert (await gateway.get("/v1/sign_in_methods?workspace_id=acme")).json() == {"oidc": False}
        answer = await gateway.get("/v1/oidc/start?workspace_id=acme")
        assert answer.headers["location"] == "/inbox/sign-in?problem=not-set-up&workspace_id=acme"
    answer = await browser.gateway.get("/v1/sign_in_methods?workspace_id=acme")
    assert json_of(answer, 200) == {"oidc": True}


async def test_too_many_attempts_and_a_store_out_of_reach_are_told_in_words(
    browser: Browser, world: FakeWorld
) -> None:
    world.tickets.is_unreachable = True
    assert await browser.problem_at(await browser.start()) == "unavailable"
    world.tickets.is_unreachable = False
    pages = [await browser.start() for _ in range(ADDRESS_SIGN_INS_PER_MINUTE)]
    assert await browser.problem_at(pages[-1]) == "too-many-attempts"
    assert "/authorize?" in pages[0]


@pytest.mark.parametrize(
    ("issuer", "client_id", "is_taken"),
    [
        ("", "", True),
        ("https://id.example/realms/acme", "rondo", True),
        ("http://127.0.0.1:8080", "rondo", True),
        ("https://id.example", "", False),
        ("http://id.example", "rondo", False),
        ("http://localhost.id.example", "rondo", False),
    ],
)
def test_an_issuer_is_set_up_whole_or_not_at_all(issuer: str, client_id: str, is_taken: bool) -> None:
    with contextlib.nullcontext() if is_taken else pytest.raises(ValidationError):
        GatewaySettings(
            kafka_bootstrap="",
            redis_url=SecretStr("redis://localhost"),
            http_port=0,
            root_key=SecretStr("x" * 16),
            token_secret=SecretStr("x" * 32),
            history_url="",
            oidc_issuer=issuer,
            oidc_client_id=client_id,
        )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://id.example/token", True),
        ("http://127.0.0.1:8080/token", True),
        ("http://[::1]/token", True),
        ("http://localhost/token", True),
        ("http://id.example/token", False),
        ("http://127.0.0.1.evil.example/", False),
        ("ftp://127.0.0.1/", False),
        ("https://", False),
        ("http://[", False),
    ],
)
def test_secrets_go_by_https_or_stay_on_this_machine(url: str, expected: bool) -> None:
    assert is_confidential(url) is expected
