"""Webhook endpoints over HTTP: provisioning, secrets, deliveries, tests and replays."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import httpx
import pytest

from rondo_common.directory.entries import WebhookEntry
from rondo_common.ids import EventId, WebhookId
from rondo_common.webhooks import (
    OLD_SECRET_VALID_S,
    Attempt,
    DeliveryRecord,
    DeliveryState,
    WebhookAnswer,
)
from rondo_gateway.ports import EndpointState
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    GLOBEX_KEY,
    NOON,
    FakeWorld,
    bearer,
    client_of,
    json_of,
)

KEY = bearer(ACME_KEY)
URL = "https://crm.example.com/rondo"
CRM = WebhookId("crm")
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


async def put(http: httpx.AsyncClient, status: int = 201, **body: Any) -> Any:
    answer = await http.put("/v1/webhooks/crm", json={"url": URL, **body}, headers=KEY)
    return json_of(answer, status)


async def post(http: httpx.AsyncClient, path: str, status: int, body: Any = None) -> Any:
    return json_of(await http.post(f"/v1/webhooks/crm/{path}", json=body, headers=KEY), status)


def entry_in(world: FakeWorld) -> WebhookEntry:
    found = world.directory.find(ACME)
    assert found is not None
    return found.webhooks[CRM].entry


async def test_a_new_endpoint_is_given_a_secret_which_is_shown_once(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    shown = await put(http)
    assert len(base64.b64decode(shown["secret"].removeprefix("whsec_"))) == 32
    assert [each.secret for each in entry_in(world).secrets] == [shown["secret"]]
    read = json_of(await http.get("/v1/webhooks/crm", headers=KEY), 200)
    expected = {
        "id": "crm",
        "url": URL,
        "event_types": ["*"],
        "enabled": True,
        "disabled_by_failure": False,
        "failing_since": None,
        "secret": None,
    }
    assert read == expected
    assert (await put(http, 200)) == expected
    listed = json_of(await http.get("/v1/webhooks", headers=KEY), 200)
    assert listed == {"data": [expected], "next_cursor": None}
    assert [each.secret for each in entry_in(world).secrets] == [shown["secret"]]


async def test_a_secret_of_the_callers_own_is_taken_and_not_shown(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    assert (await put(http, secret=SECRET))["secret"] is None
    assert entry_in(world).secrets[0].secret == SECRET


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_c2hvcnQ=", SECRET.removeprefix("whsec_"), "whsec_" + "A" * 100, "whsec_!!!!"],
)
async def test_a_secret_that_is_none_is_refused(http: httpx.AsyncClient, secret: str) -> None:
    problem = await put(http, 422, secret=secret)
    assert problem["errors"][0]["pointer"] == "/secret"
    assert len(secret) <= len("whsec_") or secret not in str(problem)


async def test_rotation_gives_a_new_secret_and_leaves_the_old_one_a_day(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await put(http, secret=SECRET)
    before = entry_in(world)
    shown = await post(http, "rotate_secret", 200)
    new, old = entry_in(world).secrets
    assert (new.secret, new.valid_until) == (shown["secret"], None)
    assert (old.secret, old.valid_until) == (SECRET, NOON + timedelta(seconds=OLD_SECRET_VALID_S))
    assert entry_in(world).activation == before.activation
    again = await post(http, "rotate_secret", 200)
    assert [each.secret for each in entry_in(world).secrets] == [again["secret"], new.secret]


async def test_another_secret_in_a_put_is_a_rotation(http: httpx.AsyncClient, world: FakeWorld) -> None:
    given = (await put(http))["secret"]
    await put(http, 200, secret=SECRET)
    assert [each.secret for each in entry_in(world).secrets] == [SECRET, given]


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example.com/",
        "ftp://crm.example.com/",
        "file:///etc/passwd",
        "//crm.example.com/",
        "crm.example.com",
        "https://",
        "https:///path",
        "https://user:secret@crm.example.com/",
        "https://user@crm.example.com/",
        "https://crm.example.com/#part",
        "https://crm.example.com:0/",
        "https://crm.example.com:99999/",
        "https://crm.example.com:port/",
        "https://crm example.com/",
        "https://crm.example.com/\r\nx: y",
        "https://crm.example.com\\@localhost/",
        "https://[::1/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/",
        "https://x.localhost./",
        "javascript:alert(1)",
        "",
    ],
)
async def test_an_address_that_nothing_should_be_sent_to_is_refused(
    http: httpx.AsyncClient, url: str
) -> None:
    problem = await put(http, 422, url=url)
    assert problem["errors"][0]["pointer"] == "/url"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/hook", "http://localhost/", "https://10.0.0.1/"])
async def test_private_addresses_and_http_are_taken_where_the_installation_allows_them(
    world: FakeWorld, url: str
) -> None:
    world.webhook_allow_private = True
    async with client_of(world.app()) as http:
        assert (await put(http, url=url))["url"] == url


@pytest.mark.parametrize(
    "event_types", [[], ["conversation.begun"], ["rondo.message.posted.v1"], "*", ["webhook.test"], [1]]
)
async def test_types_of_events_that_are_never_sent_are_refused(
    http: httpx.AsyncClient, event_types: Any
) -> None:
    problem = await put(http, 422, event_types=event_types)
    assert problem["errors"][0]["pointer"].startswith("/event_types")


async def test_types_are_the_names_of_the_live_streams(http: httpx.AsyncClient) -> None:
    wanted = ["conversation.ended", "assignment.offered", "message.posted", "agent.availability_changed"]
    assert (await put(http, event_types=[*wanted, "message.posted"]))["event_types"] == wanted


async def test_what_happened_while_it_was_switched_off_is_not_what_it_asks_for(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await put(http)
    world.now = NOON + timedelta(hours=1)
    await put(http, 200, event_types=["message.posted"])
    assert entry_in(world).active_since == NOON
    await put(http, 200, enabled=False)
    world.now = NOON + timedelta(hours=2)
    await put(http, 200)
    assert entry_in(world).active_since == world.now


async def test_an_endpoint_that_was_given_up_says_so_until_it_is_put_again(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await put(http)
    world.webhook_desk.known[ACME, CRM] = EndpointState(NOON, entry_in(world).activation)
    shown = json_of(await http.get("/v1/webhooks/crm", headers=KEY), 200)
    assert (shown["enabled"], shown["disabled_by_failure"]) == (True, True)
    assert (await post(http, "test", 409))["type"] == "urn:rondo:error:webhook-disabled"
    await put(http, 200)
    shown = json_of(await http.get("/v1/webhooks/crm", headers=KEY), 200)
    assert shown["disabled_by_failure"] is False


async def test_its_etag_changes_with_every_definition_and_protects_it(http: httpx.AsyncClient) -> None:
    first = (await http.put("/v1/webhooks/crm", json={"url": URL}, headers=KEY)).headers["etag"]
    second = (await http.post("/v1/webhooks/crm/rotate_secret", headers=KEY)).headers["etag"]
    assert first != second
    stale = {**KEY, "If-Match": first}
    assert (await http.put("/v1/webhooks/crm", json={"url": URL}, headers=stale)).status_code == 412
    assert (await http.delete("/v1/webhooks/crm", headers=stale)).status_code == 412
    assert (await http.delete("/v1/webhooks/crm", headers={**KEY, "If-Match": second})).status_code == 204
    assert (await http.get("/v1/webhooks/crm", headers=KEY)).status_code == 404


async def test_a_test_is_asked_for_and_answered_with_its_delivery(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await put(http)
    answer = await post(http, "test", 202)
    assert world.webhook_desk.tests[ACME, CRM] == [answer["id"]]


async def test_a_replay_is_asked_for_once_at_a_time(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await put(http)
    since = NOON - timedelta(hours=3)
    await post(http, "replay", 202, {"since": since.isoformat()})
    reread = world.webhook_desk.replays[ACME, CRM]
    assert (reread.since, reread.until) == (since, NOON)
    problem = await post(http, "replay", 409, {"since": since.isoformat()})
    assert problem["type"] == "urn:rondo:error:replay-not-done"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"since": "yesterday"},
        {"since": "2026-01-01T12:00:00"},
        {"since": (NOON + timedelta(days=1)).isoformat()},
        {"since": NOON.isoformat(), "until": NOON.isoformat()},
    ],
)
async def test_a_replay_from_no_proper_time_is_refused(http: httpx.AsyncClient, body: Any) -> None:
    await put(http)
    await post(http, "replay", 422, body)


@pytest.mark.parametrize("what", ["test", "replay"])
async def test_nothing_is_sent_to_an_endpoint_that_is_switched_off(
    http: httpx.AsyncClient, what: str
) -> None:
    await put(http, enabled=False)
    body = {"since": NOON.isoformat()} if what == "replay" else None
    assert (await post(http, what, 409, body))["type"] == "urn:rondo:error:webhook-disabled"


async def test_deliveries_are_shown_with_each_request_and_answer(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await put(http)
    answer = WebhookAnswer(status=500, headers={"server": "x"}, body="no")
    attempt = Attempt(
        at=NOON,
        status=500,
        duration_ms=12,
        error="answered 500",
        request_headers={"webhook-id": "e-1"},
        answer=answer,
    )
    record = DeliveryRecord(
        id=EventId("e-1"),
        event_type="message.posted",
        conversation_id=None,
        state=DeliveryState.RETRYING,
        created_at=NOON,
        attempts=(attempt,),
        next_attempt_at=NOON + timedelta(seconds=5),
        body='{"id":"e-1"}',
    )
    world.webhook_desk.records[ACME, CRM] = [record, record.model_copy(update={"id": EventId("e-2")})]
    first = json_of(await http.get("/v1/webhooks/crm/deliveries?limit=1", headers=KEY), 200)
    assert [each["id"] for each in first["data"]] == ["e-2"]
    path = f"/v1/webhooks/crm/deliveries?state=retrying&cursor={first['next_cursor']}"
    (shown,) = json_of(await http.get(path, headers=KEY), 200)["data"]
    assert (shown["id"], shown["state"]) == ("e-1", "retrying")
    (tried,) = shown["attempts"]
    assert (tried["status"], tried["duration_ms"], tried["error"]) == (500, 12, "answered 500")
    assert tried["request"] == {"headers": {"webhook-id": "e-1"}, "body": '{"id":"e-1"}'}
    assert tried["response"] == {"status": 500, "headers": {"server": "x"}, "body": "no"}
    none = json_of(await http.get("/v1/webhooks/crm/deliveries?state=failed", headers=KEY), 200)
    assert none == {"data": [], "next_cursor": None}


@pytest.mark.parametrize("query", ["state=lost", "cursor=abc", "cursor=-1", "limit=0", "cursor=²"])
async def test_a_page_that_cannot_be_is_refused(http: httpx.AsyncClient, query: str) -> None:
    await put(http)
    assert (await http.get(f"/v1/webhooks/crm/deliveries?{query}", headers=KEY)).status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/deliveries"), ("POST", "/test"), ("POST", "/rotate_secret"), ("GET", ""), ("DELETE", "")],
)
async def test_another_workspaces_endpoint_is_not_there(
    http: httpx.AsyncClient, method: str, path: str
) -> None:
    await put(http)
    answer = await http.request(method, f"/v1/webhooks/crm{path}", headers=bearer(GLOBEX_KEY))
    assert answer.status_code == 404
