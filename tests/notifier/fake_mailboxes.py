"""Mailboxes in memory, for tests that want no server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rondo_common.mailbox import StreamEvent
from rondo_common.redis.keys import agent_mailbox_key, conversation_mailbox_key
from rondo_notifier.adapters.redis_mailboxes import mailbox_of
from rondo_notifier.domain.recipients import Delivery, Oblivion


class FakeMailboxes:
    """A :class:`rondo_notifier.ports.Mailboxes` without a server."""

    def __init__(self) -> None:
        self.entries: dict[str, list[StreamEvent]] = defaultdict(list)

    async def deliver(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            mailbox = self.entries[mailbox_of(delivery)]
            if delivery.entry.id not in {known.id for known in mailbox}:
                mailbox.append(delivery.entry)

    async def forget(self, oblivion: Oblivion) -> None:
        self.entries.pop(conversation_mailbox_key(oblivion.workspace_id, oblivion.conversation_id), None)
        for agent_id in oblivion.agent_ids:
            mailbox = agent_mailbox_key(oblivion.workspace_id, agent_id)
            self.entries[mailbox] = [
                each for each in self.entries[mailbox] if each.conversation_id != oblivion.conversation_id
            ]

    async def read(self, mailbox: str) -> list[StreamEvent]:
        return list(self.entries[mailbox])
