"""What pages of websites may read: CORS, on everything that the widget calls."""

from __future__ import annotations

import httpx
import pytest

from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    CNV,
    GLOBEX,
    FakeWorld,
    active,
    bearer,
    client_of,
)
from tests.gateway.stream_reader import StreamReader

SHOP = "https://shop.example"
OTHER_SHOP = "https://other.example"
EVIL = "https://evil.example"
PATH = f"/v1/conversations/{CNV}"
MESSAGE = {"client_message_id": "m", "text": "hej"}


@pytest.fixture
async def world() -> FakeWorld:
    furnished = FakeWorld()
    await furnished.furnish()
    await furnished.settle(allowed_origins=[SHOP])
    await furnished.settle(GLOBEX, allowed_origins=[OTHER_SHOP])
    await furnished.conversations.show(ACME, active())
    return furnished


def cors_of(answer: httpx.Response) -> str | None:
    allowed: str | None = answer.headers.get("access-control-allow-origin")
    return allowed


WIDGET_CALLS = [
    ("POST", "/v1/visitor_sessions"),
    ("POST", "/v1/visitor_sessions/refresh"),
    ("POST", "/v1/conversations"),
    ("GET", PATH),
    ("GET", f"{PATH}/messages"),
    ("POST", f"{PATH}/messages"),
    ("POST", f"{PATH}/typing"),
    ("POST", f"{PATH}/read"),
    ("POST", f"{PATH}/withdraw"),
    ("POST", f"{PATH}/end"),
    ("GET", f"{PATH}/stream"),
    ("GET", f"{PATH}/transcript"),
]


@pytest.mark.parametrize(("method", "path"), WIDGET_CALLS)
async def test_a_preflight_of_an_allowed_page_says_what_it_may_send(
    http: httpx.AsyncClient, method: str, path: str
) -> None:
    headers = {
        "Origin": SHOP,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }
    answer = await http.options(path, headers=headers)
    assert answer.status_code == 204
    assert cors_of(answer) == SHOP
    assert method in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert {"authorization", "content-type", "idempotency-key", "last-event-id"} <= set(allowed)
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(("method", "path"), WIDGET_CALLS)
async def test_a_preflight_of_any_other_page_is_refused(
    http: httpx.AsyncClient, method: str, path: str
) -> None:
    headers = {"Origin": EVIL, "Access-Control-Request-Method": method}
    answer = await http.options(path, headers=headers)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert cors_of(answer) is None


async def test_a_page_of_an_allowed_origin_reads_what_its_visitor_may(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    headers = {"Origin": SHOP, **bearer(world.visitor_token())}
    for answer, status in (
        (await http.get(PATH, headers=headers), 200),
        (await http.post(f"{PATH}/messages", headers=headers, json=MESSAGE), 201),
        (await http.get("/v1/conversations/cnv_none", headers=headers), 404),
        (await http.post(f"{PATH}/messages", headers=headers, content=b"{"), 415),
        (await http.get(f"{PATH}/messages", headers=headers), 200),
        (await http.get(PATH, headers={"Origin": SHOP, **bearer("expired")}), 401),
        (await http.get(PATH, headers={"Origin": SHOP}), 401),
    ):
        assert answer.status_code == status
        assert cors_of(answer) == SHOP
        assert "Origin" in answer.headers["vary"]
        assert "Retry-After" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", [EVIL, OTHER_SHOP, "null"])
async def test_a_visitors_token_works_from_no_other_page(
    http: httpx.AsyncClient, world: FakeWorld, origin: str
) -> None:
    headers = {"Origin": origin, **bearer(world.visitor_token())}
    for answer in (
        await http.get(PATH, headers=headers),
        await http.post(f"{PATH}/messages", headers=headers, json=MESSAGE),
        await http.get(f"{PATH}?access_token={world.visitor_token()}", headers={"Origin": origin}),
    ):
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:rondo:error:origin-not-allowed"
        assert cors_of(answer) is None
    assert world.log.events == []


async def test_removing_an_origin_takes_effect_at_once(http: httpx.AsyncClient, world: FakeWorld) -> None:
    headers = {"Origin": SHOP, **bearer(world.visitor_token())}
    assert (await http.get(PATH, headers=headers)).status_code == 200
    await world.settle(allowed_origins=[])
    assert (await http.get(PATH, headers=headers)).status_code == 403
    preflight = {"Origin": SHOP, "Access-Control-Request-Method": "GET"}
    assert (await http.options(PATH, headers=preflight)).status_code == 403


async def test_without_an_origin_nothing_changes(http: httpx.AsyncClient, world: FakeWorld) -> None:
    for credential in (ACME_KEY, world.visitor_token(), world.agent_token()):
        answer = await http.get(PATH, headers=bearer(credential))
        assert answer.status_code == 200
        assert cors_of(answer) is None
        assert answer.headers["vary"] == "Origin"


async def test_agents_and_keys_are_no_visitors_and_pages_do_not_read_what_they_get(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    for credential in (ACME_KEY, world.agent_token()):
        answer = await http.get(PATH, headers={"Origin": EVIL, **bearer(credential)})
        assert answer.status_code == 200
        assert cors_of(answer) is None


async def test_pages_that_the_gateway_serves_may_call_it(world: FakeWorld) -> None:
    async with client_of(world.app()) as http:
        headers = {"Origin": "http://gateway", **bearer(world.visitor_token())}
        assert (await http.post(f"{PATH}/messages", headers=headers, json=MESSAGE)).status_code == 201


async def test_what_the_widget_does_not_call_knows_nothing_of_origins(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/workspace", headers={"Origin": SHOP, **bearer(ACME_KEY)})
    assert answer.status_code == 200
    assert cors_of(answer) is None


async def test_a_stream_is_read_from_an_allowed_page_alone(world: FakeWorld) -> None:
    app = world.app()
    for origin, status, allowed in ((SHOP, 200, SHOP), (EVIL, 403, None)):
        query = f"access_token={world.visitor_token()}"
        reader = StreamReader(app, f"{PATH}/stream", {"Origin": origin, "Host": "gateway"}, query)
        start = await reader.start()
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        assert start["status"] == status
        assert headers.get("access-control-allow-origin") == allowed
        await reader.next() if status == 200 else None
        reader.leave()
        assert reader.task is not None
        reader.task.cancel()
