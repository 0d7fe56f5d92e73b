"""The life of an alert, pure: what follows from an offer, from silence, and from what channels answer.

An alert climbs a ladder of channels while nobody answers, and comes down when there is nothing to
answer any more: then every channel that was used is told. It never rings after its offer is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from rondo_common.alerts import (
    AlertRecord,
    AlertState,
    ChannelName,
    ChannelReport,
    ClosingReason,
    alert_id_of,
)
from rondo_common.conversation import Value, Visitor
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AlertAcknowledged,
    AlertDelivered,
    AlertEscalated,
    AlertEvent,
    AlertFailed,
    AlertSent,
    AlertWithdrawn,
    AssignmentOffered,
)
from rondo_common.ids import EventId, WorkspaceId, derived_event_id

SOURCE = "/rondo/notifier"
LAST_SHARE = 3
"""The end is near in the last third of an offer; each further channel halves what is left of it."""
CLOSING_GRACE_S = 15.0
"""An offer that ended so long ago without a word of it is taken to have timed out."""
ANSWERS = frozenset({ClosingReason.ACCEPTED, ClosingReason.DECLINED})
IN_USE = frozenset({AlertState.SENT, AlertState.DELIVERED})

Act = Literal["ring", "recall"]


class Step(Value):
    """The next channel, and when it is turned to unless somebody answers before."""

    channel: ChannelName
    at: datetime


class Debt(Value):
    """What a channel is still to be told."""

    channel: ChannelName
    act: Act
    due: datetime
    attempts: int = 0


class Course(Value):
    """What the notifier still has to do about an alert."""

    steps: tuple[Step, ...] = ()
    debts: tuple[Debt, ...] = ()
    is_closed: bool = False
    """There is nothing to answer any more."""
    visitor: str = ""
    """Who waits, as far as is known. Personal data; forgotten when the alert is closed."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert of one workspace, in a version. Version 0 is not kept anywhere yet."""

    workspace_id: WorkspaceId
    record: AlertRecord
    course: Course
    version: int = 0
    untold: tuple[Envelope[AlertEvent], ...] = ()
    """The events of its last change, until the log is known to have them."""

    @property
    def is_answered(self) -> bool:
        """Whether nobody needs to be turned to any more."""
        return self.course.is_closed or self.record.state is AlertState.ACKNOWLEDGED

    def due(self) -> datetime | None:
        """When there is something to do for it; None: never again."""
        moments = [each.due for each in self.course.debts] + [each.at for each in self.course.steps]
        if not self.course.is_closed:
            moments.append(self.record.expires_at + timedelta(seconds=CLOSING_GRACE_S))
        return min(moments, default=None)


def ladder_of(
    escalation: Iterable[ChannelName], usable: Iterable[ChannelName], *, is_inbox_open: bool
) -> list[ChannelName]:
    """The channels to turn to, in the workspace's order: each once, those that lead somewhere now."""
    reachable = set(usable)
    wanted = (each for each in dict.fromkeys(escalation) if each in reachable)
    return [each for each in wanted if is_inbox_open or each is not ChannelName.INBOX]


def steps_of(
    ladder: Sequence[ChannelName], begin: datetime, end: datetime, ack_timeout_s: float
) -> tuple[Step, ...]:
    """When each channel is turned to. An inbox has so long to answer; the others until the end is near."""
    steps: list[Step] = []
    near = (end - begin) / LAST_SHARE
    for channel in ladder:
        if not steps:
            at = begin
        elif steps[-1].channel is ChannelName.INBOX and len(steps) == 1:
            at = begin + timedelta(seconds=ack_timeout_s)
        else:
            at, near = end - near, near / 2
        steps.append(Step(channel=channel, at=max(at, steps[-1].at) if steps else at))
    return tuple(each for each in steps if each.at < end)


