"""Traces: whose work a span is, also where records and calls travel together; and what none tells."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace

import httpx
import pytest
from aiokafka import TopicPartition
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from redis.asyncio import Redis
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rondo_common.envelope import Envelope, headers_of
from rondo_common.events import Event
from rondo_common.ids import EventId
from rondo_common.kafka.publisher import outgoing
from rondo_common.kafka.records import Record, read_record
from rondo_common.kafka.traced import TracedHandler
from rondo_common.problems import answer_with_problems
from rondo_common.redis.functions import FunctionCall, FunctionLibrary
from rondo_common.request_traces import RequestTraces
from rondo_common.trace_export import make_provider
from rondo_common.traces import call_span, is_tracing, is_wanted, tracer
from tests.common.consumed import FIRST, RecordingHandler, envelope, raw

ASKED, OTHER = "a" * 32, "b" * 32
LIBRARY = """#!lua name=rondo_traces_test
redis.register_function('rondo_traces_test_echo', function(keys, args) return args[1] end)
"""


class Traced:
    """What was traced in a test."""

    def __init__(self, provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
        self._provider = provider
        self._exporter = exporter

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """All that have ended."""
        self._provider.force_flush()
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans if span.name == name]


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    exporter = InMemorySpanExporter()
    provider = make_provider("tests", "tests-1", {}, exporter)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield Traced(provider, exporter)
    provider.shutdown()


def ids(span: ReadableSpan) -> tuple[str, str, str]:
    """A span's trace, itself, and what it hangs on."""
    context, parent = span.get_span_context(), span.parent
    assert context is not None
    above = "" if parent is None else f"{parent.span_id:016x}"
    return f"{context.trace_id:032x}", f"{context.span_id:016x}", above


def links(span: ReadableSpan) -> set[str]:
    return {f"{link.context.span_id:016x}" for link in span.links}


def traceparent(trace_id: str, span_id: str) -> str:
    return f"00-{trace_id}-{span_id}-01"


def caused(offset: int, within: str | None) -> Record:
    """A record whose cause was traced, or not."""
    carried = envelope(f"0/{offset}")
    return read_record(raw(FIRST, offset, headers=tuple(headers_of(carried, within))))


def consequence(cause: str | None, name: str = "follows") -> Envelope[Event]:
    return replace(envelope(name), cause=None if cause is None else EventId(cause))


def carried(envelope: Envelope[Event]) -> str | None:
    """What a record that is written now names as its trace."""
    headers = dict(outgoing(envelope, "key").headers)
    found = headers.get("ce_traceparent")
    return None if found is None else found.decode()


# --- when ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_traces_are_off_unless_the_environment_says_where_they_go(
    environ: dict[str, str], wanted: bool
) -> None:
    assert is_wanted(environ) is wanted


async def test_without_a_collector_nothing_is_traced_and_no_header_is_written() -> None:
    assert not is_tracing()
    with call_span("call"):
        assert carried(consequence(None)) is None


def test_a_call_outside_of_any_trace_makes_none(traced: Traced) -> None:
    assert is_tracing()
    tracer().start_span("PING", kind=SpanKind.CLIENT).end()
    with call_span("FCALL"):
        pass
    assert traced.spans == ()


def test_the_text_of_an_error_is_not_told(traced: Traced) -> None:
    with pytest.raises(ValueError, match="secret"), tracer().start_as_current_span("work"):
        raise ValueError("secret words")
    (span,) = traced.spans
    assert (span.events, span.status.description) == ((), None)
    assert not span.status.is_ok


# --- topics --------------------------------------------------------------------------------------


async def test_a_record_that_is_handled_alone_goes_on_in_the_trace_of_its_cause(traced: Traced) -> None:
    written: list[str | None] = []

    async def step(_: TopicPartition, records: Sequence[Record]) -> None:
        written.append(carried(consequence(records[0].envelope.id)))
        written.append(carried(consequence(None)))

    await TracedHandler(RecordingHandler(step), "group").handle(
        FIRST, [caused(1, traceparent(ASKED, "1" * 16))]
    )
    (span,) = traced.spans
    trace_id, span_id, above = ids(span)
    assert (trace_id, above) == (ASKED, "1" * 16)
    assert written == [traceparent(ASKED, span_id)] * 2
    assert span.attributes is not None
    assert span.attributes["rondo.event.type"] == "rondo.chat.accept.v1"
    assert span.attributes["messaging.consumer.group.name"] == "group"


