"""What the notifier needs from the world, with what each part promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rondo_notifier.domain.recipients import Delivery, Oblivion


class Mailboxes(Protocol):
    """Keeps what each recipient is told, and rings their doorbell.

    Raises:
        Unavailable: any prefix may have been delivered; deliver all of them again.
    """

    async def deliver(self, deliveries: Sequence[Delivery]) -> None:
        """Put each entry into its mailbox, in order. An event a mailbox knows is not put in twice."""
        ...

    async def forget(self, oblivion: Oblivion) -> None:
        """Remove all that is kept of a conversation for its parties: its mailbox, its view, the messages
        known by their client's ids, and its entries in the mailboxes of those who were rung for it."""
        ...
