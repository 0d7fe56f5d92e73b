"""What OpenAPI cannot see in the code: who may call, how errors look, the live streams."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from rondo_common.directory.entries import WorkspaceSettings
from rondo_gateway.domain.metrics_board import MetricsEvent
from rondo_gateway.domain.representation import AgentSnapshot, ConversationSnapshot, Snapshot

TITLE = "Rondo"
VERSION = "0.1.0"
DESCRIPTION = """\
The switchboard for live chat: a website's backend asks for a conversation, Rondo picks and rings an
agent, connects the two and keeps the transcript.

JSON in and out, times in RFC 3339 (UTC), durations in seconds (`_s`). Unknown fields in a request are
refused (422); unknown fields in a response must be ignored. Errors are `application/problem+json`
(RFC 9457). `503` with `Retry-After` means that the request was not taken: repeat it.
"""

SECURITY_SCHEMES = {
    "rootKey": {"type": "http", "scheme": "bearer", "description": "The operator's root key."},
    "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key (`rk_…`) of a workspace."},
    "agentToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An agent's token, from `POST /v1/agents/{agent_id}/token`.",
    },
    "agentSession": {
        "type": "apiKey",
        "in": "cookie",
        "name": "rondo_session",
        "description": "An agent's session in a browser, from `POST /v1/sessions` or the installation's "
        "OpenID Connect issuer (by https its name is `__Host-rondo_session`). It counts from the "
        "gateway's own pages alone; a bearer credential beside it wins.",
    },
    "csrfToken": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "The `csrf_token` of the session, with every request that may change something.",
    },
    "visitorToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The `visitor_token` of a conversation or of a visitor session.",
    },
    "streamToken": {
        "type": "apiKey",
        "in": "query",
        "name": "access_token",
        "description": "Any of the tokens, for stream clients that cannot set headers. Never logged.",
    },
}

PROBLEM_SCHEMA = {
    "type": "object",
    "description": "A problem (RFC 9457).",
    "required": ["type", "title", "status", "detail", "trace_id"],
    "properties": {
        "type": {"type": "string", "description": "A stable URN, such as `urn:rondo:error:not-found`."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What to do."},
        "trace_id": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "For 422: each field that cannot be taken, by its JSON pointer.",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}

_MEANINGS = {
    400: "The request is malformed.",
    401: "There is no credential, or it is not valid.",
    403: "This caller may not do this.",
    404: "There is no such thing in the caller's workspace.",
    409: "The present state refuses it; `type` says why.",
    412: "What is there is not in the version that `If-Match` or `If-None-Match` asks for.",
    413: "The body is larger than what is taken (64 KiB, except where more is said).",
    415: "The body is not of the type that is taken.",
    422: "Fields cannot be taken as they are; `errors` names them.",
    429: "Too much was asked lately; `Retry-After` says when to repeat it.",
    503: "Kafka, Redis or history is out of reach: the request was not taken. Repeat it later.",
}


NOT_MODIFIED = {"description": "It is still as the `ETag` in `If-None-Match` says."}


def documented(*callers: str, problems: tuple[int, ...] = ()) -> dict[str, Any]:
    """The arguments of a route that say who may call it and which problems it may answer with."""
    statuses = sorted({401, 403, 503, *problems})
    return {
        "openapi_extra": {"security": [{caller: []} for caller in callers]},
        "responses": {status: _problem_response(status) for status in statuses},
    }


def shown(model: type[Any], description: str) -> dict[str, Any]:
    """A successful response, for a route's ``responses``."""
    return {"model": model, "description": description}


def describe(app: FastAPI) -> None:
    """Let ``app.openapi()`` give the whole contract."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=TITLE, version=VERSION, description=DESCRIPTION, routes=app.routes, tags=app.openapi_tags
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)  # FastAPI's own form of errors, which never leaves this app.
    schemas["Problem"] = PROBLEM_SCHEMA
    for model in (Snapshot, ConversationSnapshot, AgentSnapshot, WorkspaceSettings, MetricsEvent):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        for name, definition in schema.pop("$defs", {}).items():
            schemas.setdefault(name, definition)
        schemas[model.__name__] = schema
    components["securitySchemes"] = SECURITY_SCHEMES
    document["paths"] |= {
        "/v1/conversations/{conversation_id}/stream": _stream(
            "conversation_id",
            "What happens in a conversation, live",
            "For its visitor, its agents and the website's backend. While it waits, `conversation.queued` "
            "tells its place in the queue and the wait whenever they change, with the `id` of the event "
            "before.",
            ["apiKey", "agentToken", "visitorToken", "streamToken"],
        ),
        "/v1/agents/{agent_id}/stream": _stream(
            "agent_id",
            "What concerns an agent, live",
            "For that agent; `me` stands for the calling agent's id.",
            ["agentToken", "streamToken"],
        ),
        "/v1/conversations/{conversation_id}/socket": _socket(
            "conversation_id", "A conversation over WebSocket", ["apiKey", "agentToken", "visitorToken"]
        ),
        "/v1/agents/{agent_id}/socket": _socket("agent_id", "An agent over WebSocket", ["agentToken"]),
        "/v1/metrics/live/stream": _metrics_stream(),
    }
    _let_sessions_call(document["paths"])
    return document


def _let_sessions_call(paths: dict[str, Any]) -> None:
    """A session counts wherever an agent's token does; where something may change, with its token."""
    for operations in paths.values():
        for method, operation in operations.items():
            security = operation["security"]
            if {"agentToken": []} in security:
                security.append({"agentSession": []})
            for each in security:
                if "agentSession" in each and method not in {"get", "head"}:
                    each["csrfToken"] = []


