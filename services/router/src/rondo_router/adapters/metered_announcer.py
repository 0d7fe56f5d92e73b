"""Announcing, measured: how routing goes, seen in the events that tell of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import Counter

from rondo_common.conversation import EndReason, FallbackReason
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    AssignmentRescinded,
    AssignmentTimedOut,
    ChatEnded,
    ChatFellBack,
    ChatQueued,
    ChatWithdrawn,
    Event,
)
from rondo_common.ids import ConversationId
from rondo_common.meter import Meter
from rondo_common.metrics import (
    ENDED_CHATS,
    FALLBACKS,
    OFFERS,
    QUEUE_WAIT,
    QUEUED_CHATS,
    ROUTED_CHATS,
    TIME_TO_ANSWER,
    TIME_TO_OFFER,
)
from rondo_router.domain.outcome import RouterEvent
from rondo_router.ports import Announcer

REMEMBERED_CHATS_MAX = 50_000
"""Chats whose waiting has begun here. Above that the oldest are forgotten, and not measured."""

OFFER_OUTCOMES: dict[type[Event], str] = {
    AssignmentOffered: "made",
    AssignmentAccepted: "accepted",
    AssignmentDeclined: "declined",
    AssignmentTimedOut: "timed_out",
    AssignmentRescinded: "rescinded",
}


@dataclass(slots=True)
class _Waiting:
    """A chat that waits, as far as this process has told of it."""

    requested_at: datetime
    is_offered: bool = False
    queued_at: datetime | None = None


class RoutingMeter:
    """Observes events once the log has them. Told twice after a crash, they count twice."""

    def __init__(self, meter: Meter) -> None:
        offers = meter.counter(OFFERS)
        self._offers = {kind: offers.labels(outcome) for kind, outcome in OFFER_OUTCOMES.items()}
        routed = meter.counter(ROUTED_CHATS)
        self._routed = {each: routed.labels(each) for each in ("accepted", "fell_back", "withdrawn")}
        self._fallbacks = meter.counter(FALLBACKS, *((each.value,) for each in FallbackReason))
        self._ended = meter.counter(ENDED_CHATS, *((each.value,) for each in EndReason))
        self._queued: Counter = meter.counter(QUEUED_CHATS)
        self._time_to_offer = meter.histogram(TIME_TO_OFFER)
        self._time_to_answer = meter.histogram(TIME_TO_ANSWER)
        self._queue_wait = meter.histogram(QUEUE_WAIT)
        self._waiting: OrderedDict[ConversationId, _Waiting] = OrderedDict()
        self._transfers: OrderedDict[ConversationId, None] = OrderedDict()
        """Conversations whose open offer, made here, is one of a transfer."""
        self._looks: dict[type[Event], Callable[[Any, datetime], None]] = {
            AssignmentOffered: self._offered,
            AssignmentAccepted: self._accepted,
            ChatQueued: self._wait,
            ChatFellBack: self._fell_back,
            ChatWithdrawn: self._withdrawn,
            ChatEnded: self._ends,
        }

    def observe(self, envelope: Envelope[RouterEvent]) -> None:
        """Take in what was announced."""
        event = envelope.event
        offers = self._offers.get(type(event))
        if offers is not None:
            offers.inc()
        look = self._looks.get(type(event))
        if look is not None:
            look(event, envelope.time)

    def _offered(self, event: AssignmentOffered, at: datetime) -> None:
        if event.transferred_by is not None:
            self._transfers[event.conversation_id] = None
            _keep_few(self._transfers)
            return
        chat = self._remember(event.conversation_id, event.request.requested_at)
        if event.attempt == 1 and not chat.is_offered and chat.queued_at is None:
            self._time_to_offer.observe(_seconds(chat.requested_at, at))
        chat.is_offered = True
        self._leave_queue(chat, "offered", at)

    def _wait(self, event: ChatQueued, _: datetime) -> None:
        self._queued.inc()
        self._remember(event.conversation_id, event.request.requested_at).queued_at = event.queued_at

    def _fell_back(self, event: ChatFellBack, at: datetime) -> None:
        self._fallbacks.labels(event.fallback.reason.value).inc()
        self._over(event.conversation_id, "fell_back", at)

    def _withdrawn(self, event: ChatWithdrawn, at: datetime) -> None:
        self._over(event.conversation_id, "withdrawn", at)

    def _ends(self, event: ChatEnded, _: datetime) -> None:
        self._ended.labels(event.reason.value).inc()
        self._transfers.pop(event.conversation_id, None)

    def _accepted(self, event: AssignmentAccepted, at: datetime) -> None:
        conversation_id = event.conversation_id
        if conversation_id in self._transfers:
            del self._transfers[conversation_id]
            return
        self._routed["accepted"].inc()
        chat = self._waiting.pop(conversation_id, None)
        if chat is not None:
            self._time_to_answer.observe(_seconds(chat.requested_at, at))

    def _over(self, conversation_id: ConversationId, outcome: str, at: datetime) -> None:
        self._routed[outcome].inc()
        chat = self._waiting.pop(conversation_id, None)
        if chat is not None:
            self._leave_queue(chat, outcome, at)

    def _leave_queue(self, chat: _Waiting, end: str, at: datetime) -> None:
        if chat.queued_at is not None:
            self._queue_wait.labels(end).observe(_seconds(chat.queued_at, at))
            chat.queued_at = None

    def _remember(self, conversation_id: ConversationId, requested_at: datetime) -> _Waiting:
        chat = self._waiting.setdefault(conversation_id, _Waiting(requested_at))
        _keep_few(self._waiting)
        return chat


class MeteredAnnouncer:
    """An :class:`Announcer` whose events are measured when the log has them."""

    def __init__(self, announcer: Announcer, meter: RoutingMeter) -> None:
        self._announcer = announcer
        self._meter = meter

    async def announce(self, envelopes: Sequence[Envelope[RouterEvent]]) -> list[int]:
        """See :class:`Announcer`."""
        offsets = await self._announcer.announce(envelopes)
        for envelope in envelopes:
            self._meter.observe(envelope)
        return offsets


def _keep_few(remembered: OrderedDict[ConversationId, Any]) -> None:
    if len(remembered) > REMEMBERED_CHATS_MAX:
        remembered.popitem(last=False)


def _seconds(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds())
