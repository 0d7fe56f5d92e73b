"""Mailboxes in memory, for tests that want no server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rondo_common.mailbox import StreamEvent
from rondo_notifier.adapters.redis_mailboxes import mailbox_of
from rondo_notifier.domain.recipients import Delivery


class FakeMailboxes:
    """A :class:`rondo_notifier.ports.Mailboxes` without a server."""

    def __init__(self) -> None:
        self.entries: dict[str, list[StreamEvent]] = defaultdict(list)

    async def deliver(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            mailbox = self.entries[mailbox_of(delivery)]
            if delivery.entry.id not in {known.id for known in mailbox}:
                mailbox.append(delivery.entry)

    async def read(self, mailbox: str) -> list[StreamEvent]:
        return list(self.entries[mailbox])
