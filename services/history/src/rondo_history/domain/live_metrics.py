"""From chats to the figures of a window: tumbling windows of 10 s by the time of the events."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from rondo_common.clock import from_milliseconds
from rondo_common.conversation import FallbackReason
from rondo_common.events import WorkspaceMetrics
from rondo_common.waits import waits_of
from rondo_history.domain.chat_moments import FINAL, Chat, Moment, Standing, Step

WINDOW_MS = 10_000


def window_of(at_ms: int) -> int:
    """The start of the window that a moment is in. All windows begin at whole multiples of their length."""
    return at_ms - at_ms % WINDOW_MS


def figures_of(
    chats: Iterable[Chat], begin_ms: int, end_ms: int, service_level_ms: int, *, also: Iterable[int] = ()
) -> list[WorkspaceMetrics]:
    """The figures of a workspace's windows in ``[begin_ms, end_ms)``, by time.

    Told are the windows in which something happened or a chat was open, and ``also`` those that start
    at these times, though nothing is in them. All times are starts of windows. Each chat is looked at
    once, however many windows there are.
    """
    tallies: defaultdict[int, _Tally] = defaultdict(_Tally)
    for start in also:
        tallies[start] = _Tally()
    for chat in chats:
        if chat.final_at_ms is None or chat.last_at_ms >= begin_ms:
            _count_moments(chat, begin_ms, end_ms, tallies)
            _count_breach(chat, begin_ms, end_ms, service_level_ms, tallies)
            _count_standings(chat, begin_ms, end_ms, tallies)
    return [tallies[start].told(start, service_level_ms) for start in sorted(tallies)]


@dataclass(slots=True)
class _Tally:
    """What is counted of one window. Waits in milliseconds."""

    steps: Counter[Step] = field(default_factory=Counter)
    fallbacks: Counter[FallbackReason] = field(default_factory=Counter)
    offer_waits: list[int] = field(default_factory=list)
    accept_waits: list[int] = field(default_factory=list)
    breaches: int = 0
    standings: Counter[Standing | None] = field(default_factory=Counter)
    """At its end."""

    def told(self, start_ms: int, service_level_ms: int) -> WorkspaceMetrics:
        steps, standings = self.steps, self.standings
        return WorkspaceMetrics(
            window_start=from_milliseconds(start_ms),
            window_end=from_milliseconds(start_ms + WINDOW_MS),
            requested=steps[Step.REQUESTED],
            offered=steps[Step.OFFERED] + steps[Step.HANDED_OVER],
            accepted=steps[Step.ACCEPTED],
            missed=steps[Step.MISSED],
            declined=steps[Step.DECLINED],
            withdrawn=steps[Step.WITHDRAWN],
            queued=steps[Step.QUEUED],
            fell_back=dict(sorted(self.fallbacks.items())),
            ended=steps[Step.ENDED],
            offer_wait=waits_of(self.offer_waits),
            accept_wait=waits_of(self.accept_waits),
            service_level_s=service_level_ms / 1000,
            service_level_breaches=self.breaches,
            waiting=standings[Standing.WAITING] + standings[Standing.QUEUED],
            queue_length=standings[Standing.QUEUED],
            active=standings[Standing.ACTIVE],
        )


_Tallies = defaultdict[int, _Tally]


def _count_moments(chat: Chat, begin_ms: int, end_ms: int, tallies: _Tallies) -> None:
    for each in chat.moments:
        if not begin_ms <= each.at_ms < end_ms:
            continue
        tally = tallies[window_of(each.at_ms)]
        tally.steps[each.step] += 1
        if each.reason is not None:
            tally.fallbacks[each.reason] += 1
        if each == chat.first(Step.OFFERED):
            tally.offer_waits.append(_wait_ms(chat, each))
        if each == chat.first(Step.ACCEPTED):
            tally.accept_waits.append(_wait_ms(chat, each))


def _count_breach(chat: Chat, begin_ms: int, end_ms: int, service_level_ms: int, tallies: _Tallies) -> None:
    """Count a wait for an agent in the window in which it passed the service level."""
    at_ms = chat.requested_at_ms + service_level_ms
    settled = (each.at_ms for each in chat.moments if each.step in FINAL or each.step is Step.ACCEPTED)
    if begin_ms <= at_ms < end_ms and min(settled, default=at_ms + 1) > at_ms:
        tallies[window_of(at_ms)].breaches += 1


def _count_standings(chat: Chat, begin_ms: int, end_ms: int, tallies: _Tallies) -> None:
    """Count where a chat stood at the end of each window in which it was open."""
    final_ms = end_ms if chat.final_at_ms is None else chat.final_at_ms
    opened_ms = max(window_of(chat.first_at_ms), begin_ms)
    moved = {window_of(each.at_ms) for each in chat.moments}
    standing: Standing | None = None
    for start_ms in range(opened_ms, min(window_of(final_ms - 1) + WINDOW_MS, end_ms), WINDOW_MS):
        if start_ms == opened_ms or start_ms in moved:
            standing = chat.standing_at(start_ms + WINDOW_MS)
        tallies[start_ms].standings[standing] += 1


def _wait_ms(chat: Chat, until: Moment) -> int:
    # Two services' clocks may differ by a moment; nobody waits for less than nothing.
    return max(0, until.at_ms - chat.requested_at_ms)
