"""Cross-origin requests: which websites' pages may call from a browser (CORS), workspace by workspace.

A browser asks before it sends (a preflight, without credential or body) and reads the answer only if
that says it may. Before, only the origin is known: it must be one that any workspace allows. The request
itself then names the workspace, by its token or, for a new session, by its site key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rondo_common.problems import Problem, problem_response, trace_id_of
from rondo_gateway.domain.refusals import NotAuthenticated, OriginNotAllowed
from rondo_gateway.entrypoints.callers import bearer_of

WIDGET_PATHS = ("/v1/visitor_sessions", "/v1/conversations")
"""Everything that the widget calls stands under these."""
PREFLIGHT_KEPT_S = 600
ALLOWED_METHODS = "GET, HEAD, POST"
ALLOWED_HEADERS = "authorization, content-type, idempotency-key, last-event-id, traceparent, tracestate"
EXPOSED_HEADERS = "Location, Idempotency-Replayed, Retry-After, Content-Disposition"
_REFUSED = "origin_refused"


@dataclass(frozen=True, slots=True)
class OriginRules:
    """What decides. ``of_token`` tells whether the visitor whose token it is may call from an origin;
    None when the token is no visitor's."""

    is_known: Callable[[str], bool]
    of_token: Callable[[str, str], bool | None]


def refuse_origin(scope: Scope) -> None:
    """Let the answer to this request be without CORS headers: its page must not read it."""
    scope.setdefault("state", {})[_REFUSED] = True


class Origins:
    """ASGI middleware: answers preflights, refuses foreign pages, and lets the others read the answers.

    Requests without an ``Origin``, as backends send them, pass as they are.
    """

    def __init__(self, app: ASGIApp, rules: OriginRules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with its answer marked for the page it came from; or refuse it."""
        if scope["type"] == "lifespan" or not scope["path"].startswith(WIDGET_PATHS):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if scope["type"] == "websocket":
            await self._shake_hands(origin, headers, scope, receive, send)
            return
        if origin is None:
            await self._app(scope, receive, _varying(send))
            return
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            answer = self._preflight(origin, headers)
            await answer(scope, receive, _varying(send))
            return
        if _is_own(origin, headers):
            await self._app(scope, receive, _varying(send))
            return
        allowed = self._allowed(origin, scope, headers)
        if allowed is False:
            await _refusal(origin, headers)(scope, receive, _varying(send))
            return
        await self._app(scope, receive, _readable(scope, send, origin) if allowed else _varying(send))

    async def _shake_hands(
        self, origin: str | None, headers: Headers, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """For WebSockets browsers ask nobody before and check nothing after: it is done here alone."""
        is_foreign = origin is not None and not _is_own(origin, headers)
        if is_foreign and self._allowed(str(origin), scope, headers) is False:
            await _refusal(str(origin), headers)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _preflight(self, origin: str, headers: Headers) -> Response:
        if not self._rules.is_known(origin):
            return _refusal(origin, headers)
        return Response(
            status_code=HTTPStatus.NO_CONTENT,
            headers={
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Methods": ALLOWED_METHODS,
                "Access-Control-Allow-Headers": ALLOWED_HEADERS,
                "Access-Control-Max-Age": str(PREFLIGHT_KEPT_S),
            },
        )

    def _allowed(self, origin: str, scope: Scope, headers: Headers) -> bool | None:
        """Whether the page may call; None: it may not read the answer, but this is not a visitor's."""
        token = _token_of(scope, headers)
        may_call = None if token is None else self._rules.of_token(token, origin)
        if may_call is not None:
            return may_call
        # No visitor's (yet): whoever allows the origin lets its pages read what is wrong.
        return True if self._rules.is_known(origin) else None


def _token_of(scope: Scope, headers: Headers) -> str | None:
    try:
        token = bearer_of(headers)
    except NotAuthenticated:
        return None
    if token is None:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("access_token", [None])
        token = given[0]
    return token


def _is_own(origin: str, headers: Headers) -> bool:
    """Whether the page was served from where it calls."""
    try:
        return urlsplit(origin).netloc == headers.get("host", "")
    except ValueError:
        return False


def _refusal(origin: str, headers: Headers) -> Response:
    problem = Problem(HTTPStatus.FORBIDDEN, "origin-not-allowed", str(OriginNotAllowed(origin)))
    return problem_response(problem, trace_id_of(headers))


def _varying(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            _headers_of(message).add_vary_header("Origin")
        await send(message)

    return sending


def _readable(scope: Scope, send: Send, origin: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = _headers_of(message)
            headers.add_vary_header("Origin")
            if not scope.get("state", {}).get(_REFUSED):
                headers["Access-Control-Allow-Origin"] = origin
                headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
        await send(message)

    return sending


def _headers_of(message: Message) -> MutableHeaders:
    raw: list[Any] = list(message.get("headers", ()))
    message["headers"] = raw
    return MutableHeaders(raw=raw)
