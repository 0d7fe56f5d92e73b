"""Faust's tables, kept strictly: what was put in counts only once the changelog has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
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
        self._unconfirmed: dict[str, tuple[int, FutureMessage]] = {}

    def put(self, partition: int, key: str, value: Any) -> None:
        """Set a key, None to remove it; :meth:`confirm` waits for it."""
        if value is None:
            self._table.data.pop(key, None)
        else:
            self._table.data[key] = value
        self._send(partition, key)

    async def confirm(self) -> None:
        """Return when the changelog has every key as it is.

        Raises:
            Unavailable: it has not. Call again: what failed was sent again, behind what came before.
        """
        try:
            async with asyncio.timeout(CONFIRMATION_TIMEOUT_S):
                await asyncio.gather(*(sent for _, sent in self._unconfirmed.values()))
        except Exception as error:  # Whatever Faust's producer makes of it.
            for key, (partition, sent) in list(self._unconfirmed.items()):
                if not sent.done() or sent.cancelled() or sent.exception() is not None:
                    self._send(partition, key)
            raise Unavailable("kafka", f"a changelog did not take a change: {error!r}") from error
        self._unconfirmed.clear()

    def items(self) -> Iterator[tuple[str, Any]]:
        """Every key with its value."""
        yield from self._table.data.items()

    def get(self, key: str) -> Any:
        """A key's value, or None."""
        return self._table.data.get(key)

    def keep(self, partitions: Collection[int], partition_of_key: Callable[[str], int]) -> None:
        """Forget all but these partitions here, not in the changelog: other processes have them now."""
        for key in [key for key, _ in self.items() if partition_of_key(key) not in partitions]:
            self._table.data.pop(key, None)
        self._unconfirmed = {
            key: (partition, sent)
            for key, (partition, sent) in self._unconfirmed.items()
            if partition in partitions
        }

    def _send(self, partition: int, key: str) -> None:
        value = self._table.data.get(key)
        serializer = "raw" if value is None else None
        sent = self._table.send_changelog(partition, key, value, value_serializer=serializer)
        # A later change of a key stands behind an earlier one: confirming the last confirms both.
        self._unconfirmed[key] = (partition, sent)
