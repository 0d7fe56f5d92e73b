"""Keeping alerts: what events, time and channels do to them, and telling channels what is owed.

Every change goes the same way: it is kept with the events that tell of it, those go to the log, and
then the change is settled. Whoever finds a change that is not settled finishes it; so nothing is lost
when a process dies in between, and nothing is told under two names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rondo_common.alerts import AlertRecord, AlertState, ChannelName, ClosingReason, alert_id_of
from rondo_common.clock import Clock
from rondo_common.conversation import TAKEN
from rondo_common.directory.entries import AgentEntry, AlertSettings
from rondo_common.directory.view import Directory
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AcknowledgeAlert,
    AlertEvent,
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    AssignmentRescinded,
    AssignmentTimedOut,
    ChatEnded,
    ChatFellBack,
    ChatWithdrawn,
    ConversationErased,
    ConversationEvent,
    Event,
)
from rondo_common.ids import AgentId, ConversationId, WorkspaceId, derived_event_id
from rondo_notifier.domain.alerts import (
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
from rondo_notifier.ports import AlertLog, AlertName, AlertStore, Channel, Notice, Presences, Receipt

RETRY_DELAY_S_MIN = 2.0
RETRY_DELAY_S_MAX = 60.0
UNSETTLED_RETRY_S = 5.0
"""A change that was kept and not settled is looked at again after so long."""

BUSY_LOOK_S = 2.0

CLOSINGS: Mapping[type[ConversationEvent], ClosingReason] = {
    AssignmentAccepted: ClosingReason.ACCEPTED,
    AssignmentDeclined: ClosingReason.DECLINED,
    AssignmentTimedOut: ClosingReason.TIMED_OUT,
    AssignmentRescinded: ClosingReason.RESCINDED,
}
"""What ends the offer of the agent and attempt that it names."""
FINALS = (ChatEnded, ChatFellBack, ChatWithdrawn, ConversationErased)
"""What ends whatever offer is open."""
FACTS: tuple[type[ConversationEvent], ...] = (AssignmentOffered, AcknowledgeAlert, *CLOSINGS, *FINALS)
"""Everything that does something to an alert."""

Conversation = tuple[WorkspaceId, ConversationId]


@dataclass(frozen=True, slots=True)
class Owed:
    """Something that a channel is to be told now."""

    name: AlertName
    debt: Debt
    notice: Notice


class Reach:
    """By which channels each agent can be told, as the directory has it now."""

    def __init__(self, directory: Directory, channels: Mapping[ChannelName, Channel], url: str) -> None:
        self._directory = directory
        self._channels = channels
        self._url = url

    def settings(self, workspace_id: WorkspaceId) -> AlertSettings:
        """The workspace's, or the defaults once it is gone."""
        found = self._directory.find(workspace_id)
        if found is None or found.workspace is None:
            return AlertSettings()
        return found.workspace.settings.alerts

    def agent(self, workspace_id: WorkspaceId, agent_id: AgentId) -> AgentEntry | None:
        """An agent who is not deleted."""
        found = self._directory.find(workspace_id)
        defined = None if found is None else found.agents.get(agent_id)
        return None if defined is None else defined.entry

    def ladder(
        self, workspace_id: WorkspaceId, agent_id: AgentId, *, is_present: bool
    ) -> list[ChannelName]:
        """The channels to turn to for an agent, in order."""
        agent = self.agent(workspace_id, agent_id)
        if agent is None:
            return []
        usable = [name for name, each in self._channels.items() if each.reaches(workspace_id, agent)]
        escalation = self.settings(workspace_id).escalation
        return ladder_of(escalation, usable, is_inbox_open=is_present)

    def channel(self, name: ChannelName) -> Channel | None:
        """The channel, where this installation has it."""
        return self._channels.get(name)

    def notice(self, alert: Alert, debt: Debt, now: datetime) -> Notice | None:
        """What the channel is to be told; None when the agent is gone."""
        agent = self.agent(alert.workspace_id, alert.record.agent_id)
        if agent is None:
            return None
        return Notice(
            id=derived_event_id(alert.record.id, f"{debt.channel}/{debt.act}"),
            workspace_id=alert.workspace_id,
            agent=agent,
            alert=alert.record,
            act=debt.act,
            visitor=alert.course.visitor,
            url=f"{self._url}/inbox/?conversation={alert.record.conversation_id}",
            at=now,
        )


