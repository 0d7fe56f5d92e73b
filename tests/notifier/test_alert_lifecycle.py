"""The life of an alert: whatever happens in whatever order, it is told once, and never too late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rondo_common.alerts import AlertState, ChannelName, ClosingReason
from rondo_common.events import (
    AlertAcknowledged,
    AlertDelivered,
    AlertEscalated,
    AlertEvent,
    AlertFailed,
    AlertSent,
    AlertWithdrawn,
)
from rondo_common.ids import EventId
from rondo_notifier.domain.alerts import (
    CLOSING_GRACE_S,
    Alert,
    Debt,
    acknowledged,
    begun,
    closed,
    confirmed,
    ladder_of,
    postponed,
    refused,
    resumed,
    steps_of,
    ticked,
    told,
)
from tests.notifier.alert_offers import ACME, ALL, OFFER_S, alert, offer

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
INBOX, PUSH, EMAIL, HOOKS = ChannelName


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def events(found: Alert) -> list[type[AlertEvent]]:
    return [type(each.event) for each in found.untold]


def debt(found: Alert, channel: ChannelName) -> Debt:
    (owed,) = [each for each in found.course.debts if each.channel is channel]
    return owed


def test_an_open_inbox_has_five_seconds_then_comes_the_push_and_near_the_end_the_mail() -> None:
    steps = steps_of(ALL, NOON, after(OFFER_S), 5)
    assert [(each.channel, each.at) for each in steps] == [
        (INBOX, NOON),
        (PUSH, after(5)),
        (EMAIL, after(60)),
    ]


def test_without_an_inbox_the_push_is_at_once() -> None:
    assert ladder_of(ALL, ALL, is_inbox_open=False) == [PUSH, EMAIL]
    steps = steps_of([PUSH, EMAIL, HOOKS], NOON, after(OFFER_S), 5)
    assert [each.at for each in steps] == [NOON, after(60), after(75)]


def test_an_offer_that_is_over_is_no_alert() -> None:
    assert begun(EventId("e"), ACME, offer(NOON), ALL, 5, after(OFFER_S)) is None


def test_nobody_to_tell_is_a_failure_at_once() -> None:
    found = alert(NOON, [])
    assert found.record.state is AlertState.FAILED
    assert events(found) == [AlertFailed]


def test_the_next_channel_is_turned_to_when_nobody_answers() -> None:
    found = confirmed(told(alert(NOON), debt(alert(NOON), INBOX), NOON, is_confirmed=False))
    assert ticked(found, after(4.9)) == found
    pushed = ticked(found, after(5))
    assert events(pushed) == [AlertEscalated]
    assert pushed.record.state is AlertState.ESCALATED
    delivered = told(pushed, debt(pushed, PUSH), after(5.1))
    assert delivered.record.state is AlertState.DELIVERED
    assert events(delivered) == [AlertEscalated, AlertDelivered]


def test_a_failed_channel_gives_way_at_once_unless_another_is_in_use() -> None:
    found = alert(NOON, [PUSH, EMAIL])
    gone = refused(found, debt(found, PUSH), "answered 410", after(1))
    assert [each.channel for each in gone.record.channels] == [PUSH, EMAIL]
    assert gone.record.channels[0].error == "answered 410"
    failed = refused(gone, debt(gone, EMAIL), "550", after(2))
    assert events(failed) == [AlertSent, AlertEscalated, AlertFailed]
    beside = ticked(alert(NOON), after(5))
    kept = refused(beside, debt(beside, PUSH), "answered 410", after(6))
    assert [each.channel for each in kept.record.channels] == [INBOX, PUSH]


def test_who_has_seen_it_is_rung_nowhere_else_and_told_when_it_is_over() -> None:
    found = acknowledged(ticked(alert(NOON), after(5)), after(6))
    assert found.course.debts == ()
    assert ticked(found, after(60)) == found
    over = closed(found, ClosingReason.TIMED_OUT, after(90))
    assert over.record.state is AlertState.WITHDRAWN
    assert {(each.channel, each.act) for each in over.course.debts} == {
        (INBOX, "recall"),
        (PUSH, "recall"),
    }
    answered = closed(found, ClosingReason.ACCEPTED, after(7))
    assert answered.record.state is AlertState.ACKNOWLEDGED
    assert events(answered).count(AlertAcknowledged) == 1


def test_a_retry_never_comes_after_the_offer() -> None:
    found = alert(NOON, [PUSH])
    later = postponed(found, debt(found, PUSH), "answered 503", after(80), after(1))
    assert debt(later, PUSH).due == after(80)
    assert debt(later, PUSH).attempts == 1
    given_up = postponed(later, debt(later, PUSH), "answered 503", after(OFFER_S), after(80))
    assert given_up.record.state is AlertState.FAILED


def test_silence_after_the_end_closes_it() -> None:
    found = alert(NOON, [PUSH])
    assert ticked(found, after(OFFER_S)).course.debts == ()
    over = ticked(found, after(OFFER_S + CLOSING_GRACE_S))
    assert over.course.is_closed
    assert over.record.state is AlertState.WITHDRAWN


def test_what_is_left_of_an_alert_goes_on_where_its_events_end() -> None:
    pushed = ticked(alert(NOON), after(5))
    back = resumed(pushed.record, ACME, steps_of(ALL, NOON, after(OFFER_S), 5), after(6))
    assert [each.channel for each in back.course.steps] == [EMAIL]
    assert {(each.channel, each.act) for each in back.course.debts} == {(INBOX, "ring"), (PUSH, "ring")}
    over = closed(pushed, ClosingReason.RESCINDED, after(7))
    taken = resumed(over.record, ACME, (), after(8))
    assert taken.course.is_closed
    assert {each.act for each in taken.course.debts} == {"recall"}


@given(
    st.lists(st.sampled_from(ChannelName), max_size=8),
    st.floats(min_value=0.1, max_value=600),
    st.floats(min_value=1, max_value=600),
)
def test_steps_are_in_order_and_before_the_end(
    ladder: Sequence[ChannelName], ack_timeout_s: float, lasts_s: float
) -> None:
    each_once = ladder_of(ladder, ladder, is_inbox_open=True)
    steps = steps_of(each_once, NOON, after(lasts_s), ack_timeout_s)
    moments = [each.at for each in steps]
    assert moments == sorted(moments)
    assert all(NOON <= each < after(lasts_s) for each in moments)
    assert not each_once or moments[0] == NOON


class AlertLife(RuleBasedStateMachine):
    """An alert under any course of events. ``state`` follows from the last event, as for any reader."""

    STATES: ClassVar[dict[type[AlertEvent], AlertState]] = {
        AlertSent: AlertState.SENT,
        AlertDelivered: AlertState.DELIVERED,
        AlertAcknowledged: AlertState.ACKNOWLEDGED,
        AlertEscalated: AlertState.ESCALATED,
        AlertWithdrawn: AlertState.WITHDRAWN,
        AlertFailed: AlertState.FAILED,
    }

    @initialize(ladder=st.lists(st.sampled_from(ChannelName), unique=True))
    def begin(self, ladder: list[ChannelName]) -> None:
        self.now = NOON
        self.alert = alert(NOON, ladder)
        self.log: list[AlertEvent] = []
        self.ids: list[EventId] = []
        self.rung: list[ChannelName] = []
        self.recalled: list[ChannelName] = []
        self._settle()

    def _settle(self) -> None:
        self.log += [each.event for each in self.alert.untold]
        self.ids += [each.id for each in self.alert.untold]
        self.alert = confirmed(self.alert)

    @rule(seconds=st.floats(min_value=0, max_value=60))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.alert = ticked(self.alert, self.now)
        self._settle()

    @rule(data=st.data(), outcome=st.sampled_from(["told", "refused", "later"]))
    @precondition(lambda self: bool(self.alert.course.debts))
    def a_channel_answers(self, data: st.DataObject, outcome: str) -> None:
        owed = data.draw(st.sampled_from(self.alert.course.debts))
        if outcome == "told":
            (self.rung if owed.act == "ring" else self.recalled).append(owed.channel)
            confirms = owed.channel is not ChannelName.INBOX
            self.alert = told(self.alert, owed, self.now, is_confirmed=confirms)
        elif outcome == "refused":
            self.alert = refused(self.alert, owed, "no", self.now)
        else:
            self.alert = postponed(self.alert, owed, "busy", self.now + timedelta(seconds=2), self.now)
        # An answer that comes twice changes nothing.
        assert told(self.alert, owed, self.now) == self.alert or owed in self.alert.course.debts
        self._settle()

    @rule()
    def the_agent_has_seen_it(self) -> None:
        self.alert = acknowledged(self.alert, self.now)
        self._settle()

    @rule(reason=st.sampled_from(ClosingReason))
    def it_is_over(self, reason: ClosingReason) -> None:
        self.alert = closed(self.alert, reason, self.now)
        self._settle()

    @invariant()
    def the_state_follows_from_the_last_event(self) -> None:
        if self.log:
            assert self.alert.record.state is self.STATES[type(self.log[-1])]

    @invariant()
    def no_event_is_told_twice(self) -> None:
        assert len(self.ids) == len(set(self.ids))

    @invariant()
    def every_channel_is_rung_and_recalled_once_at_most(self) -> None:
        assert len(self.rung) == len(set(self.rung))
        assert len(self.recalled) == len(set(self.recalled))

    @invariant()
    def what_is_over_rings_nowhere(self) -> None:
        if self.alert.course.is_closed:
            assert not self.alert.course.steps
            assert all(each.act == "recall" for each in self.alert.course.debts)
            assert self.alert.course.visitor == ""

    @invariant()
    def every_channel_that_rang_is_told_in_the_end(self) -> None:
        if self.alert.course.is_closed and not self.alert.course.debts:
            in_use = {AlertState.SENT, AlertState.DELIVERED}
            left = [each for each in self.alert.record.channels if each.state in in_use]
            assert all(each.error is not None for each in left)

    @invariant()
    def something_is_due_until_it_is_over(self) -> None:
        assert self.alert.course.is_closed or self.alert.due() is not None


TestAlertLife = AlertLife.TestCase


def test_a_version_is_no_part_of_what_is_decided() -> None:
    assert ticked(replace(alert(NOON), version=7), after(5)).version == 7
