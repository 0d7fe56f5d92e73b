"""Time as an argument: rules take the present moment and never ask for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present moment, with its zone (UTC). Does not block."""


def milliseconds(moment: datetime) -> int:
    """``moment`` as whole milliseconds since 1970-01-01T00:00Z, as Redis keeps times."""
    return round(moment.timestamp() * 1000)


def from_milliseconds(value: int) -> datetime:
    """The UTC moment that many milliseconds after 1970-01-01T00:00Z."""
    return datetime.fromtimestamp(value / 1000, UTC)
