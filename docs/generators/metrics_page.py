"""The page of metrics, from their registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rondo_common.metrics import METRICS, Metric

PLACE = "<!-- metrics -->\n"
HEAD = "| metric | kind, unit | says | labels | told by |\n| --- | --- | --- | --- | --- |\n"


def metrics_markdown(template: Path) -> str:
    """The page: ``template`` with the table in its place. Deterministic."""
    note = "<!-- Written by `make generate`; the text is in docs/generators/metrics.md. -->\n"
    return note + template.read_text(encoding="utf-8").replace(PLACE, HEAD + "".join(_rows()))


def _rows() -> Iterator[str]:
    for metric in METRICS:
        kind = f"{metric.kind}, {metric.unit}"
        cells = (f"`{metric.name}`", kind, metric.help, _labels(metric), ", ".join(metric.services))
        yield f"| {' | '.join(cells)} |\n"


def _labels(metric: Metric) -> str:
    return "; ".join(f"**{label}**: {values}" for label, values in metric.labels.items()) or "none"
