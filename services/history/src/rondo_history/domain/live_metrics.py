"""From chats to the figures of a window: tumbling windows of 10 s by the time of the events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rondo_common.clock import from_milliseconds
from rondo_common.events import WorkspaceMetrics
from rondo_common.waits import waits_of
from rondo_history.domain.chat_moments import FINAL, Chat, Moment, Standing, Step

WINDOW_MS = 10_000


def window_of(at_ms: int) -> int:
    """The start of the window that a moment is in. All windows begin at whole multiples of their length."""
    return at_ms - at_ms % WINDOW_MS


def windows_due(chats: Iterable[Chat], begin_ms: int, end_ms: int) -> list[int]:
    """The windows in ``[begin_ms, end_ms)`` in which something happened, or in which a chat was open.

    Both ends are starts of windows. Ascending.
    """
    due: set[int] = set()
    for chat in chats:
        due |= {window_of(each.at_ms) for each in chat.moments if begin_ms <= each.at_ms < end_ms}
        final_ms = end_ms if chat.final_at_ms is None else chat.final_at_ms
        opened = max(window_of(chat.first_at_ms), begin_ms)
        due |= set(range(opened, min(window_of(final_ms - 1) + WINDOW_MS, end_ms), WINDOW_MS))
    return sorted(due)


def figures_of(chats: Sequence[Chat], start_ms: int, service_level_ms: int) -> WorkspaceMetrics:
    """The figures of a workspace's window. ``chats``: at least all that were open or moved in it."""
    end_ms = start_ms + WINDOW_MS
    inside = [(chat, each) for chat in chats for each in chat.moments if start_ms <= each.at_ms < end_ms]
    steps = Counter(each.step for _, each in inside)
    standings = Counter(chat.standing_at(end_ms) for chat in chats)
    breaches = (_breached_at_ms(chat, service_level_ms) for chat in chats)
    return WorkspaceMetrics(
        window_start=from_milliseconds(start_ms),
        window_end=from_milliseconds(end_ms),
        requested=steps[Step.REQUESTED],
        offered=steps[Step.OFFERED] + steps[Step.HANDED_OVER],
        accepted=steps[Step.ACCEPTED],
        missed=steps[Step.MISSED],
        declined=steps[Step.DECLINED],
        withdrawn=steps[Step.WITHDRAWN],
        queued=steps[Step.QUEUED],
        fell_back=dict(sorted(Counter(e.reason for _, e in inside if e.reason is not None).items())),
        ended=steps[Step.ENDED],
        offer_wait=waits_of(_wait_ms(c, e) for c, e in inside if e == c.first(Step.OFFERED)),
        accept_wait=waits_of(_wait_ms(c, e) for c, e in inside if e == c.first(Step.ACCEPTED)),
        service_level_s=service_level_ms / 1000,
        service_level_breaches=sum(at is not None and start_ms <= at < end_ms for at in breaches),
        waiting=standings[Standing.WAITING] + standings[Standing.QUEUED],
        queue_length=standings[Standing.QUEUED],
        active=standings[Standing.ACTIVE],
    )


def _wait_ms(chat: Chat, until: Moment) -> int:
    # Two services' clocks may differ by a moment; nobody waits for less than nothing.
    return max(0, until.at_ms - chat.requested_at_ms)


def _breached_at_ms(chat: Chat, service_level_ms: int) -> int | None:
    """When the wait for an agent passed the service level; None when it did not (yet)."""
    at_ms = chat.requested_at_ms + service_level_ms
    settled = (each.at_ms for each in chat.moments if each.step in FINAL or each.step is Step.ACCEPTED)
    return None if min(settled, default=at_ms + 1) <= at_ms else at_ms
