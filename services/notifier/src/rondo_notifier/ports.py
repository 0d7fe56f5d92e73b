"""What the notifier needs from the world, with what each part promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol

from rondo_common.alerts import AlarmKind, AlertRecord, ChannelName
from rondo_common.conversation import Value
from rondo_common.directory.entries import AgentEntry, WebhookEntry
from rondo_common.envelope import Envelope
from rondo_common.events import AlertEvent, CoverageAlarm, Event, WebhookDisabled
from rondo_common.ids import AgentId, AlertId, ConversationId, EventId, WorkspaceId
from rondo_common.webhooks import Attempt, DeliveryRecord, Reread
from rondo_notifier.domain.alerts import Act, Alert
from rondo_notifier.domain.coverage import Sightings
from rondo_notifier.domain.mails import News
from rondo_notifier.domain.recipients import Delivery, Oblivion
from rondo_notifier.domain.webhooks import EndpointKey, Plan, Settlement


class Mailboxes(Protocol):
    """Keeps what each recipient is told, and rings their doorbell.

    Raises:
        Unavailable: any prefix may have been delivered; deliver all of them again.
    """

    async def deliver(self, deliveries: Sequence[Delivery]) -> None:
        """Put each entry into its mailbox, in order. An event a mailbox knows is not put in twice."""
        ...

    async def forget(self, oblivion: Oblivion) -> None:
        """Remove all that is kept of a conversation for its parties: its mailbox, its view, the messages
        known by their client's ids, and its entries in the mailboxes of those who were rung for it."""
        ...


# --- webhooks ------------------------------------------------------------------------------------


class Placement(StrEnum):
    """What became of a plan."""

    SCHEDULED = "scheduled"
    KNOWN = "known"
    """It is on its way already, or was delivered."""
    FULL = "full"
    """Too many wait for this endpoint."""
    GIVEN_UP = "given_up"
    """The endpoint failed for days and was not defined anew since."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A share of the endpoints that this process delivers to, until somebody newer takes it over."""

    share: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is this process's to attempt now, and to settle."""

    endpoint: EndpointKey
    lane: str
    body: str
    record: DeliveryRecord


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt at a delivery that has ended, the endpoint as it was defined for it, and what follows."""

    claimed: Claimed
    entry: WebhookEntry
    settlement: Settlement


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """These attempts at an endpoint's deliveries have ended; up to ``count`` more are asked for."""

    holding: Holding
    endpoint: EndpointKey
    activation: EventId
    count: int
    held: Sequence[str] = ()
    """The other lanes of the endpoint in which this process has something claimed."""
    ended: Sequence[Ended] = ()


@dataclass(frozen=True, slots=True)
class Claims:
    """What was claimed, and how the endpoint stands after what was settled."""

    claimed: Sequence[Claimed]
    next_due_ms: int | None
    """When there is more; None: nothing waits, or nothing was asked for."""
    asked: int
    """How many things people asked for."""
    failing_since: datetime | None = None
    is_given_up: bool = False
    """Whether the endpoint, as it is defined now, gets nothing any more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What people asked to be done for an endpoint."""

    tests: Sequence[EventId]
    replay: Reread | None


class WebhookSchedule(Protocol):
    """What is to be delivered to each endpoint and what became of it, durably.

    In a lane, only the oldest delivery is claimed, and the next one when that one has come to its end.
    Effects of a :class:`Holding` are refused once somebody newer has taken over its share.

    Raises:
        Unavailable: the effect may have happened; repeating it is harmless.
        Fenced: somebody newer has the share.
    """

    async def schedule(
        self, plans: Sequence[Plan], now: datetime, *, waiting_max: int, is_replay: bool = False
    ) -> list[Placement]:
        """Put in each plan, in order, unless it is known; a replay also puts in what came to its end.

        Whoever has the endpoints' shares hears of it.
        """
        ...

    async def waiting(self, endpoint: EndpointKey) -> int:
        """How many deliveries of an endpoint are not at their end."""
        ...

    async def refuse(self, plans: Sequence[Plan], now: datetime) -> None:
        """Keep only the records, which say that these have failed."""
        ...

    async def take_over(self, share: int, now: datetime, reread: Reread) -> tuple[Holding, Reread | None]:
        """Have the share from now on; what must be read again, if anything.

        That is ``reread`` where the store knows nothing of the share: it is new, or was lost.
        """
        ...

    async def knows(self, holding: Holding) -> bool:
        """False when the store was lost since the share was taken over."""
        ...

    async def reread(self, share: int) -> None:
        """What had to be read again for the share was read."""
        ...

    async def touched(self, holding: Holding) -> list[EndpointKey]:
        """The endpoints of the share that have something new since this was last asked."""
        ...

    async def settle_and_claim(self, request: ClaimRequest, now: datetime) -> Claims:
        """Keep what follows from what has ended, then claim what is due, longest due first. Nothing from
        an endpoint that was given up.

        Where something is asked for, what is claimed and not held (by an earlier owner of the share, or
        by a call that failed) is due. Requests that are made together travel together.
        """
        ...

    async def give_up(self, holding: Holding, endpoint: EndpointKey, activation: EventId) -> None:
        """Schedule and claim nothing more for the endpoint as it is defined now."""
        ...

    async def forget(self, endpoints: Sequence[EndpointKey]) -> None:
        """Keep nothing of endpoints that are gone."""
        ...

    async def erase(self, endpoints: Sequence[EndpointKey], conversation_id: ConversationId) -> None:
        """Keep nothing of a conversation's deliveries, and send none of those that wait."""
        ...

    async def asked(self, endpoint: EndpointKey) -> Asked:
        """What people asked for and was not done yet."""
        ...

    async def test_done(self, endpoint: EndpointKey, test_id: EventId) -> None:
        """A test that was asked for is scheduled."""
        ...

    async def replay_progress(self, endpoint: EndpointKey, reread: Reread | None) -> None:
        """How far a replay has come; None: to its end."""
        ...


