"""The figures of a window, and when it is told: whatever comes, in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from rondo_common.clock import milliseconds
from rondo_common.conversation import FallbackReason
from rondo_common.envelope import Envelope
from rondo_common.events import Event, WorkspaceMetrics
from rondo_common.ids import EventId, WorkspaceId
from rondo_common.waits import added, waits_of
from rondo_history.domain.chat_moments import Chat, Moment, Standing, Step, in_order, moment_of, with_moment
from rondo_history.domain.live_metrics import WINDOW_MS, figures_of
from rondo_history.domain.metrics_ledger import BACKLOG_MS_MAX, KEPT_MS, MetricsLedger
from tests.history.live_chats import ToldChat, any_chat

ACME = WorkspaceId("acme")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOON_MS = milliseconds(NOON)
SERVICE_LEVEL_MS = 20_000
SOURCES = ("requests/0", "conversations/0")

Windows = dict[tuple[str, datetime], WorkspaceMetrics]


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def moments_of(chat: ToldChat) -> list[Moment]:
    found = [moment_of(_plain(each), offset) for offset, each in enumerate(chat.envelopes)]
    return [each for each in found if each is not None]


def _plain(envelope: object) -> Envelope[Event]:
    assert isinstance(envelope, Envelope)
    return envelope


def known(chat: ToldChat) -> Chat:
    return Chat(tuple(in_order(moments_of(chat))))


def figures(chats: list[ToldChat], start_s: int) -> WorkspaceMetrics:
    start_ms = NOON_MS + start_s * 1000
    whole = [known(each) for each in chats]
    [told] = figures_of(whole, start_ms, start_ms + WINDOW_MS, SERVICE_LEVEL_MS, also=[start_ms])
    return told


def test_each_event_counts_in_the_window_of_its_own_time() -> None:
    chat = ToldChat(ACME, at(1)).offered(at(2)).accepted(at(12)).ended(at(25))
    first, second, third = (figures([chat], start) for start in (0, 10, 20))
    assert (first.requested, first.offered, first.accepted, first.ended) == (1, 1, 0, 0)
    assert (second.requested, second.offered, second.accepted, second.ended) == (0, 0, 1, 0)
    assert (third.accepted, third.ended) == (0, 1)
    assert [each.waiting for each in (first, second, third)] == [1, 0, 0]
    assert [each.active for each in (first, second, third)] == [0, 1, 0]


def test_a_moment_on_the_edge_belongs_to_the_window_that_begins_there() -> None:
    chat = ToldChat(ACME, at(10))
    assert figures([chat], 0).requested == 0
    assert figures([chat], 10).requested == 1


def test_a_moment_just_before_the_edge_belongs_to_the_window_that_ends_there() -> None:
    chat = ToldChat(ACME, at(9.999999))
    assert figures([chat], 0).requested == 1
    assert figures([chat], 10).requested == 0


def test_waits_are_counted_from_the_request_to_the_first_offer_and_the_first_acceptance() -> None:
    chat = ToldChat(ACME, at(0)).offered(at(1)).declined(at(3)).offered(at(4), attempt=2).accepted(at(8))
    told = figures([chat], 0)
    assert told.offered == 2
    assert told.offer_wait == waits_of([1_000])
    assert told.accept_wait == waits_of([8_000])


def test_fallbacks_are_counted_by_reason() -> None:
    lonely = ToldChat(ACME, at(1)).fell_back(at(2), FallbackReason.NOBODY_AVAILABLE)
    missed = ToldChat(ACME, at(1)).offered(at(2)).missed(at(3)).fell_back(at(4))
    told = figures([lonely, missed, ToldChat(ACME, at(1)).fell_back(at(2))], 0)
    assert told.fell_back == {FallbackReason.NOBODY_AVAILABLE: 1, FallbackReason.NOT_ANSWERED: 2}
    assert told.missed == 1


def test_a_queued_chat_is_in_the_queue_until_it_is_offered() -> None:
    chat = ToldChat(ACME, at(1)).queued(at(2)).offered(at(12)).accepted(at(22))
    assert [figures([chat], start).queue_length for start in (0, 10, 20)] == [1, 0, 0]
    assert [figures([chat], start).waiting for start in (0, 10, 20)] == [1, 1, 0]


def test_a_wait_breaches_the_service_level_when_it_passes_it_and_not_before_nor_again() -> None:
    waiting = ToldChat(ACME, at(5)).offered(at(6))
    late = ToldChat(ACME, at(5)).offered(at(6)).accepted(at(31))
    in_time = ToldChat(ACME, at(5)).offered(at(6)).accepted(at(25))
    gave_up = ToldChat(ACME, at(5)).withdrawn(at(24))
    chats = [waiting, late, in_time, gave_up]
    assert [figures(chats, start).service_level_breaches for start in (10, 20, 30)] == [0, 2, 0]


def test_an_offer_that_hands_a_conversation_over_leaves_it_active() -> None:
    moments = (
        Moment(id=EventId("1"), step=Step.ACCEPTED, at_ms=1, place=1),
        Moment(id=EventId("2"), step=Step.HANDED_OVER, at_ms=2, place=2),
    )
    assert Chat(moments).standing_at(3) is Standing.ACTIVE


def test_a_window_is_due_while_a_chat_is_open_though_nothing_happens() -> None:
    chat = ToldChat(ACME, at(1)).offered(at(2)).accepted(at(3)).ended(at(45))
    told = figures_of([known(chat)], NOON_MS - 20_000, NOON_MS + 100_000, SERVICE_LEVEL_MS)
    assert [each.window_start for each in told] == [at(start) for start in range(0, 50, 10)]


@given(st.integers(0, 2**32))
def test_windows_told_together_are_as_each_told_alone(seed: int) -> None:
    source = Random(seed)
    chats = [any_chat(ACME, at(source.uniform(-20, 60)), source) for _ in range(5)]
    together = figures_of([known(each) for each in chats], NOON_MS, NOON_MS + 120_000, SERVICE_LEVEL_MS)
    alone = [figures(chats, start) for start in range(0, 120, 10)]
    assert together == [each for each in alone if each in together or is_something(each)]


@given(st.lists(st.integers(0, 10_000_000), max_size=30), st.lists(st.integers(0, 10_000_000), max_size=30))
def test_waits_added_up_are_the_waits_of_all(some: list[int], others: list[int]) -> None:
    assert added([waits_of(some), waits_of(others)]) == waits_of([*some, *others])


@given(st.lists(st.integers(0, 3_600_000), min_size=1, max_size=50), st.floats(0.01, 1.0))
def test_a_percentile_is_never_below_the_exact_one_nor_above_the_longest(
    waits: list[int], share: float
) -> None:
    read = waits_of(waits).percentile_s(share)
    exact = sorted(waits)[max(0, -int(-share * len(waits) // 1) - 1)] / 1000
    assert read is not None
    assert exact <= read <= max(waits) / 1000


def test_without_waits_there_is_no_percentile() -> None:
    assert waits_of([]).percentile_s(0.5) is None


@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_a_chat_is_the_same_in_whatever_order_and_how_often_it_is_told(seed: int, chance: Random) -> None:
    moments = moments_of(any_chat(ACME, NOON, Random(seed)))
    told = [*moments, *moments]
    chance.shuffle(told)
    chat: Chat | None = None
    for moment in told:
        chat = with_moment(chat, moment) or chat
    assert chat == Chat(tuple(in_order(moments)))


# --- the ledger ----------------------------------------------------------------------------------


class Reader:
    """Feeds a ledger, and keeps of each window what was told last."""

    def __init__(self) -> None:
        self.ledger = MetricsLedger(SOURCES, SERVICE_LEVEL_MS)
        self.windows: Windows = {}

    def take(self, chat: ToldChat, moment: Moment, now_ms: int = NOON_MS) -> None:
        self.ledger.take((ACME, chat.id), moment, now_ms)
        if self.ledger.is_late((ACME, chat.id), moment):
            self._keep(self.ledger.corrected(ACME, [moment]))

    def read_until(self, at_ms: int) -> None:
        for source in SOURCES:
            closing = self.ledger.advance(source, at_ms)
            if closing is not None:
                self._keep(closing.told)
                self.ledger.close(closing)

    def restart(self) -> None:
        """As after a crash: what the tables have is there, watermarks are not."""
        old = self.ledger
        self.ledger = MetricsLedger(SOURCES, SERVICE_LEVEL_MS, closed_until_ms=old.closed_until_ms)
        for workspace_id, chats in old.chats.items():
            for conversation_id, chat in chats.items():
                self.ledger.remember((workspace_id, conversation_id), chat)

    def _keep(self, told: object) -> None:
        assert isinstance(told, list)
        self.windows |= {(workspace_id, each.window_start): each for workspace_id, each in told}


def is_something(told: WorkspaceMetrics) -> bool:
    """A window that was told too early is told again as empty; nothing else is."""
    empty = WorkspaceMetrics(
        window_start=told.window_start, window_end=told.window_end, service_level_s=told.service_level_s
    )
    return told != empty


def recount(chats: list[ToldChat], until_ms: int) -> Windows:
    """All windows from all chats at once."""
    whole = [known(each) for each in chats]
    told = figures_of(whole, NOON_MS - WINDOW_MS, until_ms, SERVICE_LEVEL_MS)
    return {(ACME, each.window_start): each for each in told if is_something(each)}


@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_whatever_comes_late_twice_or_after_a_crash_the_windows_end_up_right(
    seed: int, chance: Random
) -> None:
    source = Random(seed)
    chats = [any_chat(ACME, at(source.uniform(0, 60)), source) for _ in range(8)]
    told = [(chat, moment) for chat in chats for moment in moments_of(chat)]
    told += chance.sample(told, len(told) // 3)
    # In the order of the log, more or less: some come late.
    told.sort(key=lambda each: each[1].at_ms + chance.choice([0, 0, 0, 25_000, 120_000]))
    reader, until_ms = Reader(), NOON_MS
    for chat, moment in told:
        reader.take(chat, moment)
        if chance.random() < 0.3:
            until_ms = max(until_ms, moment.at_ms)
            reader.read_until(until_ms)
        if chance.random() < 0.1:
            reader.restart()
    end_ms = NOON_MS + 200_000
    reader.read_until(end_ms)
    assert {key: each for key, each in reader.windows.items() if is_something(each)} == recount(
        chats, end_ms
    )


def test_no_window_is_told_before_every_source_was_read_beyond_it() -> None:
    reader = Reader()
    chat = ToldChat(ACME, at(1))
    reader.take(chat, moments_of(chat)[0])
    assert reader.ledger.advance("requests/0", NOON_MS + 60_000) is None
    assert reader.ledger.advance("conversations/0", NOON_MS + 9_999) is not None
    reader.read_until(NOON_MS + 9_999)
    assert not any(each.requested for each in reader.windows.values())
    reader.read_until(NOON_MS + 10_000)
    assert [each.requested for each in reader.windows.values()] == [1]


def test_a_chat_that_is_over_is_forgotten_and_what_is_told_of_it_again_is_not_counted() -> None:
    reader = Reader()
    chat = ToldChat(ACME, at(1)).withdrawn(at(2))
    for moment in moments_of(chat):
        reader.take(chat, moment)
    reader.read_until(NOON_MS + 20_000)
    reader.read_until(NOON_MS + KEPT_MS + 30_000)
    assert reader.ledger.chats == {}
    before = dict(reader.windows)
    for moment in moments_of(chat):
        reader.take(chat, moment)
    reader.read_until(NOON_MS + KEPT_MS + 60_000)
    assert reader.windows == before


def test_the_first_windows_lie_a_day_back_at_most() -> None:
    reader = Reader()
    chat = ToldChat(ACME, at(1))
    now_ms = NOON_MS + BACKLOG_MS_MAX + 5_000
    reader.take(chat, moments_of(chat)[0], now_ms)
    assert reader.ledger.chats == {}
