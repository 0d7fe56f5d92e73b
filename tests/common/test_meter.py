"""The meter: what is declared is told, and nothing else."""

from __future__ import annotations

import re
from collections import Counter as Count

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from rondo_common.meter import Meter, metrics_routes
from rondo_common.metrics import (
    CHAT_REQUESTS_TAKEN,
    METRICS,
    OFFERS,
    OPEN_STREAMS,
    REQUEST_DURATION,
    MetricKind,
)
from rondo_common.request_durations import RequestDurations, request_durations

IDENTIFYING = {"workspace", "workspace_id", "agent", "conversation", "visitor", "url", "email", "id"}


def test_every_metric_is_declared_once_with_its_unit_last() -> None:
    assert [name for name, count in Count(metric.name for metric in METRICS).items() if count > 1] == []
    for metric in METRICS:
        assert re.fullmatch(r"rondo_[a-z_]+", metric.name)
        assert metric.help
        assert metric.services
        assert metric.name.endswith("_total") is (metric.kind is MetricKind.COUNTER)
        assert metric.name.endswith("_seconds") is (metric.unit == "seconds")
        assert bool(metric.buckets) is (metric.kind is MetricKind.HISTOGRAM)
        assert list(metric.buckets) == sorted(metric.buckets)


def test_no_label_identifies_anybody() -> None:
    for metric in METRICS:
        assert not IDENTIFYING & set(metric.labels), metric.name


def test_a_counter_stands_at_zero_for_what_is_known_to_come() -> None:
    meter = Meter("gateway")
    counter = meter.counter(CHAT_REQUESTS_TAKEN, ("agent",), ("team",))
    counter.labels("team").inc(3)
    told = meter.exposition().decode()
    assert 'rondo_chat_requests_total{route="agent"} 0.0' in told
    assert 'rondo_chat_requests_total{route="team"} 3.0' in told


def test_a_gauge_is_read_when_it_is_asked_for() -> None:
    meter, streams = Meter("gateway"), ["a", "b"]
    meter.gauge(OPEN_STREAMS, lambda: [((), len(streams))])
    streams.append("c")
    assert "rondo_open_streams 3.0" in meter.exposition().decode()


def test_what_is_not_declared_for_the_service_is_refused() -> None:
    with pytest.raises(ValueError, match="rondo_offers_total"):
        Meter("gateway").counter(OFFERS)
    with pytest.raises(ValueError, match="rondo_open_streams"):
        Meter("gateway").counter(OPEN_STREAMS)


def _measured_app() -> tuple[FastAPI, Meter]:
    meter, app = Meter("gateway"), FastAPI()

    @app.get("/v1/things/{thing_id}")
    async def thing(thing_id: str) -> dict[str, str]:
        if thing_id == "broken":
            raise RuntimeError(thing_id)
        return {"id": thing_id}

    async def stream(_: Request) -> Response:
        return Response("text")

    app.include_router(metrics_routes(meter))
    app.router.routes.append(Route("/v1/{id}/stream", stream))
    app.router.routes.append(Mount("/pages", Response("page")))
    app.add_middleware(RequestDurations, durations=request_durations(meter))
    return app, meter


async def _observed(*paths: str, method: str = "GET") -> dict[tuple[str, str, str], float]:
    app, meter = _measured_app()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for path in paths:
            await client.request(method, path)
    counts = {}
    for family in text_string_to_metric_families(meter.exposition().decode()):
        for sample in family.samples:
            if sample.name == f"{REQUEST_DURATION.name}_count":
                labels = sample.labels
                counts[labels["method"], labels["route"], labels["status"]] = sample.value
    return counts


async def test_requests_are_told_by_the_template_of_their_route() -> None:
    assert await _observed("/v1/things/1", "/v1/things/2", "/v1/x/stream", "/pages/a.html") == {
        ("GET", "/v1/things/{thing_id}", "2xx"): 2,
        ("GET", "/v1/{id}/stream", "2xx"): 1,
        ("GET", "/pages", "2xx"): 1,
    }


async def test_a_path_without_a_route_and_an_unusual_method_make_no_label_of_their_own() -> None:
    assert await _observed("/secret/7", "/v1/nothing", method="BREW") == {("other", "none", "4xx"): 2}


async def test_a_request_that_breaks_counts_as_such() -> None:
    assert await _observed("/v1/things/broken") == {("GET", "/v1/things/{thing_id}", "5xx"): 1}


async def test_the_metrics_are_served_as_prometheus_reads_them() -> None:
    app, _ = _measured_app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"rondo_http_request_duration_seconds", "process_resident_memory_bytes"} <= names
