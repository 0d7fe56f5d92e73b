"""What is done again and again beside the topics: mails that are due, and a look at each workspace."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable

import structlog

from rondo_common.errors import Retryable, Unavailable
from rondo_common.ids import WorkspaceId
from rondo_notifier.handlers.coverage import CoverageWatch
from rondo_notifier.handlers.mails import MailRound
from rondo_notifier.ports import Addressee

log = structlog.get_logger(__name__)

MAIL_POLL_S = 1.0
COVERAGE_LOOK_S = 5.0


class MailRounds:
    """Sends what is due; says what is in the way."""

    def __init__(self, round_: MailRound) -> None:
        self._round = round_
        self.blocked_by: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Send until ``stop`` is set; then finish what is under way."""
        while not stop.is_set():
            try:
                sent = await self._round.send_due(self._note)
            except Unavailable as error:
                self.blocked_by, sent = str(error), 0
                log.warning("mails_blocked", reason=str(error))
            if not sent:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(MAIL_POLL_S):
                        await stop.wait()

    def _note(self, addressee: Addressee, error: str | None) -> None:
        self.blocked_by = error
        log.info("news_mail", workspace=addressee.workspace_id, agent=addressee.agent_id, error=error)


async def look_after_workspaces(
    watch: CoverageWatch,
    covered: Callable[[], Collection[int]],
    workspaces_of: Callable[[int], Iterable[WorkspaceId]],
) -> None:
    """Look at the coverage of every workspace of the ``covered`` partitions, until cancelled."""
    while True:
        for partition in list(covered()):
            for workspace_id in workspaces_of(partition):
                try:
                    await watch.look(workspace_id)
                except Retryable as error:
                    log.warning("coverage_blocked", workspace=workspace_id, reason=str(error))
                    await asyncio.sleep(COVERAGE_LOOK_S)
        await asyncio.sleep(COVERAGE_LOOK_S)
