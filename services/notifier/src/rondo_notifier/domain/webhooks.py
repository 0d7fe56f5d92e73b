"""Webhooks: what is sent to which endpoint, in which order, and what follows from an attempt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Any, NamedTuple

from rondo_common.directory.entries import WebhookEntry
from rondo_common.envelope import Envelope
from rondo_common.ids import ConversationId, EventId, WebhookId, WorkspaceId
from rondo_common.mailbox import StreamEvent
from rondo_common.webhooks import EVERY_TYPE, TEST_TYPE, Attempt, DeliveryRecord, DeliveryState, cut
from rondo_notifier.domain.recipients import all_of

ANSWER_TIMEOUT_S = 10.0
"""A receiver answers within this time, or the attempt has failed."""
RETRY_DELAYS_S = (5, 30, 2 * 60, 15 * 60, 60 * 60, 6 * 60 * 60, 24 * 60 * 60)
"""How long after a failed attempt comes the next; after the last one the delivery has failed."""
GIVEN_UP_AFTER_S = 5 * 24 * 60 * 60
"""An endpoint that fails for so long, without one success, gets nothing more."""
SECONDS_DIGITS_MAX = 9
"""Of a ``Retry-After``; what is longer is too long anyway."""
CLOCK_SKEW_S_MAX = 10
"""How far the clocks of those who write events and endpoints may be apart."""

SUCCESSES = range(200, 300)
GONE = 410
"""Says that the endpoint wants nothing any more, ever."""
TELLS_WHEN = (429, 503)
"""Answers whose ``Retry-After`` counts."""


class EndpointKey(NamedTuple):
    """Names an endpoint."""

    workspace_id: WorkspaceId
    webhook_id: WebhookId


class WebhookBody(StreamEvent):
    """What is sent: the event as a live stream tells it, and its workspace."""

    workspace_id: WorkspaceId


@dataclass(frozen=True, slots=True)
class Plan:
    """A delivery to be scheduled. Those with the same ``lane`` go out one after the other."""

    endpoint: EndpointKey
    activation: EventId
    lane: str
    body: str
    record: DeliveryRecord

    @property
    def id(self) -> EventId:
        """The ``webhook-id``: the event's, so the same however often it is read and sent."""
        return self.record.id


@dataclass(frozen=True, slots=True)
class Settlement:
    """What follows from an attempt. ``due_at`` is None when the delivery has come to its end."""

    record: DeliveryRecord
    due_at: datetime | None
    is_success: bool

    @property
    def attempt(self) -> Attempt:
        """The attempt that it follows from."""
        return self.record.attempts[-1]


def plans_of(
    envelope: Envelope[Any], endpoints: Iterable[WebhookEntry], now: datetime, *, is_replay: bool = False
) -> list[Plan]:
    """Where an event is to be sent. What happened before an endpoint was switched on is not sent to it,
    unless somebody asks to have it replayed."""
    event = all_of(envelope)
    if event is None:
        return []
    wanting = [
        each
        for each in endpoints
        if _wants(each, event.type) and (is_replay or _is_active(each, event.occurred_at))
    ]
    if not wanting:
        return []
    body = WebhookBody(**dict(event), workspace_id=envelope.workspace_id).model_dump_json()
    lane, record = _lane_of(event), _record_of(event, body, now)
    return [
        Plan(EndpointKey(envelope.workspace_id, each.id), each.activation, lane, body, record)
        for each in wanting
    ]


def test_plan(endpoint: EndpointKey, entry: WebhookEntry, test_id: EventId, now: datetime) -> Plan:
    """A test, in a lane of its own, so that it waits for nothing."""
    event = StreamEvent(
        id=test_id,
        type=TEST_TYPE,
        conversation_id=None,
        occurred_at=now,
        data={"webhook_id": endpoint.webhook_id},
    )
    body = WebhookBody(**dict(event), workspace_id=endpoint.workspace_id).model_dump_json()
    return Plan(endpoint, entry.activation, _lane_of(event), body, _record_of(event, body, now))


