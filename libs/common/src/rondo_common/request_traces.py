"""Traces of HTTP requests, and the trace id that an error tells."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rondo_common.request_durations import METHODS, template_of
from rondo_common.traces import context_in, traceparent_of, tracer

SERVER_ERROR = 500
EVENT_STREAM = "text/event-stream"


class RequestTraces:
    """ASGI middleware: a span for each request, going on from the caller's.

    The request then carries that span's ``traceparent`` itself, so that whoever reads it (an error's
    ``trace_id``) means this trace. Streams are told of until they are open: what they do for hours is
    not the request's.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on within its span."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        span = _begin(scope)
        sending = _noting(span, scope, send)
        try:
            if _is_stream(scope):
                await self._app(scope, receive, sending)
            else:
                with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                    await self._app(scope, receive, sending)
        except Exception as error:
            _tell(span, scope, SERVER_ERROR)
            span.set_attribute("error.type", type(error).__qualname__)
            raise
        finally:
            span.end()


def _begin(scope: Scope) -> Span:
    headers = Headers(scope=scope)
    carrier = {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
    span = tracer().start_span(_method(scope), context=context_in(carrier), kind=SpanKind.SERVER)
    traceparent = traceparent_of(span.get_span_context())
    if traceparent is not None:
        others = [(name, value) for name, value in scope["headers"] if name != b"traceparent"]
        scope["headers"] = [*others, (b"traceparent", traceparent.encode())]
    return span


def _noting(span: Span, scope: Scope, send: Send) -> Send:
    async def sending(message: Message) -> None:
        match message["type"]:
            case "http.response.start":
                _tell(span, scope, message["status"])
            case "websocket.accept":
                _tell(span, scope, None)
        await send(message)
        if _is_stream(scope) and message["type"] in {"http.response.start", "websocket.accept"}:
            span.end()

    return sending


def _tell(span: Span, scope: Scope, status: int | None) -> None:
    if not span.is_recording():
        return
    template = template_of(scope)
    span.update_name(f"{_method(scope)} {template}")
    span.set_attribute("http.request.method", _method(scope))
    span.set_attribute("http.route", template)
    if status is not None:
        span.set_attribute("http.response.status_code", status)
        if status >= SERVER_ERROR:
            span.set_status(StatusCode.ERROR)


def _method(scope: Scope) -> str:
    method = scope.get("method", "GET")
    return method if method in METHODS else "OTHER"


def _is_stream(scope: Scope) -> bool:
    if scope["type"] == "websocket":
        return True
    return EVENT_STREAM in Headers(scope=scope).get("accept", "") or scope["path"].endswith("/stream")
