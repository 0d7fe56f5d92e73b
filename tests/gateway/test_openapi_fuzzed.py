"""Every operation of the OpenAPI document, called with all that the document allows and more: no defect.

``RONDO_TEST_FUZZ_EXAMPLES`` says how many calls of each operation (5 in the suite).
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from rondo_gateway.entrypoints.app import openapi_document
from tests.gateway.fake_world import ACME, ACME_KEY, CNV, ROOT_KEY, FakeWorld, active, bearer

EXAMPLES = int(os.environ.get("RONDO_TEST_FUZZ_EXAMPLES", "5"))
SUSPICIOUS = 500
UNAVAILABLE = 503
OPERATIONS = [
    (method, path)
    for path, methods in openapi_document()["paths"].items()
    for method in methods
    if not path.endswith(("/stream", "/socket"))  # What these answer has no end.
]


@pytest.fixture(scope="module")
def world_at_large() -> FakeWorld:
    """Two workspaces, and a conversation that ids may hit."""
    world = FakeWorld()

    async def furnish() -> None:
        await world.furnish()
        await world.conversations.show(ACME, active())

    asyncio.run(furnish())
    return world


@pytest.fixture(scope="module")
def api(world_at_large: FakeWorld) -> Any:
    """The document as the gateway gives it."""
    return schemathesis.openapi.from_asgi("/openapi.json", world_at_large.app())


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_call_that_the_document_allows_is_a_defect(
    api: Any, world_at_large: FakeWorld, method: str, path: str
) -> None:
    callers = (ACME_KEY, world_at_large.agent_token(), world_at_large.visitor_token(), ROOT_KEY)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=api[path][method].as_strategy())
    def calls(case: Any) -> None:
        if "conversation_id" in case.path_parameters:
            case.path_parameters["conversation_id"] = CNV  # An unknown one is 404 before anything else.
        for credential in callers:
            answer = case.call(headers=bearer(credential))
            if answer.status_code == UNAVAILABLE and "router is out of reach" in answer.text:
                continue  # There is none here to answer.
            assert answer.status_code < SUSPICIOUS, (case.as_curl_command(), answer.text)

    calls()
