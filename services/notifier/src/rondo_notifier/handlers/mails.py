"""Emailing people what they should know: at most one mail in a while, with all that came meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from rondo_common.clock import Clock
from rondo_common.directory.entries import AgentEntry, WorkspaceEntry
from rondo_common.directory.view import Directory
from rondo_common.envelope import Envelope
from rondo_common.errors import Rejected, Unavailable
from rondo_common.events import Event
from rondo_common.ids import WorkspaceId
from rondo_notifier.domain.mails import News, news_of
from rondo_notifier.ports import Addressee, MailBoard, Mailer

MAIL_LEASE_S = 60.0
MAIL_RETRY_S = 30.0
MAILS_AT_ONCE_MAX = 20

Log = Callable[[Addressee, str | None], None]
"""Told of each mail: None, or why it was not sent."""


class NewsDesk:
    """Gathers news from events."""

    def __init__(self, directory: Directory, board: MailBoard, clock: Clock) -> None:
        self._directory = directory
        self._board = board
        self._clock = clock

    async def take(self, envelopes: Iterable[Envelope[Event]]) -> None:
        """Put down whom the events are news to. Raises ``Unavailable``; repeat it then."""
        now = self._clock()
        news: list[News] = []
        for each in envelopes:
            found = self._directory.find(each.workspace_id)
            if found is not None:
                news += news_of(each, found, now)
        await self._board.note(news, now)


class MailRound:
    """Sends the mails that are due."""

    def __init__(self, directory: Directory, board: MailBoard, mailer: Mailer, clock: Clock) -> None:
        self._directory = directory
        self._board = board
        self._mailer = mailer
        self._clock = clock

    async def send_due(self, log: Log) -> int:
        """Send what is due: to how many. Raises ``Unavailable`` when the board is out of reach."""
        due = await self._board.claim(self._clock(), MAIL_LEASE_S, MAILS_AT_ONCE_MAX)
        for addressee, news in due:
            log(addressee, await self._send(addressee, news))
        return len(due)

    async def _send(self, addressee: Addressee, news: list[News]) -> str | None:
        workspace, agent = self._known(addressee)
        error = None
        if workspace is None or agent is None or not agent.notifications.email:
            error = "they are gone, or want no email"
        elif news:
            try:
                await self._mailer.send_news(agent, news, workspace.settings.time_zone)
            except Rejected as refusal:
                error = str(refusal)
            except Unavailable as reason:
                await self._board.postpone(addressee, self._clock() + timedelta(seconds=MAIL_RETRY_S))
                return str(reason)
        interval_s = mail_interval_s(self._directory, addressee.workspace_id)
        await self._board.sent(addressee, len(news), self._clock(), interval_s)
        return error

    def _known(self, addressee: Addressee) -> tuple[WorkspaceEntry | None, AgentEntry | None]:
        found = self._directory.find(addressee.workspace_id)
        defined = None if found is None else found.agents.get(addressee.agent_id)
        return None if found is None else found.workspace, None if defined is None else defined.entry


def mail_interval_s(directory: Directory, workspace_id: WorkspaceId) -> float:
    """How long an agent of the workspace is left alone after a mail."""
    found = directory.find(workspace_id)
    if found is None or found.workspace is None:
        return 0.0
    return float(found.workspace.settings.alerts.mail_interval_s)