class WebhookSender(Protocol):
    """Sends requests to endpoints."""

    async def send(
        self, entry: WebhookEntry, secrets: Sequence[str], body: str, event_id: EventId
    ) -> Attempt:
        """One attempt, signed by every secret. Returns within ``ANSWER_TIMEOUT_S`` or moments more.

        Never raises for what the other side is or does; the attempt says it.
        """
        ...


class PastEvents(Protocol):
    """Reads the topics again."""

    def read(
        self, partitions: Mapping[str, Collection[int]], reread: Reread
    ) -> AsyncIterator[tuple[list[Envelope[Event]], dict[str, int]]]:
        """The events of these partitions, by topic: each partition's in order, from where ``reread``
        stands, in batches; with each the positions after it. Ends with what was written until
        ``reread.until``. Raises ``Unavailable``.
        """
        ...


class Alerts(Protocol):
    """Tells people, through ``rondo.alerts``."""

    async def publish(self, envelope: Envelope[WebhookDisabled]) -> None:
        """Return when the log has it. Raises ``Unavailable``."""
        ...


# --- alerts --------------------------------------------------------------------------------------


class AlertName(NamedTuple):
    """Which alert."""

    workspace_id: WorkspaceId
    alert_id: AlertId


class AlertStore(Protocol):
    """Keeps alerts, and when there is something to do for each.

    Raises:
        Unavailable: the effect may have happened; repeating it is harmless.
    """

    async def latest(
        self, conversations: Sequence[tuple[WorkspaceId, ConversationId]]
    ) -> list[AlertName | None]:
        """The latest alert of each conversation, if it has one."""
        ...

    async def load(self, names: Sequence[AlertName]) -> list[Alert | None]:
        """Each as it was last put; None where nothing is kept (any more)."""
        ...

    async def put(self, alerts: Sequence[Alert]) -> list[int]:
        """Keep each as it is now, and give the versions they have then. All were loaded, or are new.

        Raises:
            Fenced: one was changed since it was loaded: load it again. Others may have been kept.
        """
        ...

    async def remember(self, dues: Sequence[tuple[Alert, datetime | None]]) -> None:
        """When there is something to do for each alert; None: nothing any more."""
        ...

    async def due(self, partition: int, now: datetime, count: int) -> list[AlertName]:
        """The alerts of a partition's conversations that are due, longest due first."""
        ...

    async def drop(self, partition: int, names: Sequence[AlertName]) -> None:
        """These are due no more: nothing is kept of them."""
        ...

    async def is_known(self, partition: int) -> bool:
        """False when all of a partition was lost since it was noted as known, or never was."""
        ...

    async def note_known(self, partition: int) -> None:
        """All of a partition's alerts are here."""
        ...


class AlertLog(Protocol):
    """Tells of alerts on ``rondo.alerts``."""

    async def publish_alerts(self, envelopes: Sequence[Envelope[AlertEvent | CoverageAlarm]]) -> None:
        """Return when the log has all of them. Raises ``Unavailable``; repeat it then."""
        ...


class Presences(Protocol):
    """Who has an inbox open."""

    async def present(self, agents: Sequence[tuple[WorkspaceId, AgentId]], now: datetime) -> list[bool]:
        """Whether each agent has one open at ``now``. Raises ``Unavailable``."""
        ...


# --- channels ------------------------------------------------------------------------------------


CHANNEL_TIMEOUT_S = 10.0
"""How long a channel may take over one notice."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a channel is to tell: that a chat is offered, or (``recall``) that it is not any more."""

    id: EventId
    """The same for the same words: a channel that is told twice makes one of it where it can."""
    workspace_id: WorkspaceId
    agent: AgentEntry
    alert: AlertRecord
    act: Act
    visitor: str
    """Who waits; empty when that is not known."""
    url: str
    """Where the agent answers."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a notice on a channel."""

    outcome: Literal["told", "refused", "later"]
    error: str | None = None
    retry_after_s: float = 0.0
    """Of ``later``: how long the other side wants to be left alone at least."""