class AlertDesk:
    """Changes alerts. For one conversation, one call at a time; whoever comes second begins anew."""

    def __init__(
        self, store: AlertStore, log: AlertLog, presences: Presences, reach: Reach, clock: Clock
    ) -> None:
        self._store = store
        self._log = log
        self._presences = presences
        self._reach = reach
        self._clock = clock

    async def take(self, envelopes: Iterable[Envelope[Event]]) -> list[Owed]:
        """Do what events of conversations lead to, in their order: what is owed then.

        Raises:
            Retryable: repeat it with the same events; what was done already is not done twice.
        """
        facts = [fact for each in envelopes if (fact := _fact(each)) is not None]
        if not facts:
            return []
        now = self._clock()
        walk = await self._walk(facts, now)
        for envelope in facts:
            walk.take(envelope, now)
        return await self._settle(walk.alerts())

    async def fire(self, partition: int, count: int, busy: Collection[AlertName] = ()) -> list[Owed]:
        """Do what is due for a partition's alerts, at most ``count``: what is owed then.

        The alerts of which something is being told just now (``busy``) are looked at again a little
        later. Raises as :meth:`take`.
        """
        now = self._clock()
        names = await self._store.due(partition, now, count)
        found = await self._store.load(names)
        gone = [name for name, alert in zip(names, found, strict=True) if alert is None]
        await self._store.drop(partition, gone)
        alerts = [(name, each) for name, each in zip(names, found, strict=True) if each is not None]
        owed = await self._settle([(each, ticked(each, now)) for _, each in alerts])
        later = now + timedelta(seconds=BUSY_LOOK_S)
        await self._store.remember([(each, later) for name, each in alerts if name in busy])
        return owed

    async def settle_receipt(self, owed: Owed, receipt: Receipt) -> list[Owed]:
        """Keep what became of what was owed; what is owed then. Raises as :meth:`take`."""
        (alert,) = await self._store.load([owed.name])
        if alert is None:
            return []
        return await self._settle([(alert, self._after(alert, owed.debt, receipt))])

    async def resume(self, records: Iterable[tuple[WorkspaceId, AlertRecord]]) -> None:
        """Bring alerts back of which the store has lost everything. Raises as :meth:`take`."""
        now = self._clock()
        wanted = [AlertName(workspace_id, record.id) for workspace_id, record in records]
        known = await self._store.load(wanted)
        lost = [
            self._resumed(workspace_id, record, now)
            for (workspace_id, record), alert in zip(records, known, strict=True)
            if alert is None and record.expires_at > now
        ]
        await self._settle([(None, each) for each in lost])

    def _resumed(self, workspace_id: WorkspaceId, record: AlertRecord, now: datetime) -> Alert:
        ladder = self._reach.ladder(workspace_id, record.agent_id, is_present=False)
        timeout_s = self._reach.settings(workspace_id).ack_timeout_s
        begin = max(record.created_at, now - timedelta(seconds=timeout_s))
        return resumed(record, workspace_id, steps_of(ladder, begin, record.expires_at, timeout_s), now)

    async def _walk(self, facts: Sequence[Envelope[ConversationEvent]], now: datetime) -> _Walk:
        conversations = list(
            dict.fromkeys((each.workspace_id, each.event.conversation_id) for each in facts)
        )
        offers = [each for each in facts if isinstance(each.event, AssignmentOffered)]
        offered = [AlertName(each.workspace_id, alert_id_of(each.id)) for each in offers]
        agents = [
            (each.workspace_id, each.event.agent.id)
            for each in facts
            if isinstance(each.event, AssignmentOffered)
        ]
        latest = await self._store.latest(conversations)
        present = await self._presences.present(agents, now)
        named = list(dict.fromkeys([each for each in latest if each is not None] + offered))
        found = dict(zip(named, await self._store.load(named), strict=True))
        walk = _Walk(self._reach, dict(zip(offered, present, strict=True)))
        walk.know(alert for alert in found.values() if alert is not None)
        for conversation, name in zip(conversations, latest, strict=True):
            walk.begin_at(conversation, name)
        return walk

    async def _settle(self, changes: Sequence[tuple[Alert | None, Alert]]) -> list[Owed]:
        """Keep, tell and settle changes, each from what was loaded (None: it is new) to what is now."""
        now = self._clock()
        changed: list[Alert] = []
        idle: list[Alert] = []
        for before, decided in changes:
            after = self._without_the_gone(decided, now)
            (idle if before == after and not after.untold else changed).append(after)
        again = now + timedelta(seconds=UNSETTLED_RETRY_S)
        await self._store.remember([(each, again) for each in changed])
        versions = await self._store.put(changed)
        kept = [replace(each, version=new) for each, new in zip(changed, versions, strict=True)]
        await self._log.publish_alerts([event for each in kept for event in each.untold])
        kept = await self._ring_inboxes(kept, now)
        settled = [confirmed(each) for each in kept]
        versions = await self._store.put(settled)
        settled = [replace(each, version=new) for each, new in zip(settled, versions, strict=True)]
        await self._store.remember([(each, each.due()) for each in (*settled, *idle)])
        return [owed for each in (*settled, *idle) for owed in self._owed(each, now)]

    def _without_the_gone(self, alert: Alert, now: datetime) -> Alert:
        """The alert of an agent who was deleted is over, and there is nobody to tell."""
        if self._reach.agent(alert.workspace_id, alert.record.agent_id) is not None:
            return alert
        over = closed(alert, ClosingReason.RESCINDED, now)
        return replace(over, course=over.course.model_copy(update={"debts": ()}))

    async def _ring_inboxes(self, alerts: Sequence[Alert], now: datetime) -> list[Alert]:
        """Tell inboxes at once, all together: that is quick, and cannot fail for one alone.

        It confirms nothing, so no event follows from it.
        """
        inbox = self._reach.channel(ChannelName.INBOX)
        owed = [
            (index, debt, notice)
            for index, alert in enumerate(alerts)
            for debt in alert.course.debts
            if debt.channel is ChannelName.INBOX and (notice := self._reach.notice(alert, debt, now))
        ]
        after = list(alerts)
        if inbox is not None and owed:
            receipts = await inbox.deliver([notice for _, _, notice in owed])
            for (index, debt, _), receipt in zip(owed, receipts, strict=True):
                after[index] = self._after(after[index], debt, receipt)
        return after

    def _owed(self, alert: Alert, now: datetime) -> list[Owed]:
        name = AlertName(alert.workspace_id, alert.record.id)
        return [
            Owed(name, debt, notice)
            for debt in alert.course.debts
            if debt.due <= now
            and debt.channel is not ChannelName.INBOX
            and (notice := self._reach.notice(alert, debt, now))
        ]

    def _after(self, alert: Alert, debt: Debt, receipt: Receipt) -> Alert:
        now = self._clock()
        match receipt.outcome:
            case "told":
                channel = self._reach.channel(debt.channel)
                is_confirmed = channel is None or channel.is_confirmed
                return told(alert, debt, now, is_confirmed=is_confirmed)
            case "refused":
                return refused(alert, debt, receipt.error or "refused", now)
        backoff_s = min(RETRY_DELAY_S_MIN * 2**debt.attempts, RETRY_DELAY_S_MAX)
        retry_at = now + timedelta(seconds=max(backoff_s, receipt.retry_after_s))
        return postponed(alert, debt, receipt.error or "not reached", retry_at, now)


