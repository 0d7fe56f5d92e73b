"""Sending the mails that are due, again and again."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from rondo_common.clock import Clock
from rondo_common.errors import Unavailable
from rondo_history.handlers import send_due_mails
from rondo_history.ports import Archive, Mailer, Mails

log = structlog.get_logger(__name__)

POLL_S = 1.0


async def send_mails(
    stop: asyncio.Event, mails: Mails, archive: Archive, mailer: Mailer, clock: Clock
) -> None:
    """Send what is due until ``stop`` is set; then finish what is under way."""
    while not stop.is_set():
        try:
            for outcome in await send_due_mails(mails, archive, mailer, clock):
                log.info("transcript_mail", mail=outcome.mail.id, error=outcome.error)
        except Unavailable as error:
            log.warning("mails_blocked", reason=str(error))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await stop.wait()
