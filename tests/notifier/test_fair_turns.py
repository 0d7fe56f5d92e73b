"""Whose turn it is to send, whatever others do."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from rondo_common.ids import WebhookId, WorkspaceId
from rondo_notifier.domain.fair_turns import FairTurns, TurnLimits
from rondo_notifier.domain.webhooks import EndpointKey

LIMITS = TurnLimits(endpoint_max=4, failing_max=2, workspace_max=6, process_max=10, turn_max=3)


def endpoint(workspace: str, number: int = 0) -> EndpointKey:
    return EndpointKey(WorkspaceId(workspace), WebhookId(f"hook-{number}"))


def begin_all(turns: FairTurns, now_ms: int = 0, *, again_ms: int | None = None) -> Counter[EndpointKey]:
    """Take every turn and use all of its room."""
    began: Counter[EndpointKey] = Counter()
    for turn in turns.take(now_ms):
        turns.began(turn, turn.room, again_ms)
        began[turn.endpoint] += turn.room
    return began


def test_nobody_has_a_turn_before_they_have_something_to_send() -> None:
    turns = FairTurns(LIMITS)
    turns.note(endpoint("a"), 100)
    assert turns.next_due_ms() == 100
    assert turns.take(99) == []
    assert [each.endpoint for each in turns.take(100)] == [endpoint("a")]
    assert turns.next_due_ms() is None


def test_an_earlier_word_counts_and_a_later_one_does_not() -> None:
    turns = FairTurns(LIMITS)
    for due_ms in (100, 50, 200):
        turns.note(endpoint("a"), due_ms)
    assert turns.next_due_ms() == 50
    assert len(turns.take(50)) == 1
    assert turns.take(1_000) == []


def test_an_endpoint_holds_no_more_than_its_own() -> None:
    turns = FairTurns(LIMITS)
    turns.note(endpoint("a"), 0)
    assert begin_all(turns, again_ms=0) == {endpoint("a"): 3}
    assert begin_all(turns, again_ms=0) == {endpoint("a"): 1}
    assert begin_all(turns, again_ms=0) == {}
    turns.ended(endpoint("a"), is_success=True)
    assert begin_all(turns) == {endpoint("a"): 1}


def test_an_endpoint_that_fails_holds_fewer_until_it_is_well() -> None:
    turns = FairTurns(LIMITS)
    turns.note(endpoint("a"), 0)
    begin_all(turns, again_ms=0)
    for _ in range(2):
        turns.ended(endpoint("a"), is_success=False)
    assert begin_all(turns, again_ms=0) == {endpoint("a"): 1}
    turns.ended(endpoint("a"), is_success=True)
    assert begin_all(turns) == {endpoint("a"): 3}


def test_what_becomes_free_goes_to_the_workspace_that_waited_longest() -> None:
    turns = FairTurns(LIMITS)
    for number in range(5):
        turns.note(endpoint("greedy", number), 0)
    turns.note(endpoint("modest"), 1)
    began = begin_all(turns, 1, again_ms=1)
    assert began[endpoint("modest")] == 3
    assert sum(count for each, count in began.items() if each.workspace_id == "greedy") == 6


def test_an_endpoint_that_is_forgotten_has_no_turn() -> None:
    turns = FairTurns(LIMITS)
    for each in ("a", "b"):
        turns.note(endpoint(each), 0)
    turns.forget(endpoint("a"))
    assert [each.endpoint for each in turns.take(0)] == [endpoint("b")]


endpoints = st.builds(endpoint, st.sampled_from("abc"), st.integers(0, 3))
steps = st.one_of(
    st.tuples(st.just("note"), endpoints, st.integers(0, 20)),
    st.tuples(st.just("take"), st.integers(0, 5), st.none() | st.integers(0, 5)),
    st.tuples(st.just("end"), st.integers(0, 100), st.booleans()),
    st.tuples(st.just("forget"), endpoints, st.none()),
)


@given(st.lists(steps, max_size=80))
def test_limits_hold_and_nobody_who_could_send_is_left_out(
    history: list[tuple[str, object, object]],
) -> None:
    turns, now_ms = FairTurns(LIMITS), 0
    under_way: list[EndpointKey] = []
    waiting: dict[EndpointKey, int] = {}
    for step, what, more in history:
        match step, what, more:
            case "note", EndpointKey() as one, int() as later:
                turns.note(one, now_ms + later)
                waiting[one] = min(waiting.get(one, now_ms + later), now_ms + later)
            case "take", int() as used, again:
                now_ms += 5
                for turn in turns.take(now_ms):
                    assert waiting.pop(turn.endpoint) <= now_ms
                    count = min(used, turn.room)
                    following = now_ms + again if isinstance(again, int) else None
                    turns.began(turn, count, following)
                    under_way += [turn.endpoint] * count
                    if following is not None:
                        waiting[turn.endpoint] = following
                _nobody_is_left_out(turns, under_way, waiting, now_ms)
            case "end", int() as which, bool() as is_success if under_way:
                turns.ended(under_way.pop(which % len(under_way)), is_success=is_success)
            case "forget", EndpointKey() as one, _:
                turns.forget(one)
                waiting.pop(one, None)
        counts = Counter(under_way)
        assert turns.total_under_way == len(under_way) <= LIMITS.process_max
        assert all(turns.under_way(each) == count for each, count in counts.items())
        assert all(count <= LIMITS.endpoint_max for count in counts.values())
        of_workspace = Counter(each.workspace_id for each in under_way)
        assert all(count <= LIMITS.workspace_max for count in of_workspace.values())


def _nobody_is_left_out(
    turns: FairTurns, under_way: list[EndpointKey], waiting: dict[EndpointKey, int], now_ms: int
) -> None:
    """Whoever is due and below every limit would be given a turn at once, were it asked for again."""
    of_workspace = Counter(each.workspace_id for each in under_way)
    could = {
        each
        for each, due_ms in waiting.items()
        if due_ms <= now_ms
        and turns.under_way(each) < LIMITS.failing_max
        and of_workspace[each.workspace_id] < LIMITS.workspace_max
    }
    if len(under_way) >= LIMITS.process_max:
        return
    given: set[EndpointKey] = set()
    for turn in turns.take(now_ms):
        given.add(turn.endpoint)
        turns.began(turn, 0, waiting[turn.endpoint])
    # Those who came first may have taken all the room of a round; some of them always can.
    assert bool(given) >= bool(could)
