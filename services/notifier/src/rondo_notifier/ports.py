"""What the notifier needs from the world, with what each part promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from rondo_common.directory.entries import WebhookEntry
from rondo_common.envelope import Envelope
from rondo_common.events import Event, WebhookDisabled
from rondo_common.ids import ConversationId, EventId
from rondo_common.webhooks import Attempt, DeliveryRecord, Reread
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
class ClaimRequest:
    """Up to ``count`` deliveries of an endpoint are asked for."""

    holding: Holding
    endpoint: EndpointKey
    activation: EventId
    count: int
    held: Sequence[str]
    """The lanes of the endpoint in which this process has something claimed."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What was claimed; when there is more (None: nothing waits); how many things people asked for."""

    claimed: Sequence[Claimed]
    next_due_ms: int | None
    asked: int


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

    async def claim(self, request: ClaimRequest, now: datetime) -> Claims:
        """What is due, longest due first. Nothing from an endpoint that was given up.

        What is claimed and not held (by an earlier owner of the share, or by a call that failed) is due.
        Requests that are made together travel together.
        """
        ...

    async def settle(
        self, holding: Holding, claimed: Claimed, settlement: Settlement, now: datetime
    ) -> datetime | None:
        """Keep what follows from the attempt. Since when the endpoint fails, None if it does not."""
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