def begun(
    offer_id: EventId,
    workspace_id: WorkspaceId,
    offer: AssignmentOffered,
    ladder: Sequence[ChannelName],
    ack_timeout_s: float,
    now: datetime,
) -> Alert | None:
    """The alert that an offer leads to; None when the offer is over already."""
    if offer.expires_at <= now:
        return None
    record = AlertRecord(
        id=alert_id_of(offer_id),
        agent_id=offer.agent.id,
        conversation_id=offer.conversation_id,
        state=AlertState.SENT,
        attempt=offer.attempt,
        created_at=offer.offered_at,
        expires_at=offer.expires_at,
    )
    steps = steps_of(ladder, now, offer.expires_at, ack_timeout_s)
    course = Course(steps=steps, visitor=name_of(offer.request.visitor))
    alert = Alert(workspace_id, record, course)
    if not steps:
        return _failed(alert, "there is no channel that this agent could be told on", now)
    alert = _climbed(alert, now)
    sent = AlertSent(**_about(alert), channel=steps[0].channel, offer_event_id=offer_id)
    return _told(alert, sent, "sent", now)


def name_of(visitor: Visitor) -> str:
    """A visitor as an agent is told of them: name and company, as far as they are known."""
    name = " ".join(each for each in (visitor.first_name, visitor.last_name) if each)
    return ", ".join(each for each in (name, visitor.company) if each)


def ticked(alert: Alert, now: datetime) -> Alert:
    """The alert after the time that passed: the next channel is turned to when its moment has come."""
    if alert.course.is_closed:
        return alert
    if now >= alert.record.expires_at + timedelta(seconds=CLOSING_GRACE_S):
        return closed(alert, ClosingReason.TIMED_OUT, now)
    if now >= alert.record.expires_at:
        return _with_course(alert, steps=(), debts=_without_rings(alert))
    steps = alert.course.steps
    return _escalated(alert, now) if steps and steps[0].at <= now else alert


def told(alert: Alert, debt: Debt, now: datetime, *, is_confirmed: bool = True) -> Alert:
    """A channel has taken what it was to be told; confirmed, unless it can only hope that it arrives."""
    if debt not in alert.course.debts:
        return alert
    settled = _settled(alert, debt)
    if debt.act == "recall":
        return _reported(settled, debt.channel, AlertState.WITHDRAWN, now)
    if not is_confirmed:
        return settled
    settled = _reported(settled, debt.channel, AlertState.DELIVERED, now)
    if alert.is_answered:
        return settled
    settled = _in_state(settled, AlertState.DELIVERED)
    return _told(
        settled, AlertDelivered(**_about(settled), channel=debt.channel), f"delivered/{debt.channel}", now
    )


def refused(alert: Alert, debt: Debt, error: str, now: datetime) -> Alert:
    """A channel will never take it. If no other is in use, the next is turned to at once."""
    if debt not in alert.course.debts:
        return alert
    settled = _settled(alert, debt)
    if debt.act == "recall":
        report = alert.record.report(debt.channel)
        return _reported(settled, debt.channel, report.state if report else AlertState.FAILED, now, error)
    settled = _reported(settled, debt.channel, AlertState.FAILED, now, error)
    if alert.is_answered or any(each.state in IN_USE for each in settled.record.channels):
        return settled
    return _escalated(settled, now) if settled.course.steps else _failed(settled, error, now)


def postponed(alert: Alert, debt: Debt, error: str, retry_at: datetime, now: datetime) -> Alert:
    """A channel may take it later. Not after the offer is over: then it never will."""
    if debt not in alert.course.debts:
        return alert
    limit = alert.record.expires_at + timedelta(seconds=CLOSING_GRACE_S if debt.act == "recall" else 0)
    if retry_at >= limit:
        return refused(alert, debt, error, now)
    again = debt.model_copy(update={"due": retry_at, "attempts": debt.attempts + 1})
    others = (each for each in alert.course.debts if each != debt)
    noted = _with_course(alert, debts=(*others, again))
    report = alert.record.report(debt.channel)
    return _reported(noted, debt.channel, report.state, report.at, error) if report else noted


def acknowledged(alert: Alert, now: datetime) -> Alert:
    """The agent has seen it: nobody else is turned to. What was told stays until there is an answer."""
    if alert.is_answered:
        return alert
    alert = _with_course(_in_state(alert, AlertState.ACKNOWLEDGED), steps=(), debts=_without_rings(alert))
    return _told(alert, AlertAcknowledged(**_about(alert)), "seen", now)


