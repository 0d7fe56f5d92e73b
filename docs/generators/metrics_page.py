"""The page of metrics, from their registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from docs.generators.table_page import page_with_table
from rondo_common.metrics import METRICS, Metric

PLACE = "<!-- metrics -->\n"
HEAD = "| metric | kind, unit | says | labels | told by |\n| --- | --- | --- | --- | --- |\n"


def metrics_markdown(template: Path) -> str:
    """The page: ``template`` with the table in its place. Deterministic."""
    return page_with_table(template, PLACE, (HEAD, *_rows()))


def _rows() -> Iterator[str]:
    for metric in METRICS:
        kind = f"{metric.kind}, {metric.unit}"
        cells = (f"`{metric.name}`", kind, metric.help, _labels(metric), ", ".join(metric.services))
        yield f"| {' | '.join(cells)} |\n"


def _labels(metric: Metric) -> str:
    return "; ".join(f"**{label}**: {values}" for label, values in metric.labels.items()) or "none"
