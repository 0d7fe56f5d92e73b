"""The contract as OpenAPI tells it."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from rondo_gateway.entrypoints.app import openapi_document, public_app
from rondo_gateway.entrypoints.documentation import SECURITY_SCHEMES


@pytest.fixture(scope="module")
def operations() -> list[tuple[str, dict[str, Any]]]:
    paths = openapi_document()["paths"]
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def test_every_operation_says_who_may_call_it(operations: list[tuple[str, dict[str, Any]]]) -> None:
    for name, operation in operations:
        schemes = {scheme for each in operation["security"] for scheme in each}
        assert schemes or operation["security"] == [{}], name  # For anybody, where it says so.
        assert schemes <= set(SECURITY_SCHEMES), name


def test_every_operation_tells_its_problems_in_one_form(
    operations: list[tuple[str, dict[str, Any]]],
) -> None:
    for name, operation in operations:
        problems = {status: each for status, each in operation["responses"].items() if int(status) >= 400}
        assert {"401", "403", "503"} <= set(problems), name
        for each in problems.values():
            assert list(each["content"]) == ["application/problem+json"], name


def test_every_operation_is_described_under_a_name_of_its_own(
    operations: list[tuple[str, dict[str, Any]]],
) -> None:
    ids = [operation["operationId"] for _, operation in operations]
    assert len(set(ids)) == len(ids)
    for name, operation in operations:
        assert operation["tags"], name
        assert operation.get("description"), name


def test_every_reference_leads_somewhere() -> None:
    document = openapi_document()

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        if isinstance(value, list):
            return set().union(*map(references, value))
        return set()

    schemas = document["components"]["schemas"]
    prefix = "#/components/schemas/"
    dangling = {each for each in references(document) if each.removeprefix(prefix) not in schemas}
    assert dangling == set()


def test_the_streams_are_part_of_it() -> None:
    paths = openapi_document()["paths"]
    for path in ("/v1/conversations/{conversation_id}/stream", "/v1/agents/{agent_id}/stream"):
        assert "text/event-stream" in paths[path]["get"]["responses"]["200"]["content"]


@pytest.mark.filterwarnings("ignore:open_binary is deprecated:DeprecationWarning")  # fastapi-swagger's
async def test_the_page_of_the_docs_brings_everything_along() -> None:
    transport = httpx.ASGITransport(public_app(None))
    async with httpx.AsyncClient(transport=transport, base_url="http://rondo.test") as http:
        page = (await http.get("/docs")).text
        hosts = set(re.findall(r"""(?:src|href)=["']https?://([^/"']+)""", page))
        assert hosts == {"rondo.test"}
        for path in re.findall(r"""(?:src|href)=["']http://rondo\.test([^"']+)""", page):
            assert (await http.get(path)).status_code == 200, path
