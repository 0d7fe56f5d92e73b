"""Percentiles, and the table of figures with their ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Latency:
    """A distribution of times, in milliseconds."""

    p50: float
    p90: float
    p99: float
    samples: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Latency:
        """From single times in seconds. Raises ValueError when there are none."""
        ordered = sorted(seconds)
        if not ordered:
            raise ValueError("nothing was measured")
        p50, p90, p99 = (
            round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))], 3)
            for share in (0.5, 0.9, 0.99)
        )
        return cls(p50, p90, p99, len(ordered))


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: Rondo's figure beside the raw limit's, and what is aimed at."""

    what: str
    rondo: str
    limit: str
    ratio: float | None
    aim: str
    reached: bool | None


def table_of(rows: Sequence[Row]) -> Table:
    """The rows for a terminal."""
    table = Table(title="Rondo against the raw limits, measured in one run", title_justify="left")
    for heading in ("what", "Rondo", "raw limit beside it", "ratio", "aim", ""):
        table.add_column(heading, justify="right" if heading == "ratio" else "left")
    for row in rows:
        mark = "" if row.reached is None else "reached" if row.reached else "missed"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(row.what, row.rondo, row.limit, ratio, row.aim, mark)
    return table


def as_json(rows: Sequence[Row], details: dict[str, Any]) -> dict[str, Any]:
    """The same for a machine."""
    return {"rows": [asdict(row) for row in rows], **details}
