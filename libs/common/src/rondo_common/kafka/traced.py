"""Traces through topics: each record's own, also where records are handled together.

A record carries the traceparent of what caused it (``ce_traceparent``, CloudEvents' distributed tracing
extension). Whoever handles it goes on from there, with a span of its own for each record; what a batch
does as one thing hangs on one span, which is a part of their trace if they share one, and else has links
to all of them. So no record's work shows up in the trace of another.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar

from aiokafka import TopicPartition
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode

from rondo_common.envelope import Envelope
from rondo_common.events import Event
from rondo_common.kafka.handler import Handler
from rondo_common.kafka.records import Record
from rondo_common.traces import context_in, current_traceparent, traceparent_of, tracer

LINKS_MAX = 128
"""As many as OpenTelemetry keeps."""

FLAGS = re.compile(r"-([0-9a-f]{2})$")
SAMPLED = 0x01

_CAUSES: ContextVar[Mapping[str, SpanContext] | None] = ContextVar("rondo_traced_causes", default=None)


def traceparent_for(envelope: Envelope[Event]) -> str | None:
    """What an event that is written now is a part of.

    In a batch, what names its cause goes on from the record that is the cause, or from nothing: others
    in the batch have no part in it.
    """
    causes = _CAUSES.get()
    if causes is None or envelope.cause is None:
        return current_traceparent()
    cause = causes.get(envelope.cause)
    return None if cause is None else traceparent_of(cause)


class TracedHandler:
    """A :class:`Handler` whose work goes on in the traces of its records."""

    def __init__(self, handler: Handler, group: str) -> None:
        self._handler = handler
        self._group = group
        self.assigned = handler.assigned
        self.revoked = handler.revoked

    async def handle(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        """See :class:`Handler`."""
        if not any(map(_is_traced, records)):
            await self._untraced(partition, records)
            return
        with _batch(self._group, partition, records):
            await self._handler.handle(partition, records)

    async def _untraced(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        causes = _CAUSES.set({})
        try:
            await self._handler.handle(partition, records)
        finally:
            _CAUSES.reset(causes)


@contextlib.contextmanager
def _batch(group: str, partition: TopicPartition, records: Sequence[Record]) -> Iterator[None]:
    """What is done within hangs on these records, each and all."""
    attributes = _of_partition(group, partition)
    whole = _span_of_all(attributes, records) if len(records) > 1 else None
    spans = {
        record.envelope.id: _span_of_one(attributes, record, whole)
        for record in records
        if _is_traced(record)
    }
    causes = _CAUSES.set({name: span.get_span_context() for name, span in spans.items()})
    ending = [*spans.values(), *([] if whole is None else [whole])]
    try:
        with trace.use_span(ending[-1], record_exception=False, set_status_on_exception=False):
            yield
    except Exception as error:
        for span in ending:
            span.set_status(StatusCode.ERROR)
            span.set_attribute("error.type", type(error).__qualname__)
        raise
    finally:
        _CAUSES.reset(causes)
        for span in ending:
            span.end()


def _span_of_one(attributes: Mapping[str, str], record: Record, whole: Span | None) -> Span:
    """A record's own, going on from its cause."""
    return tracer().start_span(
        f"process {record.topic}",
        context=_context(record),
        kind=SpanKind.CONSUMER,
        attributes={**attributes, **_of_record(record)},
        links=[] if whole is None else [Link(whole.get_span_context())],
    )


def _span_of_all(attributes: Mapping[str, str], records: Sequence[Record]) -> Span:
    """That of several records: a part of their trace if all are of one, else of none of theirs."""
    origins = {
        record.traceparent: trace.get_current_span(_context(record)).get_span_context()
        for record in records
        if _is_traced(record)
    }
    is_one = all(map(_is_traced, records)) and len({each.trace_id for each in origins.values()}) == 1
    return tracer().start_span(
        f"process {records[0].topic} (batch)",
        context=_context(records[0]) if is_one else Context(),
        kind=SpanKind.CONSUMER,
        attributes={**attributes, "messaging.batch.message_count": len(records)},
        links=[Link(origin) for origin in list(origins.values())[:LINKS_MAX]],
    )


def _is_traced(record: Record) -> bool:
    """Whether somebody traces what the record comes of; most are sampled out."""
    found = None if record.traceparent is None else FLAGS.search(record.traceparent)
    return found is not None and bool(int(found[1], 16) & SAMPLED)


def _context(record: Record) -> Context:
    return context_in({"traceparent": str(record.traceparent)})


def _of_partition(group: str, partition: TopicPartition) -> dict[str, str]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.destination.name": partition.topic,
        "messaging.destination.partition.id": str(partition.partition),
        "messaging.consumer.group.name": group,
    }


def _of_record(record: Record) -> dict[str, str | int]:
    envelope = record.envelope
    about = {} if envelope.subject is None else {"rondo.conversation.id": envelope.subject}
    return {
        "messaging.message.id": envelope.id,
        "messaging.kafka.offset": record.offset,
        "rondo.event.type": envelope.event.TYPE,
        **about,
    }
