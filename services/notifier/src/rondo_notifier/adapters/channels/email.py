"""Email as a way to an agent while a chat waits for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rondo_common.alerts import ChannelName
from rondo_common.directory.entries import AgentEntry
from rondo_common.errors import Rejected, Unavailable
from rondo_common.ids import WorkspaceId
from rondo_notifier.ports import Addressee, MailBoard, Mailer, Notice, Receipt


class EmailChannel:
    """See :class:`rondo_notifier.ports.Channel`. What was mailed cannot be taken back.

    Of mails that come too close to each other, the later ones are refused: a chat is over before a
    digest could tell of it, and one that was missed is in the digest anyway.
    """

    name = ChannelName.EMAIL
    is_confirmed = True

    def __init__(
        self, mailer: Mailer, board: MailBoard, interval_s_of: Callable[[WorkspaceId], float]
    ) -> None:
        self._mailer = mailer
        self._board = board
        self._interval_s_of = interval_s_of

    def reaches(self, workspace_id: WorkspaceId, agent: AgentEntry) -> bool:  # noqa: ARG002 - every agent has an address
        """See :class:`Channel`."""
        return agent.notifications.email

    async def deliver(self, notices: Sequence[Notice]) -> list[Receipt]:
        """See :class:`Channel`. One after the other: they go over one connection."""
        return [await self._tell(each) for each in notices]

    async def _tell(self, notice: Notice) -> Receipt:
        if notice.act == "recall":
            return Receipt("told")
        if notice.alert.expires_at <= notice.at:
            return Receipt("refused", "the offer is over")
        addressee = Addressee(notice.workspace_id, notice.agent.id)
        interval_s = self._interval_s_of(notice.workspace_id)
        if not await self._board.may_mail(addressee, notice.id, notice.at, interval_s):
            return Receipt("refused", f"an email went out within the last {interval_s:g} s")
        try:
            await self._mailer.send_notice(notice)
        except Rejected as error:
            return Receipt("refused", str(error))
        except Unavailable as error:
            return Receipt("later", str(error))
        return Receipt("told")