class _Walk:
    """The alerts of some conversations, as facts change them one after the other."""

    def __init__(self, reach: Reach, presence: Mapping[AlertName, bool]) -> None:
        self._reach = reach
        self._presence = presence
        self._before: dict[AlertName, Alert] = {}
        self._now: dict[AlertName, Alert] = {}
        self._current: dict[Conversation, AlertName] = {}

    def know(self, alerts: Iterable[Alert]) -> None:
        """Alerts as they were loaded."""
        for each in alerts:
            name = AlertName(each.workspace_id, each.record.id)
            self._before[name] = self._now[name] = each

    def begin_at(self, conversation: Conversation, name: AlertName | None) -> None:
        """The latest alert of a conversation before the facts."""
        if name is not None:
            self._current[conversation] = name

    def alerts(self) -> list[tuple[Alert | None, Alert]]:
        """Each as it was (None: new) and as it is now."""
        return [(self._before.get(name), alert) for name, alert in self._now.items()]

    def take(self, envelope: Envelope[Event], now: datetime) -> None:
        """The next fact."""
        event = envelope.event
        match event:
            case AssignmentOffered():
                self._offer(envelope, event, now)
            case AcknowledgeAlert(alert_id=alert_id, agent_id=agent_id):
                name = AlertName(envelope.workspace_id, alert_id)
                self._change(name, lambda alert: _seen(alert, agent_id, now))
            case ConversationEvent():
                self._end(envelope.workspace_id, event, now)

    def _offer(self, envelope: Envelope[Event], offer: AssignmentOffered, now: datetime) -> None:
        name = AlertName(envelope.workspace_id, alert_id_of(envelope.id))
        conversation = (envelope.workspace_id, offer.conversation_id)
        before = self._current.get(conversation)
        if name not in self._now:
            ladder = self._reach.ladder(
                envelope.workspace_id, offer.agent.id, is_present=self._presence[name]
            )
            timeout_s = self._reach.settings(envelope.workspace_id).ack_timeout_s
            alert = begun(envelope.id, envelope.workspace_id, offer, ladder, timeout_s, now)
            if alert is None:
                return
            self._now[name] = alert
            if before is not None:  # Only one offer of a conversation is open at a time.
                self._change(before, lambda each: closed(each, ClosingReason.RESCINDED, now))
        self._current[conversation] = name

    def _end(self, workspace_id: WorkspaceId, event: ConversationEvent, now: datetime) -> None:
        name = self._current.get((workspace_id, event.conversation_id))
        if name is None:
            return
        if isinstance(event, FINALS):
            self._change(name, lambda alert: closed(alert, ClosingReason.RESCINDED, now))
            return
        reason = CLOSINGS[type(event)]
        self._change(name, lambda alert: closed(alert, reason, now) if _is_about(event, alert) else alert)

    def _change(self, name: AlertName, change: Callable[[Alert], Alert]) -> None:
        alert = self._now.get(name)
        if alert is not None:
            self._now[name] = change(alert)