async def test_in_a_batch_every_record_keeps_its_own_trace_and_the_batch_is_linked(traced: Traced) -> None:
    written: dict[str, str | None] = {}

    async def step(_: TopicPartition, records: Sequence[Record]) -> None:
        for record in records:
            written[record.envelope.id] = carried(consequence(record.envelope.id))
        written["timer"] = carried(consequence("a-timer"))
        with call_span("FCALL together"):
            pass

    records = [
        caused(1, traceparent(ASKED, "1" * 16)),
        caused(2, traceparent(OTHER, "2" * 16)),
        caused(3, None),
    ]
    await TracedHandler(RecordingHandler(step), "group").handle(FIRST, records)
    by_parent = {ids(span)[2]: span for span in traced.named("process rondo.tests")}
    first, second = by_parent["1" * 16], by_parent["2" * 16]
    assert written == {
        "0/1": traceparent(ASKED, ids(first)[1]),
        "0/2": traceparent(OTHER, ids(second)[1]),
        "0/3": None,
        "timer": None,
    }
    (batch,) = traced.named("process rondo.tests (batch)")
    batch_trace, batch_id, above = ids(batch)
    assert batch_trace not in {ASKED, OTHER}
    assert above == ""
    assert links(batch) == {"1" * 16, "2" * 16}
    assert links(first) == links(second) == {batch_id}
    (call,) = traced.named("FCALL together")
    assert (ids(call)[0], ids(call)[2]) == (batch_trace, batch_id)


async def test_a_batch_of_one_trace_is_a_part_of_it(traced: Traced) -> None:
    records = [caused(number, traceparent(ASKED, f"{number}" * 16)) for number in (1, 2)]
    await TracedHandler(RecordingHandler(), "group").handle(FIRST, records)
    assert {ids(span)[0] for span in traced.spans} == {ASKED}
    (batch,) = traced.named("process rondo.tests (batch)")
    assert ids(batch)[2] == "1" * 16


async def test_what_failed_is_marked_by_the_kind_of_its_error_alone(traced: Traced) -> None:
    async def step(_: TopicPartition, __: Sequence[Record]) -> None:
        raise LookupError("secret words")

    with pytest.raises(LookupError):
        await TracedHandler(RecordingHandler(step), "group").handle(
            FIRST, [caused(1, traceparent(ASKED, "1" * 16))]
        )
    (span,) = traced.spans
    assert not span.status.is_ok
    assert dict(span.attributes or {})["error.type"] == "LookupError"
    assert "secret" not in span.to_json()


@pytest.mark.parametrize("header", ["nonsense", "", "00-x-y-zz", f"00-{ASKED}-{'1' * 16}-00"])
async def test_a_header_that_nobody_traces_by_makes_no_spans(traced: Traced, header: str) -> None:
    handler = RecordingHandler()
    await TracedHandler(handler, "group").handle(FIRST, [caused(1, header)])
    assert handler.offsets(FIRST) == [1]
    assert traced.spans == ()


# --- Redis ---------------------------------------------------------------------------------------


async def test_calls_that_travel_together_stay_each_in_its_callers_trace(
    traced: Traced, redis: Redis
) -> None:
    library = FunctionLibrary(redis, LIBRARY)
    await library.load()

    async def caller(number: int) -> str:
        with tracer().start_as_current_span(f"caller {number}") as span:
            assert await library.call(FunctionCall("rondo_traces_test_echo", (), (number,))) == str(number)
            return f"{span.get_span_context().span_id:016x}"

    callers = await asyncio.gather(*map(caller, range(5)))
    calls = traced.named("FCALL rondo_traces_test_echo")
    assert sorted(ids(call)[2] for call in calls) == sorted(callers)
    assert "rondo_traces_test_echo" in calls[0].name
    assert dict(calls[0].attributes or {}) == {"db.system": "redis"}


# --- HTTP ----------------------------------------------------------------------------------------


def _app() -> FastAPI:
    app = FastAPI(telemetry={"tracing": False})
    answer_with_problems(app)

    @app.get("/v1/things/{thing_id}")
    async def thing(thing_id: str) -> str:
        if thing_id == "broken":
            raise RuntimeError("secret words")
        return f"{trace.get_current_span().get_span_context().trace_id:032x}"

    async def stream(_: Request) -> Response:
        return Response(f"{trace.get_current_span().get_span_context().is_valid}")

    app.router.routes.append(Route("/v1/things/{thing_id}/stream", stream))
    app.add_middleware(RequestTraces)
    return app


async def _answer(path: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(_app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(path, headers=headers)


async def test_a_request_goes_on_in_its_callers_trace(traced: Traced) -> None:
    answer = await _answer("/v1/things/7?token=secret", traceparent=traceparent(ASKED, "1" * 16))
    (span,) = traced.spans
    assert answer.json() == ASKED
    assert (span.name, ids(span)[0], ids(span)[2]) == ("GET /v1/things/{thing_id}", ASKED, "1" * 16)
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/v1/things/{thing_id}",
        "http.response.status_code": 200,
    }


@pytest.mark.parametrize("path", ["/v1/nothing/secret", "/v1/things/broken"])
async def test_an_error_tells_the_trace_it_belongs_to(traced: Traced, path: str) -> None:
    body = (await _answer(path)).json()
    (span,) = traced.spans
    assert body["trace_id"] == ids(span)[0]
    assert "secret" not in span.to_json()
    assert span.status.is_ok is (body["status"] < 500)


async def test_a_stream_is_told_of_until_it_is_open_and_what_it_does_later_is_not(traced: Traced) -> None:
    answer = await _answer("/v1/things/7/stream")
    assert answer.text == "False"
    assert [span.name for span in traced.spans] == ["GET /v1/things/{thing_id}/stream"]
