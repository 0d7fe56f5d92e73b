"""Mailboxes on Redis Streams, filled by the notifier. One subscription wakes all readers."""

from __future__ import annotations

import asyncio
import contextvars
from contextlib import AbstractAsyncContextManager
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from rondo_common.mailbox import ENTRY_FIELD, OFFSET_FIELD, StreamEvent
from rondo_common.redis.connection import redis_errors
from rondo_common.redis.doorbells import Doorbells
from rondo_gateway.domain.cursors import Cursor, Extent, parse_cursor
from rondo_gateway.ports import Entry, WhisperingBell

Entries = list[tuple[str, dict[str, str]]]


class RedisMailboxes:
    """See :class:`rondo_gateway.ports.Mailboxes`."""

    def __init__(self, redis: Redis, doorbells: Doorbells) -> None:
        self._redis = redis
        self._doorbells = doorbells
        self._about_to_read: dict[tuple[str, Cursor, int], asyncio.Task[list[Entry]]] = {}

    def listen(self, mailbox: str) -> AbstractAsyncContextManager[WhisperingBell]:
        """See :class:`Mailboxes`."""
        return self._doorbells.listen(mailbox)

    async def whisper(self, mailbox: str, text: str) -> None:
        """See :class:`Mailboxes`."""
        with redis_errors():
            await self._redis.publish(mailbox, text)

    async def extent(self, mailbox: str) -> Extent | None:
        """See :class:`Mailboxes`."""
        try:
            with redis_errors():
                info = await self._redis.xinfo_stream(mailbox)
        except ResponseError as error:
            if "no such key" in str(error):
                return None
            raise
        if info["first-entry"] is None:
            return None
        return Extent(
            first=parse_cursor(info["first-entry"][0]),
            last=parse_cursor(info["last-generated-id"]),
            is_trimmed=info["entries-added"] > info["length"],
        )

    async def after(self, mailbox: str, cursor: Cursor, count_max: int) -> list[Entry]:
        """See :class:`Mailboxes`. A bell wakes all readers of a mailbox together, and most of them are at
        the same place: they are given what one of them reads."""
        place = mailbox, cursor, count_max
        reading = self._about_to_read.get(place)
        if reading is None:
            reading = asyncio.create_task(self._read_soon(place), context=contextvars.Context())
            self._about_to_read[place] = reading
        return await asyncio.shield(reading)

    async def _read_soon(self, place: tuple[str, Cursor, int]) -> list[Entry]:
        await asyncio.sleep(0)  # So that all who were woken have asked.
        # Who asks from now on may have been rung for what this does not see yet: they read anew.
        del self._about_to_read[place]
        mailbox, cursor, count_max = place
        with redis_errors():
            found = await self._redis.xrange(mailbox, min=f"({cursor}", count=count_max)
        return [_entry(*each) for each in cast("Entries", found)]

    async def until(self, mailbox: str, cursor: Cursor, count_max: int) -> list[Entry]:
        """See :class:`Mailboxes`."""
        with redis_errors():
            found = await self._redis.xrevrange(mailbox, max=str(cursor), count=count_max)
        return [_entry(*each) for each in cast("Entries", found)]


def _entry(cursor: str, fields: dict[str, str]) -> Entry:
    text = fields[ENTRY_FIELD]
    event = StreamEvent.model_validate_json(text)
    return Entry(parse_cursor(cursor), event, text, int(fields.get(OFFSET_FIELD, -1)))
