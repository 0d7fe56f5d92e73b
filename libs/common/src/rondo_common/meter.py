"""The meter of one process: instruments for the metrics it declares, and ``/metrics`` to read them.

Not a global: each process makes one, and hands it to what is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from fastapi import APIRouter, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from rondo_common.metrics import Metric, MetricKind

Reading = Callable[[], Iterable[tuple[tuple[str, ...], float]]]
"""What a gauge shows at this moment: the values of its labels, in their order, and the figure."""


class Meter:
    """The instruments of one process of ``service``. Each metric is made once.

    Raises:
        ValueError: a metric is not declared for the service, or as another kind: a defect of ours.
    """

    def __init__(self, service: str) -> None:
        # Else a second series for each, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # its package says it has types
        self._service = service
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)

    def counter(self, metric: Metric, *known: tuple[str, ...]) -> Counter:
        """A counter. The ``known`` values of its labels stand at 0 from the beginning: a rate over what
        appears with its first event would miss that one."""
        self._check(metric, MetricKind.COUNTER)
        counter = Counter(metric.name, metric.help, tuple(metric.labels), registry=self._registry)
        for values in known:
            counter.labels(*values)
        return counter

    def histogram(self, metric: Metric) -> Histogram:
        """A histogram with its declared buckets."""
        self._check(metric, MetricKind.HISTOGRAM)
        return Histogram(
            metric.name,
            metric.help,
            tuple(metric.labels),
            buckets=metric.buckets,
            registry=self._registry,
        )

    def gauge(self, metric: Metric, read: Reading) -> None:
        """A gauge that costs nothing until somebody asks: ``read`` is called then."""
        self._check(metric, MetricKind.GAUGE)
        self._registry.register(_ReadGauge(metric, read))

    def exposition(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)

    def _check(self, metric: Metric, kind: MetricKind) -> None:
        if metric.kind is not kind or self._service not in metric.services:
            raise ValueError(f"{metric.name} is no {kind} of {self._service}: see rondo_common.metrics")


class _ReadGauge(Collector):
    """A gauge whose figures are read when they are asked for."""

    def __init__(self, metric: Metric, read: Reading) -> None:
        self._metric = metric
        self._read = read

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """What the registry needs to find doubles."""
        yield self._family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What stands there now."""
        family = self._family()
        for values, figure in self._read():
            family.add_metric(values, figure)
        yield family

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(self._metric.name, self._metric.help, labels=tuple(self._metric.labels))


def metrics_routes(meter: Meter) -> APIRouter:
    """``GET /metrics``, for the internal port alone."""
    routes = APIRouter(tags=["operations"])

    @routes.get("/metrics", summary="What this process counts, for Prometheus")
    async def metrics() -> Response:
        return Response(meter.exposition(), media_type=CONTENT_TYPE_LATEST)

    return routes
