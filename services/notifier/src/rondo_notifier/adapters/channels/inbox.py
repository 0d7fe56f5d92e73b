"""The agent's inbox: an entry in their mailbox, which the gateway's live streams tell at once."""

from __future__ import annotations

from collections.abc import Sequence

from rondo_common.alerts import ChannelName
from rondo_common.directory.entries import AgentEntry
from rondo_common.ids import WorkspaceId
from rondo_common.mailbox import StreamEvent
from rondo_notifier.domain.notice_text import body_of, tag_of, title_of
from rondo_notifier.domain.recipients import Delivery, ToAgent
from rondo_notifier.ports import Mailboxes, Notice, Receipt

TYPES = {"ring": "alert.sent", "recall": "alert.withdrawn"}


class InboxChannel:
    """See :class:`rondo_notifier.ports.Channel`. A mailbox ignores what it knows: nothing comes twice."""

    name = ChannelName.INBOX
    is_confirmed = False

    def __init__(self, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes

    def reaches(self, workspace_id: WorkspaceId, agent: AgentEntry) -> bool:  # noqa: ARG002 - every agent has a mailbox
        """See :class:`Channel`."""
        return True

    async def deliver(self, notices: Sequence[Notice]) -> list[Receipt]:
        """See :class:`Channel`."""
        await self._mailboxes.deliver([_delivery(each) for each in notices])
        return [Receipt("told")] * len(notices)


def _delivery(notice: Notice) -> Delivery:
    alert, visitor = notice.alert, notice.visitor
    data = {
        "alert_id": alert.id,
        "kind": alert.kind,
        "attempt": alert.attempt,
        "title": title_of(notice.act),
        "body": body_of(visitor, notice.act),
        "tag": tag_of(alert),
        "sound": notice.act == "ring" and notice.agent.notifications.sound,
        "expires_at": alert.model_dump(mode="json")["expires_at"],
    }
    entry = StreamEvent(
        id=notice.id,
        type=TYPES[notice.act],
        conversation_id=alert.conversation_id,
        occurred_at=notice.at,
        data=data,
    )
    return Delivery(notice.workspace_id, ToAgent(notice.agent.id), entry, None)
