"""Where traces go: an OTLP collector, over HTTP. Only imported where somebody traces: it is large."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, Status, TraceState
from opentelemetry.util.types import Attributes

SHUTDOWN_S_MAX = 3.0
"""What is not taken by then is lost: a collector that is away must not keep the process."""


@contextlib.contextmanager
def exporting(service: str, instance: str, environ: Mapping[str, str]) -> Iterator[None]:
    """Trace what happens meanwhile. Once in the life of a process."""
    provider = make_provider(service, instance, environ, OTLPSpanExporter())
    trace.set_tracer_provider(provider)
    RedisInstrumentor().instrument()
    try:
        yield
    finally:
        ending = threading.Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(SHUTDOWN_S_MAX)


def make_provider(
    service: str, instance: str, environ: Mapping[str, str], exporter: SpanExporter
) -> TracerProvider:
    """What makes spans and hands them to ``exporter``; sampling is as ``OTEL_TRACES_SAMPLER`` says."""
    named = {} if environ.get("OTEL_SERVICE_NAME") else {"service.name": f"rondo-{service}"}
    resource = Resource.create({**named, "service.namespace": "rondo", "service.instance.id": instance})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.sampler = NoOrphans(provider.sampler)
    provider.add_span_processor(BatchSpanProcessor(WithoutWords(exporter)))
    return provider


class NoOrphans(Sampler):
    """No call to a server makes a trace of its own: what idles would fill the collector with them."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """See :class:`Sampler`."""
        parent = trace.get_current_span(parent_context).get_span_context()
        if kind is SpanKind.CLIENT and not parent.is_valid:
            return SamplingResult(Decision.DROP)
        return self._sampler.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        """See :class:`Sampler`."""
        return f"NoOrphans({self._sampler.get_description()})"


class WithoutWords(SpanExporter):
    """Hands on spans without the text of errors: it may hold what somebody wrote, or a row of a table."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See :class:`SpanExporter`."""
        return self._exporter.export([_without_words(span) for span in spans])

    def shutdown(self) -> None:
        """See :class:`SpanExporter`."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See :class:`SpanExporter`."""
        return self._exporter.force_flush(timeout_millis)


def _without_words(span: ReadableSpan) -> ReadableSpan:
    if not span.events and span.status.description is None:
        return span
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