def refused(record: DeliveryRecord, error: str, now: datetime) -> DeliveryRecord:
    """The record of a delivery that was not even tried, and why."""
    attempt = Attempt(at=now, status=None, duration_ms=0, error=error, request_headers={}, answer=None)
    return record.model_copy(update={"state": DeliveryState.FAILED, "attempts": (attempt,)})


def after(record: DeliveryRecord, attempt: Attempt, now: datetime) -> Settlement:
    """What follows from ``attempt``, which ended at ``now``."""
    attempts = (*record.attempts, attempt)
    is_success = attempt.error is None
    delay_s = (
        None if is_success else next_delay_s(record.event_type, len(attempts), asked_delay_s(attempt, now))
    )
    due_at = None if delay_s is None else now + timedelta(seconds=delay_s)
    state = DeliveryState.RETRYING
    if due_at is None:
        state = DeliveryState.DELIVERED if is_success else DeliveryState.FAILED
    changed = record.model_copy(update={"attempts": attempts, "state": state, "next_attempt_at": due_at})
    return Settlement(changed, due_at, is_success)


def next_delay_s(event_type: str, failures: int, asked_s: int = 0) -> int | None:
    """How long after its ``failures``-th failure an event is tried again; None: never. A test is about
    now, so it is tried once.

    A receiver that asked to be left alone for ``asked_s`` is, but no longer than until the step after.
    """
    if event_type == TEST_TYPE or failures > len(RETRY_DELAYS_S):
        return None
    step_s, longest_s = (*RETRY_DELAYS_S, RETRY_DELAYS_S[-1])[failures - 1 : failures + 1]
    return max(step_s, min(asked_s, longest_s))


def asked_delay_s(attempt: Attempt, now: datetime) -> int:
    """For how long the receiver asked to be left alone (``Retry-After`` of RFC 9110), 0 if it did not."""
    answer = attempt.answer
    if answer is None or answer.status not in TELLS_WHEN:
        return 0
    said = answer.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return int(said[:SECONDS_DIGITS_MAX])
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return 0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0, ceil((until - now).total_seconds()))


def reason_to_give_up(
    settlements: Sequence[Settlement], failing_since: datetime | None, now: datetime
) -> str | None:
    """Why an endpoint is not worth another attempt after these; None: it is."""
    failures = [each.attempt for each in settlements if not each.is_success]
    gone = [each for each in failures if each.status == GONE]
    has_failed_for_long = failing_since is not None and now - failing_since >= timedelta(
        seconds=GIVEN_UP_AFTER_S
    )
    reasons = gone or (failures if has_failed_for_long else [])
    return reasons[-1].error if reasons else None


def valid_secrets(entry: WebhookEntry, now: datetime) -> list[str]:
    """The secrets that sign at ``now``, the newest first."""
    return [each.secret for each in entry.secrets if each.valid_until is None or now < each.valid_until]


def _wants(entry: WebhookEntry, event_type: str) -> bool:
    return entry.enabled and (EVERY_TYPE in entry.event_types or event_type in entry.event_types)


def _is_active(entry: WebhookEntry, moment: datetime) -> bool:
    return moment >= entry.active_since - timedelta(seconds=CLOCK_SKEW_S_MAX)


def _record_of(event: StreamEvent, body: str, now: datetime) -> DeliveryRecord:
    return DeliveryRecord(
        id=event.id,
        event_type=event.type,
        conversation_id=event.conversation_id,
        created_at=now,
        next_attempt_at=now,
        body=cut(body),
    )


def _lane_of(event: StreamEvent) -> str:
    """A conversation's events keep their order, and an agent's; a test waits for nobody."""
    conversation_id: ConversationId | None = event.conversation_id
    if conversation_id is not None:
        return conversation_id
    return f"agent:{event.data['agent_id']}" if "agent_id" in event.data else f"test:{event.id}"
