"""One trace from the website's request to the ring and to the stored row, as a real collector gets it."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest

from tests.e2e.client import Caller, Json, Workspace, eventually
from tests.e2e.conftest import RunningStack
from tests.otlp_receiver import OtlpReceiver, Span

CHATS_MAX = 20
SERVER, CONSUMER = 2, 5
"""Kinds of spans."""


def _traced(caller: Caller, trace_id: str) -> tuple[Caller, str]:
    """The caller, who wants a trace; and the span that its requests hang on."""
    span_id = secrets.token_hex(8)
    headers = {**caller.headers, "traceparent": f"00-{trace_id}-{span_id}-01"}
    return Caller(caller.http, headers), span_id


async def _chat(workspace: Workspace, trace_id: str) -> tuple[Json, str]:
    """A whole chat of one trace; its conversation, and the span its requests hang on."""
    website, span_id = _traced(workspace, trace_id)
    asked = await replace(workspace, headers=website.headers).ask(to="grace")
    path = f"/v1/conversations/{asked['id']}"
    await workspace.until(asked["id"], "offered")
    grace, _ = _traced(await workspace.agent("grace"), trace_id)
    await grace.post(f"{path}/accept")
    await grace.post(f"{path}/messages", {"client_message_id": "1", "text": "Hej"})
    await website.post(f"{path}/end")
    return asked, span_id


async def _arrived(traces: OtlpReceiver, trace_id: str, *wanted: tuple[str, str, str]) -> list[Span]:
    """The spans of a trace, once these are among them: service, beginning of the name, event type."""

    def fits(span: Span, service: str, name: str, event_type: str) -> bool:
        about = span.attributes.get("rondo.event.type", "")
        return span.service == service and span.name.startswith(name) and about == event_type

    async def look() -> list[Span] | None:
        spans = traces.of_trace(trace_id)
        return spans if all(any(fits(each, *one) for each in spans) for one in wanted) else None

    return await eventually(look, f"{wanted} in the trace; there are {_names(traces, trace_id)}")


def _names(traces: OtlpReceiver, trace_id: str) -> list[str]:
    return [f"{each.service}: {each.name}" for each in traces.of_trace(trace_id)]


async def test_a_chat_is_one_trace_from_the_websites_request_to_the_ring_and_the_stored_row(
    workspace: Workspace, running: RunningStack
) -> None:
    await workspace.agents("grace")
    trace_id = secrets.token_hex(16)
    asked, website = await _chat(workspace, trace_id)
    requested, offered = "rondo.chat.requested.v1", "rondo.assignment.offered.v1"
    spans = await _arrived(
        running.traces,
        trace_id,
        ("rondo-gateway", "POST /v1/conversations", ""),
        ("rondo-router", "process rondo.chat.requests", requested),
        ("rondo-notifier", "process rondo.conversations", offered),
        ("rondo-history", "process rondo.chat.requests", requested),
        ("rondo-history", "process rondo.conversations", offered),
    )

    def only(service: str, event_type: str, group: str = "") -> Span:
        found = [
            span
            for span in spans
            if span.service == service
            and span.attributes.get("rondo.event.type") == event_type
            and group in {"", span.attributes["messaging.consumer.group.name"]}
        ]
        assert len({span.parent_id for span in found}) == 1, found
        return found[0]

    (request,) = (span for span in spans if span.name == "POST /v1/conversations")
    assert (request.kind, request.parent_id) == (SERVER, website)
    assert request.attributes["http.response.status_code"] == "202"
    decided = only("rondo-router", requested)
    assert (decided.kind, decided.parent_id) == (CONSUMER, request.span_id)
    assert decided.attributes["rondo.conversation.id"] == asked["id"]
    rung = only("rondo-notifier", offered, "rondo.notifier")
    assert rung.parent_id == decided.span_id
    assert only("rondo-history", requested).parent_id == request.span_id
    assert only("rondo-history", offered).parent_id == decided.span_id


async def test_calls_to_redis_kafka_and_postgresql_are_parts_of_the_trace(
    workspace: Workspace, running: RunningStack
) -> None:
    await workspace.agents("grace")
    wanted = {
        ("rondo-gateway", "FCALL"),
        ("rondo-gateway", "publish"),
        ("rondo-router", "FCALL"),
        ("rondo-router", "publish"),
        ("rondo-notifier", "FCALL rondo_deliver"),
        ("rondo-history", "postgresql"),
    }
    found: set[tuple[str, str]] = set()
    for _ in range(CHATS_MAX):
        # Records of others may have been in the same batch: then its calls are in a trace of their own.
        trace_id = secrets.token_hex(16)
        await _chat(workspace, trace_id)
        ended = "rondo.conversation.ended.v1"
        spans = await _arrived(
            running.traces,
            trace_id,
            ("rondo-history", "process", ended),
            ("rondo-notifier", "process", ended),
        )
        for span in spans:
            name = span.attributes.get("db.system", "") if span.service == "rondo-history" else span.name
            found |= {(service, start) for service, start in wanted if _is(span, service, name, start)}
        if found == wanted:
            return
    pytest.fail(f"not in any of {CHATS_MAX} traces: {wanted - found}")


def _is(span: Span, service: str, name: str, start: str) -> bool:
    return span.service == service and name.startswith(start)


async def test_an_error_names_the_trace_of_its_request(workspace: Workspace) -> None:
    trace_id = secrets.token_hex(16)
    caller, _ = _traced(workspace, trace_id)
    refused = await caller.call("GET", "/v1/conversations/cnv_nowhere")
    assert (refused.status_code, refused.json()["trace_id"]) == (404, trace_id)


async def test_a_trace_tells_nothing_of_people_and_no_secrets(
    workspace: Workspace, running: RunningStack
) -> None:
    await workspace.put("/v1/agents/grace", {"name": "Gracehopper", "email": "gracehopper@example.com"})
    trace_id = secrets.token_hex(16)
    website, _ = _traced(workspace, trace_id)
    visitor = {
        "first_name": "Adalovelace",
        "email": "adalovelace@example.org",
        "company": "Analyticalengines",
        "attributes": {"plan": "platinumplan"},
    }
    body = {
        "visitor": visitor,
        "route": {"type": "agent", "agent_id": "grace"},
        "page": {"url": "https://example.com/secretpage?q=querywords"},
        "answers": {"topic": "answerwords"},
    }
    asked = (await website.call("POST", "/v1/conversations", body)).json()
    path = f"/v1/conversations/{asked['id']}"
    await workspace.until(asked["id"], "offered")
    agent = await workspace.agent("grace")
    grace, _ = _traced(agent, trace_id)
    await grace.post(f"{path}/accept")
    await grace.post(f"{path}/messages", {"client_message_id": "1", "text": "spokenwords"})
    await website.post(f"{path}/end")
    await workspace.transcript(asked["id"], messages=1)
    await website.get("/v1/conversations?q=spokenwords&limit=5")
    await website.get(f"{path}/transcript?access_token=tokenwords")
    wrong = {"visitor": {"email": "wrongwords"}, "route": {"type": "team", "team_id": "nowhere"}}
    assert (await website.call("POST", "/v1/conversations", wrong)).status_code == 422
    await _arrived(
        running.traces,
        trace_id,
        ("rondo-history", "process", "rondo.conversation.ended.v1"),
        ("rondo-notifier", "process", "rondo.conversation.ended.v1"),
        ("rondo-gateway", "GET /v1/conversations/{conversation_id}/transcript", ""),
    )
    received = b"".join(running.traces.raw).lower()
    assert asked["id"].encode().lower() in received
    told = [
        "gracehopper",
        "adalovelace",
        "analyticalengines",
        "platinumplan",
        "secretpage",
        "querywords",
        "answerwords",
        "spokenwords",
        "tokenwords",
        "wrongwords",
        asked["visitor_token"],
        workspace.headers["Authorization"].split()[1],
        agent.headers["Authorization"].split()[1],
        running.env["RONDO_ROOT_KEY"],
    ]
    assert [each for each in told if each.lower().encode() in received] == []
