"""How long people waited: a count, a sum, a maximum, and a histogram that percentiles are read from."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

from rondo_common.conversation import Value

WAIT_BOUNDS_S: Sequence[float] = (
    0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1_200, 3_600,
)  # fmt: skip
"""Where the buckets of the histogram end: a percentile read from it is at most one bucket too high."""


class WaitBucket(Value):
    """How many waits were above the bucket before and at most ``up_to_s``; None: above all bounds."""

    up_to_s: float | None = None
    count: int


class Waits(Value):
    """Some waits, in seconds. Those of several windows are added up with :func:`added`."""

    count: int = 0
    sum_s: float = 0.0
    max_s: float = 0.0
    histogram: tuple[WaitBucket, ...] = ()
    """By length; buckets without a wait are left out."""

    def percentile_s(self, share: float) -> float | None:
        """The least bound that ``share`` (above 0, up to 1) of the waits keep to; None without waits."""
        needed = share * self.count
        seen = 0
        for bucket in self.histogram:
            seen += bucket.count
            if seen >= needed:
                return self.max_s if bucket.up_to_s is None else min(bucket.up_to_s, self.max_s)
        return None


def waits_of(milliseconds: Iterable[int]) -> Waits:
    """The waits that took so long, in milliseconds; in any order."""
    each = list(milliseconds)
    counts = Counter(bisect_left(WAIT_BOUNDS_S, wait / 1000) for wait in each)
    return Waits(
        count=len(each),
        sum_s=sum(each) / 1000,
        max_s=max(each, default=0) / 1000,
        histogram=_histogram(counts),
    )


def added(several: Iterable[Waits]) -> Waits:
    """All the waits together."""
    each = list(several)
    counts: Counter[int] = Counter()
    for waits in each:
        for bucket in waits.histogram:
            counts[_index_of(bucket)] += bucket.count
    return Waits(
        count=sum(waits.count for waits in each),
        sum_s=round(sum(waits.sum_s for waits in each), 3),
        max_s=max((waits.max_s for waits in each), default=0.0),
        histogram=_histogram(counts),
    )


def _histogram(counts: Counter[int]) -> tuple[WaitBucket, ...]:
    ends = [*WAIT_BOUNDS_S, None]
    return tuple(WaitBucket(up_to_s=ends[index], count=counts[index]) for index in sorted(counts))


def _index_of(bucket: WaitBucket) -> int:
    return len(WAIT_BOUNDS_S) if bucket.up_to_s is None else bisect_left(WAIT_BOUNDS_S, bucket.up_to_s)
