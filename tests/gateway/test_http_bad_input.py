"""Whatever is sent, the answer is a clear problem and never a defect."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rondo_gateway.domain.limits import BODY_BYTES_MAX
from tests.gateway.fake_world import ACME, ACME_KEY, CNV, FakeWorld, active, bearer, client_of

KEY = bearer(ACME_KEY)
JSON = {"Content-Type": "application/json"}
BODY_ROUTES = [
    ("POST", "/v1/conversations"),
    ("POST", f"/v1/conversations/{CNV}/messages"),
    ("PUT", "/v1/agents/alan"),
    ("PUT", "/v1/teams/sales"),
    ("PUT", "/v1/rules/sweden"),
    ("PUT", "/v1/accounts/example"),
    ("PUT", "/v1/profiles/lead"),
    ("POST", "/v1/agents/grace/token"),
    ("PATCH", "/v1/workspace"),
    ("POST", "/v1/api_keys"),
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
names = st.sampled_from(
    [
        "visitor",
        "route",
        "answers",
        "page",
        "type",
        "agent_id",
        "name",
        "email",
        "text",
        "ttl_s",
        "fallback",
        "conditions",
        "all",
        "agent_ids",
        "schedule",
        "permissions",
    ]
)
near_misses = st.dictionaries(names, json_values | st.dictionaries(names, json_values, max_size=3))


def is_problem(answer: httpx.Response) -> bool:
    if answer.headers["content-type"] != "application/problem+json":
        return False
    problem = answer.json()
    return bool(
        problem["type"].startswith("urn:rondo:error:") and problem["detail"] and problem["trace_id"]
    )


@pytest.mark.parametrize(("method", "path"), BODY_ROUTES)
@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"a": \xff}', "application/json", 400),
        (b"\xff\xfe{\x00}\x00", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"a": ' + b"9" * 50_000 + b"}", "application/json", 400),
        (b"[]", "application/json", 422),
        (b'"text"', "application/json", 422),
        (b'{"surprise": 1}', "application/json", 422),
        (b'{"\\ud800": 1}', "application/json", 422),
        (b'{"visitor": {"attributes": {"\\udfff": []}}}', "application/json; charset=utf-8", 422),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b" " * (BODY_BYTES_MAX + 1), "application/json", 413),
    ],
)
async def test_a_bad_body_is_told_what_is_bad(
    http: httpx.AsyncClient, method: str, path: str, body: bytes, content_type: str, status: int
) -> None:
    headers = {**KEY, "Content-Type": content_type}
    answer = await http.request(method, path, headers=headers, content=body)
    assert answer.status_code == status, answer.text
    assert is_problem(answer)


async def test_a_body_without_a_length_is_measured_as_it_comes(http: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1024
            yield b" " * 1024

    answer = await http.post("/v1/conversations", headers={**KEY, **JSON}, content=endless())
    assert answer.status_code == 413
    assert sent <= BODY_BYTES_MAX + 2 * 1024


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(body=near_misses | json_values)
async def test_no_json_at_all_leads_to_a_defect(world: FakeWorld, method: str, body: Any) -> None:
    await world.conversations.show(ACME, active())
    async with client_of(world.app()) as http:
        for route_method, path in BODY_ROUTES:
            if route_method == method:
                content = json.dumps(body)  # With NaN and lone surrogates, as some senders do.
                answer = await http.request(method, path, headers={**KEY, **JSON}, content=content)
                assert answer.status_code < 500, answer.text
                assert answer.status_code < 400 or is_problem(answer)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/agents/a%20b",
        "/v1/agents/a%00b",
        "/v1/agents/a%0A",
        "/v1/agents/" + "a" * 65,
        "/v1/agents/%ED%A0%80",
        "/v1/conversations/x:messages",
        "/v1/conversations/cnv_1%0A",
        "/v1/conversations/x:messages/stream",
        "/v1/conversations/cnv_1%0A/stream",
        "/v1/conversations/ghost",
        "/v1/conversations/ghost/stream",
        "/v1/nothing",
        "/",
        "/%FF",
    ],
)
async def test_a_name_that_is_none_is_no_defect(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path, headers=KEY)
    assert answer.status_code in {404, 422}
    assert is_problem(answer)


@pytest.mark.parametrize("key", ["", "x" * 65])
async def test_an_idempotency_key_of_the_wrong_length_is_refused(http: httpx.AsyncClient, key: str) -> None:
    body = {"route": {"type": "round_robin"}}
    answer = await http.post("/v1/conversations", headers={**KEY, "Idempotency-Key": key}, json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/header/idempotency-key"


async def test_another_method_is_refused_with_those_there_are(http: httpx.AsyncClient) -> None:
    answer = await http.delete("/v1/conversations", headers=KEY)
    assert answer.status_code == 405
    assert is_problem(answer)
