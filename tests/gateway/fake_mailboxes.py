"""Mailboxes in memory, with a delivery of their own."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator

from rondo_common.errors import Unavailable
from rondo_common.mailbox import StreamEvent
from rondo_common.redis.doorbells import Doorbell
from rondo_gateway.domain.cursors import Cursor, Extent
from rondo_gateway.ports import Entry


class FakeMailboxes:
    """A :class:`rondo_gateway.ports.Mailboxes` without a server."""

    def __init__(self) -> None:
        self.is_unreachable = False
        self._entries: defaultdict[str, list[Entry]] = defaultdict(list)
        self._trimmed: set[str] = set()
        self._bells: defaultdict[str, set[Doorbell]] = defaultdict(set)
        self._next = 1

    async def deliver(self, mailbox: str, event: StreamEvent, log_offset: int = -1) -> Cursor:
        """What the notifier does."""
        cursor = Cursor(1_000 + self._next, 0)
        self._next += 1
        self._entries[mailbox].append(Entry(cursor, event, event.model_dump_json(), log_offset))
        for bell in self._bells[mailbox]:
            bell.set()
        return cursor

    async def whisper(self, mailbox: str, text: str) -> None:
        self._check()
        for bell in self._bells[mailbox]:
            bell.hear(text)

    async def trim(self, mailbox: str, kept: int) -> None:
        """Let the oldest entries go."""
        self._trimmed.add(mailbox)
        del self._entries[mailbox][:-kept]

    async def lose(self, mailbox: str) -> None:
        """Forget the mailbox, as when it expires."""
        self._entries.pop(mailbox, None)
        self._trimmed.discard(mailbox)

    @contextlib.asynccontextmanager
    async def listen(self, mailbox: str) -> AsyncIterator[Doorbell]:
        self._check()
        bell = Doorbell()
        self._bells[mailbox].add(bell)
        try:
            yield bell
        finally:
            self._bells[mailbox].discard(bell)

    async def extent(self, mailbox: str) -> Extent | None:
        self._check()
        entries = self._entries.get(mailbox)
        if not entries:
            return None
        return Extent(entries[0].cursor, entries[-1].cursor, mailbox in self._trimmed)

    async def after(self, mailbox: str, cursor: Cursor, count_max: int) -> list[Entry]:
        self._check()
        return [each for each in self._entries.get(mailbox, ()) if each.cursor > cursor][:count_max]

    async def until(self, mailbox: str, cursor: Cursor, count_max: int) -> list[Entry]:
        self._check()
        return [each for each in self._entries.get(mailbox, ()) if each.cursor <= cursor][::-1][:count_max]

    def _check(self) -> None:
        if self.is_unreachable:
            raise Unavailable("redis", "switched off by the test")