def _seen(alert: Alert, agent_id: AgentId, now: datetime) -> Alert:
    return acknowledged(alert, now) if alert.record.agent_id == agent_id else alert


def _is_about(event: ConversationEvent, alert: Alert) -> bool:
    match event:
        case AssignmentAccepted(agent=agent, attempt=attempt):
            return (agent.id, attempt) == (alert.record.agent_id, alert.record.attempt)
        case AssignmentDeclined() | AssignmentTimedOut() | AssignmentRescinded():
            return (event.agent_id, event.attempt) == (alert.record.agent_id, alert.record.attempt)
    return False


def _fact(envelope: Envelope[Event]) -> Envelope[ConversationEvent] | None:
    event = envelope.event
    if not isinstance(event, FACTS):
        return None
    if isinstance(event, AssignmentOffered) and event.why.stage == TAKEN:
        return None  # Who asked for it need not be told of it.
    return Envelope(envelope.id, envelope.source, envelope.time, envelope.workspace_id, event)


def open_records(envelopes: Iterable[Envelope[AlertEvent]]) -> list[tuple[WorkspaceId, AlertRecord]]:
    """The alerts that events tell of, each as it was left; those that nobody was told of left out."""
    latest = {(each.workspace_id, each.event.alert.id): each.event.alert for each in envelopes}
    return [
        (workspace_id, record)
        for (workspace_id, _), record in latest.items()
        if record.state is not AlertState.FAILED
    ]
