"""Reading history's answers: what an older, a newer and an absent one says."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rondo_common.conversation import RescindReason
from rondo_common.errors import Unavailable
from rondo_gateway.adapters.http_history import HttpHistory
from tests.gateway.fake_world import ACME, CNV

ATTEMPT: dict[str, Any] = {
    "attempt": 1,
    "agent": {"id": "grace", "name": "Grace", "avatar_url": None},
    "stage": "team",
    "offered_at": "2026-01-01T12:00:00Z",
    "expires_at": "2026-01-01T12:01:40Z",
    "outcome": "rescinded",
    "outcome_at": "2026-01-01T12:00:10Z",
    "rescind_reason": "agent_absent",
    "transferred_by": {"id": "bob", "name": "Bob"},
    "why": {"stage": "team", "pool": "team:sales", "place": 2, "stages_left": ["round_robin"]},
}


def history(answer: httpx.Response, asked: list[httpx.URL] | None = None) -> HttpHistory:
    """A history that answers so."""

    def respond(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request.url)
        return answer

    client = httpx.AsyncClient(base_url="http://history", transport=httpx.MockTransport(respond))
    return HttpHistory(client)


async def test_assignments_are_read_whatever_a_newer_history_adds() -> None:
    attempt = {**ATTEMPT, "weather": "fine", "why": {**ATTEMPT["why"], "mood": "good"}}
    body = {"data": [attempt], "queued": [], "fell_back": None, "new": 1}
    asked: list[httpx.URL] = []
    told = await history(httpx.Response(200, json=body), asked).assignments(ACME, CNV, at_least=17)
    assert told is not None
    assert told.data[0].rescind_reason is RescindReason.AGENT_ABSENT
    assert told.data[0].why.stages_left == ("round_robin",)
    (url,) = asked
    assert url.path == f"/internal/v1/workspaces/{ACME}/conversations/{CNV}/assignments"
    assert url.params["at_least"] == "17"


async def test_assignments_that_history_does_not_know_are_none() -> None:
    assert await history(httpx.Response(404)).assignments(ACME, CNV, at_least=-1) is None


@pytest.mark.parametrize("answer", [httpx.Response(503), httpx.Response(200, text="no JSON")])
async def test_a_history_that_cannot_answer_is_unavailable(answer: httpx.Response) -> None:
    with pytest.raises(Unavailable):
        await history(answer).assignments(ACME, CNV, at_least=-1)
