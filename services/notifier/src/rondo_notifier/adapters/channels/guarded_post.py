"""One POST to a server that somebody named: bounded in time and size, redirects not followed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from rondo_notifier.ports import CHANNEL_TIMEOUT_S

RETRY_AFTER_S_MAX = 3600.0
SHOWN_BYTES_MAX = 200
SUCCESSES = range(200, 300)
BUSY = 429
SERVER_ERRORS = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; without a ``status``, why it said nothing."""

    status: int | None
    detail: str
    retry_after_s: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether it was taken."""
        return self.status in SUCCESSES

    @property
    def may_come_later(self) -> bool:
        """Whether the same may be taken at another time."""
        return self.status is None or self.status == BUSY or self.status >= SERVER_ERRORS


async def post(session: aiohttp.ClientSession, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send it once. Never raises for what the other side is or does."""
    try:
        async with (
            asyncio.timeout(CHANNEL_TIMEOUT_S),
            session.post(url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            shown = await response.content.read(SHOWN_BYTES_MAX)
            detail = f"answered {response.status} {shown.decode(errors='replace')}".strip()
            return Answer(response.status, detail, _retry_after_s(response.headers))
    except TimeoutError:
        return Answer(None, f"no answer within {CHANNEL_TIMEOUT_S:g} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(None, f"cannot be reached: {type(error).__name__}")


def _retry_after_s(headers: Mapping[str, str]) -> float:
    """Seconds; a date is left aside, for Rondo's own pauses grow anyway."""
    text = headers.get("Retry-After", "")
    return min(float(text), RETRY_AFTER_S_MAX) if text.isdecimal() else 0.0
