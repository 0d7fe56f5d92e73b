"""What happened to a chat, as far as live metrics count it: a set of moments, each known by its event.

A set, not a tally: a moment that is told twice is there once, one that comes late takes the place it
would have had, and whoever counts again comes to the same figures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from rondo_common.conversation import FallbackReason, Value
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    AssignmentTimedOut,
    ChatEnded,
    ChatFellBack,
    ChatQueued,
    ChatRequested,
    ChatWithdrawn,
    Event,
)
from rondo_common.ids import EventId

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEFORE_ALL = -1
"""The place of the request, which stands on a topic of its own, before all that came of it."""


class Step(StrEnum):
    """What a moment was."""

    REQUESTED = "requested"
    OFFERED = "offered"
    HANDED_OVER = "handed_over"
    """Offered by the agent who has it: the conversation stays active meanwhile."""
    ACCEPTED = "accepted"
    MISSED = "missed"
    DECLINED = "declined"
    QUEUED = "queued"
    FELL_BACK = "fell_back"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


STEPS: dict[type[Event], Step] = {
    ChatRequested: Step.REQUESTED,
    AssignmentOffered: Step.OFFERED,
    AssignmentAccepted: Step.ACCEPTED,
    AssignmentTimedOut: Step.MISSED,
    AssignmentDeclined: Step.DECLINED,
    ChatQueued: Step.QUEUED,
    ChatFellBack: Step.FELL_BACK,
    ChatWithdrawn: Step.WITHDRAWN,
    ChatEnded: Step.ENDED,
}
"""The events that are counted."""

FINAL = frozenset({Step.FELL_BACK, Step.WITHDRAWN, Step.ENDED})
_STANDING = frozenset({Step.OFFERED, Step.QUEUED, Step.ACCEPTED})


class Moment(Value):
    """One thing that happened to a chat. Times in milliseconds since 1970."""

    id: EventId
    step: Step
    at_ms: int
    place: int
    """Where it stands among the chat's events: its offset, or :data:`BEFORE_ALL`."""
    reason: FallbackReason | None = None
    requested_at_ms: int | None = None
    """When the chat was asked for, where the event says so."""


class Standing(StrEnum):
    """Where a chat stands at some time."""

    WAITING = "waiting"
    QUEUED = "queued"
    ACTIVE = "active"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Chat:
    """Everything known to have happened to one chat, in its order. Never empty."""

    moments: tuple[Moment, ...]
    requested_at_ms: int = field(init=False)
    """When it was asked for; the earliest moment, where no event says so."""
    first_at_ms: int = field(init=False)
    """The earliest moment known."""
    last_at_ms: int = field(init=False)
    """The latest moment known."""
    final_at_ms: int | None = field(init=False)
    """When it was over; None while it is not."""

    def __post_init__(self) -> None:
        asked = [each.requested_at_ms for each in self.moments if each.requested_at_ms is not None]
        finals = [each.at_ms for each in self.moments if each.step in FINAL]
        times = [each.at_ms for each in self.moments]
        object.__setattr__(self, "first_at_ms", min(times))
        object.__setattr__(self, "last_at_ms", max(times))
        object.__setattr__(self, "requested_at_ms", min(asked or times))
        object.__setattr__(self, "final_at_ms", min(finals, default=None))

    def first(self, step: Step) -> Moment | None:
        """The first time it came to that, or None."""
        return next((each for each in self.moments if each.step is step), None)

    def standing_at(self, at_ms: int) -> Standing | None:
        """Where it stood just before ``at_ms``; None when it was not asked for yet."""
        past = [each for each in self.moments if each.at_ms < at_ms]
        if not past:
            return None
        if any(each.step in FINAL for each in past):
            return Standing.OVER
        last = next((each.step for each in reversed(past) if each.step in _STANDING), None)
        if last is Step.ACCEPTED:
            return Standing.ACTIVE
        return Standing.QUEUED if last is Step.QUEUED else Standing.WAITING


def with_moment(chat: Chat | None, moment: Moment) -> Chat | None:
    """The chat with one more moment; None when it had that already."""
    known = () if chat is None else chat.moments
    if any(each.id == moment.id for each in known):
        return None
    return Chat(tuple(in_order([*known, moment])))


def in_order(moments: Iterable[Moment]) -> list[Moment]:
    """A chat's moments in the order of the log."""
    return sorted(moments, key=lambda each: (each.place, each.at_ms, each.id))


def moment_of(envelope: Envelope[Event], offset: int) -> Moment | None:
    """What an event means for the figures; None when it is not counted."""
    event = envelope.event
    step = STEPS.get(type(event))
    if step is None:
        return None
    if isinstance(event, AssignmentOffered) and event.transferred_by is not None:
        step = Step.HANDED_OVER
    return Moment(
        id=envelope.id,
        step=step,
        at_ms=_whole_ms(envelope.time),
        place=BEFORE_ALL if step is Step.REQUESTED else offset,
        reason=event.fallback.reason if isinstance(event, ChatFellBack) else None,
        requested_at_ms=_requested_at_ms(event),
    )


def _requested_at_ms(event: Event) -> int | None:
    if isinstance(event, ChatRequested | AssignmentOffered | ChatQueued | ChatFellBack):
        return _whole_ms(event.request.requested_at)
    return None


def _whole_ms(moment: datetime) -> int:
    # Cut, not rounded: what happened just before a window's end did not happen after it.
    return (moment - EPOCH) // timedelta(milliseconds=1)
