"""One partition's progress, without any I/O: what waits, what is done, what may be committed.

A lane takes records in, hands them out in batches in the same order, and learns when a batch is done.
From that alone it says which offset may be committed and whether the partition should be paused.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """``batch_max`` records are handled at once; above ``waiting_max`` the partition is paused."""

    batch_max: int = 500
    waiting_max: int = 1000


class Lane(Generic[R]):
    """The progress of one assigned partition, from assignment to revocation."""

    def __init__(self, limits: LaneLimits) -> None:
        self._limits = limits
        self._waiting: deque[tuple[int, R]] = deque()
        self._taken_until: int | None = None
        self._done_until: int | None = None
        self._committed_until: int | None = None
        self._begun_at: int | None = None

    def arrive(self, records: Iterable[tuple[int, R]]) -> None:
        """Take in fetched records as (offset, record), in offset order."""
        self._waiting.extend(records)
        if self._begun_at is None and self._waiting:
            self._begun_at = self._waiting[0][0]

    def take(self) -> list[R]:
        """The next batch, in order; empty when nothing waits.

        Until :meth:`done` is called for it, the batch counts as not handled.
        """
        batch: list[R] = []
        while self._waiting and len(batch) < self._limits.batch_max:
            offset, record = self._waiting.popleft()
            self._taken_until = offset + 1
            batch.append(record)
        return batch

    def done(self) -> None:
        """The batch last taken has all its effects, published and confirmed."""
        self._done_until = self._taken_until

    @property
    def is_full(self) -> bool:
        """True when fetching more would only grow memory: pause the partition."""
        return len(self._waiting) >= self._limits.waiting_max

    @property
    def has_room(self) -> bool:
        """True when a paused partition may be fetched again: half of the limit is free."""
        return len(self._waiting) <= self._limits.waiting_max // 2

    @property
    def next_to_do(self) -> int | None:
        """The first offset that is not handled to its end; None while nothing has arrived."""
        return self._begun_at if self._done_until is None else self._done_until

    def to_commit(self) -> int | None:
        """The next offset to read after a restart, or None when that is committed already."""
        return None if self._done_until == self._committed_until else self._done_until

    def committed(self, offset: int) -> None:
        """``offset`` is now stored with the group."""
        self._committed_until = offset
