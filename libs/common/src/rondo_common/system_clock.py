"""The real clock. Only wiring (``bootstrap.py``) and command lines name it."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present moment in UTC: a :data:`rondo_common.clock.Clock`."""
    return datetime.now(UTC)
