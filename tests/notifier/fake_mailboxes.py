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
        self.delivered: dict[str, list[Delivery]] = defaultdict(list)

    async def deliver(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            mailbox = self.delivered[mailbox_of(delivery)]
            if delivery.entry.id not in {known.entry.id for known in mailbox}:
                mailbox.append(delivery)

    async def forget(self, oblivion: Oblivion) -> None:
        self.delivered.pop(conversation_mailbox_key(oblivion.workspace_id, oblivion.conversation_id), None)
        for agent_id in oblivion.agent_ids:
            mailbox = agent_mailbox_key(oblivion.workspace_id, agent_id)
            erased = oblivion.conversation_id
            kept = [each for each in self.delivered[mailbox] if each.entry.conversation_id != erased]
            self.delivered[mailbox] = kept

    async def read(self, mailbox: str) -> list[StreamEvent]:
        return [delivery.entry for delivery in self.delivered[mailbox]]

    async def offsets(self, mailbox: str) -> list[int | None]:
        return [delivery.log_offset for delivery in self.delivered[mailbox]]
