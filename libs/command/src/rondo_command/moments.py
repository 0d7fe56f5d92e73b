"""Points in time as a person gives them: `10m` ago, or a date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from rondo_command.failures import WrongUse

_AGO = re.compile(r"(\d{1,9})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_since(text: str, now: datetime) -> datetime:
    """The moment ``text`` means: `90s`, `10m`, `2h`, `7d` before ``now``, or an ISO date or time (UTC).

    Raises:
        WrongUse: it means none.
    """
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise WrongUse(f"{text!r} is no time: give 90s, 10m, 2h, 7d, or 2026-01-31T12:00") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