class Channel(Protocol):
    """One way to an agent.

    Promises: never raises for what the other side is or does, the receipt says it; comes back within
    ``CHANNEL_TIMEOUT_S``; the same notice again makes no second one where the technology allows it; a
    notice whose alert is over by ``at`` is not rung. What cannot be taken back is told at once when it
    is to be recalled.

    Raises:
        Unavailable: Rondo's own Redis is out of reach; nothing is known of what was told.
    """

    name: ChannelName
    is_confirmed: bool
    """Whether ``told`` means that it has left Rondo: the alert is delivered."""

    def reaches(self, workspace_id: WorkspaceId, agent: AgentEntry) -> bool:
        """Whether there is a way to the agent, and they want to be told so."""
        ...

    async def deliver(self, notices: Sequence[Notice]) -> list[Receipt]:
        """Tell all of them; the receipts, in order."""
        ...


# --- email ---------------------------------------------------------------------------------------


class Addressee(NamedTuple):
    """Somebody who is emailed."""

    workspace_id: WorkspaceId
    agent_id: AgentId


class MailBoard(Protocol):
    """Gathers news for people, and keeps their mails apart.

    Raises:
        Unavailable: the effect may have happened; repeating it is harmless.
    """

    async def note(self, news: Sequence[News], now: datetime) -> None:
        """Put each piece of news to its agent's others, unless it is known. Whoever had a mail lately is
        due when their pause is over; else, and for what is urgent, at once."""
        ...

    async def claim(self, now: datetime, lease_s: float, count: int) -> list[tuple[Addressee, list[News]]]:
        """Up to ``count`` of those who are due, with their oldest news. Nobody else is given them for
        ``lease_s``."""
        ...

    async def sent(self, addressee: Addressee, count: int, now: datetime, interval_s: float) -> None:
        """Their ``count`` oldest news were sent (or never will be); they are left alone for a while."""
        ...

    async def postpone(self, addressee: Addressee, until: datetime) -> None:
        """They could not be sent their news: try again then."""
        ...

    async def may_mail(
        self, addressee: Addressee, about: EventId, now: datetime, interval_s: float
    ) -> bool:
        """Whether they may be mailed about this now; if so, they are left alone with other things for a
        while. Asked again about the same, it is the same."""
        ...


class Mailer(Protocol):
    """Sends emails.

    Raises:
        Rejected: the server will never take it.
        Unavailable: it may later. It may also have it already: the same mail has the same ``Message-ID``.
    """

    async def send_news(self, agent: AgentEntry, news: Sequence[News], time_zone: str) -> None:
        """One mail with all the news."""
        ...

    async def send_notice(self, notice: Notice) -> None:
        """One mail about a chat that waits."""
        ...


# --- coverage ------------------------------------------------------------------------------------


class RaisedAlarm(Value):
    """An alarm that was raised and is not resolved."""

    id: str
    kind: AlarmKind
    raised_at: datetime
    detail: str
    is_told: bool = False
    """Whether the log has it."""
    is_over: bool = False
    """Whether it is resolved, and only the log may not have that."""
    over_at: datetime | None = None


class CoverageStore(Protocol):
    """What was seen of each workspace's coverage, and which alarms are raised.

    Raises:
        Unavailable: the effect may have happened; repeating it is harmless.
    """

    async def note_moments(self, moments: Sequence[tuple[WorkspaceId, str, datetime]]) -> None:
        """A request found nobody (``fell_back_at``), or somebody was offered one (``offered_at``)."""
        ...

    async def note_waiting(self, waiting: Sequence[tuple[WorkspaceId, ConversationId, datetime]]) -> None:
        """Conversations that were queued, and since when."""
        ...

    async def sightings(self, workspace_id: WorkspaceId) -> Sightings:
        """What was last seen."""
        ...

    async def note_staffing(self, workspace_id: WorkspaceId, sightings: Sightings) -> None:
        """Since when somebody can be reached, or nobody."""
        ...

    async def present(self, workspace_id: WorkspaceId, now: datetime) -> set[AgentId]:
        """Who has an inbox open."""
        ...

    async def oldest_waiting(self, workspace_id: WorkspaceId) -> datetime | None:
        """Since when the conversation waits that was queued first, of those in the queue."""
        ...

    async def alarms(self, workspace_id: WorkspaceId) -> dict[AlarmKind, RaisedAlarm]:
        """The alarms that are raised, or not known to be told of."""
        ...

    async def keep_alarm(self, workspace_id: WorkspaceId, alarm: RaisedAlarm) -> RaisedAlarm:
        """Keep an alarm, unless another of its kind is kept: the one that is kept now."""
        ...

    async def drop_alarm(self, workspace_id: WorkspaceId, alarm: RaisedAlarm) -> None:
        """It is resolved, and the log has that."""
        ...
