"""A lane: what waits, what is done, what may be committed. Against a model of a few lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rondo_common.kafka.lane import Lane, LaneLimits

BATCH_MAX = 3
WAITING_MAX = 6


class LaneMachine(RuleBasedStateMachine):
    """Any order of arrivals, batches and commits, with gaps in the offsets as compaction leaves them."""

    def __init__(self) -> None:
        super().__init__()
        self.lane: Lane[str] = Lane(LaneLimits(batch_max=BATCH_MAX, waiting_max=WAITING_MAX))
        self.next_offset = 0
        self.arrived: list[int] = []
        self.taken: list[int] = []
        self.in_work = 0
        self.done: int | None = None
        self.committed: int | None = None

    @rule(gaps=st.lists(st.integers(0, 3), max_size=8))
    def arrive(self, gaps: list[int]) -> None:
        records = []
        for gap in gaps:
            self.next_offset += gap
            records.append((self.next_offset, f"record {self.next_offset}"))
            self.arrived.append(self.next_offset)
            self.next_offset += 1
        self.lane.arrive(records)

    @precondition(lambda self: self.in_work == 0)
    @rule()
    def take(self) -> None:
        waiting = self.arrived[len(self.taken) :]
        batch = self.lane.take()
        assert batch == [f"record {offset}" for offset in waiting[:BATCH_MAX]]
        self.taken += waiting[:BATCH_MAX]
        self.in_work = len(batch)

    @precondition(lambda self: self.in_work > 0)
    @rule()
    def finish(self) -> None:
        self.lane.done()
        self.done = self.taken[-1] + 1
        self.in_work = 0

    @rule()
    def commit(self) -> None:
        offset = self.lane.to_commit()
        if offset is not None:
            self.lane.committed(offset)
            self.committed = offset

    @invariant()
    def only_what_is_done_may_be_committed_and_only_once(self) -> None:
        assert self.lane.to_commit() == (None if self.done == self.committed else self.done)

    @invariant()
    def fullness_follows_what_waits(self) -> None:
        waiting = len(self.arrived) - len(self.taken)
        assert self.lane.is_full == (waiting >= WAITING_MAX)
        assert self.lane.has_room == (waiting <= WAITING_MAX // 2)


TestLane = LaneMachine.TestCase


def test_a_commit_that_was_overtaken_leaves_the_rest_to_commit() -> None:
    lane: Lane[str] = Lane(LaneLimits(batch_max=1))
    lane.arrive([(0, "a"), (1, "b")])
    lane.take()
    lane.done()
    under_way = lane.to_commit()
    assert under_way == 1
    lane.take()
    lane.done()
    lane.committed(under_way)
    assert lane.to_commit() == 2


def test_a_lane_that_has_seen_nothing_has_nothing_to_commit() -> None:
    lane: Lane[str] = Lane(LaneLimits())
    assert lane.take() == []
    lane.done()
    assert lane.to_commit() is None


@given(st.integers(1, 20), st.integers(0, 50))
def test_a_full_lane_has_room_again_before_it_is_empty(waiting_max: int, more: int) -> None:
    lane: Lane[int] = Lane(LaneLimits(batch_max=1, waiting_max=waiting_max))
    count = waiting_max + more
    lane.arrive((offset, offset) for offset in range(count))
    assert lane.is_full
    taken = 0
    while not lane.has_room:
        taken += len(lane.take())
    assert taken <= count
    assert not lane.is_full