def closed(alert: Alert, reason: ClosingReason, now: datetime) -> Alert:
    """There is nothing to answer any more: every channel that was used is to be told."""
    if alert.course.is_closed:
        return alert
    recalls = tuple(
        Debt(channel=each.channel, act="recall", due=now)
        for each in alert.record.channels
        if each.state in IN_USE
    )
    before = alert.record.state
    alert = _with_course(alert, steps=(), debts=recalls, is_closed=True, visitor="")
    if reason in ANSWERS:
        if before is AlertState.ACKNOWLEDGED:
            return alert
        alert = _in_state(alert, AlertState.ACKNOWLEDGED)
        return _told(alert, AlertAcknowledged(**_about(alert), answer=reason), "answered", now)
    if before is AlertState.FAILED:
        return alert  # Nobody was told, so there is nothing to withdraw.
    alert = _in_state(alert, AlertState.WITHDRAWN)
    return _told(alert, AlertWithdrawn(**_about(alert), reason=reason), "withdrawn", now)


def confirmed(alert: Alert) -> Alert:
    """The log has its events."""
    return replace(alert, untold=())


def resumed(record: AlertRecord, workspace_id: WorkspaceId, steps: Sequence[Step], now: datetime) -> Alert:
    """An alert of which only its events are left. It goes on with the steps that are not taken yet.

    What no event confirms is told again: the same words under the same name, so once in effect.
    """
    taken = {each.channel for each in record.channels}
    is_over = record.state is AlertState.WITHDRAWN
    if is_over or record.state is AlertState.ACKNOWLEDGED:
        left: tuple[Step, ...] = ()
    else:
        left = tuple(each for each in steps if each.channel not in taken)
    unsettled = IN_USE if is_over else frozenset({AlertState.SENT})
    act: Act = "recall" if is_over else "ring"
    debts = tuple(
        Debt(channel=each.channel, act=act, due=now)
        for each in record.channels
        if each.state in unsettled and record.state is not AlertState.ACKNOWLEDGED
    )
    return Alert(workspace_id, record, Course(steps=left, debts=debts, is_closed=is_over))


def _escalated(alert: Alert, now: datetime) -> Alert:
    channel = alert.course.steps[0].channel
    alert = _in_state(_climbed(alert, now), AlertState.ESCALATED)
    return _told(alert, AlertEscalated(**_about(alert), channel=channel), f"escalated/{channel}", now)


def _climbed(alert: Alert, now: datetime) -> Alert:
    step, *left = alert.course.steps
    debts = (*alert.course.debts, Debt(channel=step.channel, act="ring", due=now))
    alert = _with_course(alert, steps=tuple(left), debts=debts)
    return _reported(alert, step.channel, AlertState.SENT, now)


def _failed(alert: Alert, error: str, now: datetime) -> Alert:
    alert = _in_state(alert, AlertState.FAILED)
    return _told(alert, AlertFailed(**_about(alert), error=error), "failed", now)


def _told(alert: Alert, event: AlertEvent, step: str, now: datetime) -> Alert:
    event_id = derived_event_id(alert.record.id, step)
    return replace(
        alert, untold=(*alert.untold, Envelope(event_id, SOURCE, now, alert.workspace_id, event))
    )


def _about(alert: Alert) -> dict[str, object]:
    record = alert.record
    return {"conversation_id": record.conversation_id, "agent_id": record.agent_id, "alert": record}


def _in_state(alert: Alert, state: AlertState) -> Alert:
    return replace(alert, record=alert.record.model_copy(update={"state": state}))


def _with_course(alert: Alert, **changes: object) -> Alert:
    return replace(alert, course=alert.course.model_copy(update=changes))


def _without_rings(alert: Alert) -> tuple[Debt, ...]:
    return tuple(each for each in alert.course.debts if each.act != "ring")


def _settled(alert: Alert, debt: Debt) -> Alert:
    return _with_course(alert, debts=tuple(each for each in alert.course.debts if each != debt))


def _reported(
    alert: Alert, channel: ChannelName, state: AlertState, at: datetime, error: str | None = None
) -> Alert:
    report = ChannelReport(channel=channel, state=state, at=at, error=error)
    known = alert.record.report(channel)
    channels = (
        (*alert.record.channels, report)
        if known is None
        else tuple(report if each is known else each for each in alert.record.channels)
    )
    return replace(alert, record=alert.record.model_copy(update={"channels": channels}))
