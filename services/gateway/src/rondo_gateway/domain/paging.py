"""Lists in pages: by id, with the last id of a page as the cursor to the next."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def page_of(
    items: Iterable[T], name: Callable[[T], str], limit: int, after: str | None
) -> tuple[list[T], str | None]:
    """The ``limit`` items whose names come next after ``after``, and the cursor to the rest, if any."""
    rest = (item for item in items if after is None or name(item) > after)
    first = heapq.nsmallest(limit + 1, rest, key=name)
    page = first[:limit]
    return page, name(page[-1]) if len(first) > limit else None