def _problem_response(status: int) -> dict[str, Any]:
    return {
        "description": _MEANINGS[status],
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _stream(parameter: str, summary: str, audience: str, callers: list[str]) -> dict[str, Any]:
    operation = {
        "tags": ["live streams"],
        "summary": summary,
        "description": (
            f"{audience} Server-sent events: `id` is a cursor, `event` the type, `data` JSON "
            "`{id, type, conversation_id, occurred_at, data}`, the conversation null where it is "
            "about the agent alone. First comes a `snapshot`, then whatever happens, without a gap or "
            "a repeat; a comment every 20 s shows that the connection lives. A `stream.closed` "
            "without an `id` is the last event; its `reason` is `restarting`, `too_slow` (nothing was "
            "read for 10 s), `not_permitted` or `failed`. Come back with the cursor of the event "
            "before, after the time that `retry` gives."
        ),
        "operationId": f"stream_by_{parameter}",
        "parameters": [
            {"name": parameter, "in": "path", "required": True, "schema": {"type": "string"}},
            *_resumption(),
        ],
        "security": [{caller: []} for caller in callers],
        "responses": {
            "200": {
                "description": "The stream. The first event's `data` is a `Snapshot`.",
                "content": {"text/event-stream": {"schema": {"$ref": "#/components/schemas/Snapshot"}}},
            },
            **{str(status): _problem_response(status) for status in (400, 401, 403, 404, 503)},
        },
    }
    return {"get": operation}


def _socket(parameter: str, summary: str, callers: list[str]) -> dict[str, Any]:
    operation = {
        "tags": ["live streams"],
        "summary": summary,
        "description": (
            "A WebSocket (without compression, frames of 64 KiB at most) with the events of the "
            "stream, each a JSON frame of `cursor` and the event; `?last_event_id=` goes on after a "
            "cursor.\n\n"
            "Commands are frames `{id, type, conversation_id, data}`: `message`, `typing`, `read`, "
            "`accept`, `decline` and `ping`, with the body of the same call over HTTP as `data` (or "
            "its fields beside `type`); `conversation_id` may be left out on a conversation's socket. "
            "They are carried out one after the other, each with one answer: `{id, ok: true, result}` "
            "or `{id, ok: false, problem}`, the `result` null where there is none, or the router has "
            "not decided within 5 s. A frame that cannot be taken is answered and ends nothing.\n\n"
            "Close codes: 1008 the credential or the place is not (or no longer) good, 1009 a frame "
            "is too large, 1011 a defect or an unanswered ping, 1012 the gateway restarts, 1013 the "
            "reader is too slow or something is out of reach. Before 1008, 1011, 1012 and 1013 comes "
            "`stream.closed`, with the `reason`, and for `refused` the `problem`."
        ),
        "operationId": f"socket_by_{parameter}",
        "parameters": [
            {"name": parameter, "in": "path", "required": True, "schema": {"type": "string"}},
            *_resumption(),
        ],
        "security": [{caller: []} for caller in (*callers, "streamToken")],
        "responses": {
            "101": {"description": "The socket; refusals come over it, and close it."},
            **{str(status): _problem_response(status) for status in (401, 403, 503)},
        },
    }
    return {"get": operation}


def _metrics_stream() -> dict[str, Any]:
    operation = {
        "tags": ["metrics"],
        "summary": "Live metrics, live",
        "description": (
            "For API keys, and agents with the permission `analytics_view`. Server-sent events: first a "
            "`snapshot` with the last windows, then a `workspace.metrics` for every window, some seconds "
            "after its end, and once more when an event that came late corrects it."
        ),
        "operationId": "stream_live_metrics",
        "parameters": _resumption(),
        "security": [{caller: []} for caller in ("apiKey", "agentToken", "streamToken")],
        "responses": {
            "200": {
                "description": "The stream. Each event's `data` is a `MetricsEvent`.",
                "content": {"text/event-stream": {"schema": {"$ref": "#/components/schemas/MetricsEvent"}}},
            },
            **{str(status): _problem_response(status) for status in (400, 401, 403, 503)},
        },
    }
    return {"get": operation}


def _resumption() -> list[dict[str, Any]]:
    last = "Go on right after this event. If that is too old, a snapshot with `resumed: false` comes."
    return [
        {"name": name, "in": place, "schema": {"type": "string"}, "description": last}
        for name, place in (("Last-Event-ID", "header"), ("last_event_id", "query"))
    ]
