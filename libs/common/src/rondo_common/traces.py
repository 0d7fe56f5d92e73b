"""Traces: OpenTelemetry over OTLP, off unless the standard ``OTEL_…`` variables say where they go.

The tracer is OpenTelemetry's own global one, which does nothing until :func:`traces_of` gives it
somewhere to go: what a span hangs on is the context of the task, as that library has it everywhere.
Spans say what was done and how long it took, never with whom or what was said: no parameters, no text
of errors, no addresses with what stands in them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import ProxyTracerProvider, SpanContext, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACER = "rondo"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

FASTAPI_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""What every application is made with: FastAPI's own spans would carry the queries of requests, which
have tokens and words in them. :class:`rondo_common.request_traces.RequestTraces` makes Rondo's."""

_NOTHING = contextlib.nullcontext()
_PROPAGATOR = TraceContextTextMapPropagator()


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether the environment says where traces go, and nothing against it."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return False
    return any(environ.get(name) for name in ENDPOINTS)


def is_tracing() -> bool:
    """Whether this process traces."""
    return not isinstance(trace.get_tracer_provider(), ProxyTracerProvider)


def traces_of(service: str, instance: str, environ: Mapping[str, str]) -> AbstractContextManager[None]:
    """Trace what happens meanwhile, if that is wanted. Once in the life of a process."""
    if not is_wanted(environ):
        return contextlib.nullcontext()
    from rondo_common.trace_export import exporting  # noqa: PLC0415 - only who traces pays for it

    return exporting(service, instance, environ)


# --- context -------------------------------------------------------------------------------------


def tracer() -> trace.Tracer:
    """Makes spans; cheap, and without effect where nobody traces."""
    return trace.get_tracer(TRACER)


def context_in(carrier: Mapping[str, str]) -> Context:
    """The context that W3C headers carry (``traceparent``, ``tracestate``); an empty one if none."""
    return _PROPAGATOR.extract(carrier, Context())


def traceparent_of(span: SpanContext) -> str | None:
    """How a span is named to whoever goes on from it; None where nobody traces."""
    if not span.is_valid:
        return None
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


def current_traceparent() -> str | None:
    """The traceparent of what is done now; None where nobody traces."""
    return traceparent_of(trace.get_current_span().get_span_context())


def call_span(name: str, **attributes: str | int) -> AbstractContextManager[object]:
    """A span around a call to a server, as a part of what is traced now; else nothing.

    It stands for all that the client's own instrumentation would say.
    """
    if not trace.get_current_span().is_recording():
        return _NOTHING
    return _call_span(name, {key.replace("__", "."): value for key, value in attributes.items()})


@contextlib.contextmanager
def _call_span(name: str, attributes: Mapping[str, str | int]) -> Iterator[None]:
    made = tracer().start_as_current_span(
        name, kind=SpanKind.CLIENT, attributes=attributes, record_exception=False
    )
    with made, suppress_instrumentation():
        yield
