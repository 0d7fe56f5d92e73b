"""Faust's tables, kept strictly: what was put in counts only once the changelog has it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from typing import Any

import faust
from faust.types import FutureMessage

from rondo_common.errors import Unavailable

CONFIRMATION_TIMEOUT_S = 15.0


class ConfirmedTable:
    """A Faust table of JSON values whose changes can be waited for.

    By itself, Faust sends changes to the changelog later and forgets about those that fail. A change
    goes to the partition that is named: which one is not left to whichever event Faust thinks current.
    """

    def __init__(self, app: faust.App, name: str, *, partitions: int) -> None:
        self._table = app.Table(name, key_type=str, partitions=partitions)
        self._unconfirmed: list[FutureMessage] = []

    def put(self, partition: int, key: str, value: Any) -> None:
        """Set a key, None to remove it; :meth:`confirm` waits for it."""
        if value is None:
            self._table.data.pop(key, None)
            sent = self._table.send_changelog(partition, key, None, value_serializer="raw")
        else:
            self._table.data[key] = value
            sent = self._table.send_changelog(partition, key, value)
        self._unconfirmed.append(sent)

    async def confirm(self) -> None:
        """Return when the changelog has every change.

        Raises:
            Unavailable: it has not; what was put since the last time may be lost. End the process:
                nothing was committed, and it starts again from what the changelog has.
        """
        unconfirmed, self._unconfirmed = self._unconfirmed, []
        try:
            async with asyncio.timeout(CONFIRMATION_TIMEOUT_S):
                await asyncio.gather(*unconfirmed)
        except Exception as error:
            raise Unavailable("kafka", f"a changelog did not take a change: {error!r}") from error

    def items(self) -> Iterator[tuple[str, Any]]:
        """Every key with its value."""
        yield from self._table.data.items()

    def get(self, key: str) -> Any:
        """A key's value, or None."""
        return self._table.data.get(key)

    def drop(self, keys: Collection[str]) -> None:
        """Forget keys here, not in the changelog: another process has their partition now."""
        for key in keys:
            self._table.data.pop(key, None)
