"""Delivering webhooks: planning what an event leads to, attempting it, and reading events again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rondo_common.clock import Clock
from rondo_common.directory.entries import WebhookEntry
from rondo_common.directory.view import Directory
from rondo_common.envelope import Envelope
from rondo_common.events import ConversationErased, WebhookDisabled
from rondo_common.ids import WorkspaceId, derived_event_id
from rondo_common.webhooks import SOURCES, Reread, share_of
from rondo_notifier.domain.webhooks import (
    EndpointKey,
    Plan,
    after,
    plans_of,
    reason_to_give_up,
    refused,
    test_plan,
    valid_secrets,
)
from rondo_notifier.ports import (
    Alerts,
    Claimed,
    ClaimRequest,
    Claims,
    Ended,
    Holding,
    PastEvents,
    Placement,
    WebhookSchedule,
    WebhookSender,
)

SOURCE = "/rondo/notifier"
WAITING_MAX = 10_000
"""Of one endpoint. What comes on top has failed at once; a replay brings it back."""
REPLAY_WAITING_MAX = 1_000
"""A replay goes on when fewer wait, so that it leaves room for what happens now."""
PLANS_MAX = 500
"""How many are scheduled in one round trip."""


class Endpoints:
    """The endpoints, as the directory has them."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def find(self, endpoint: EndpointKey) -> WebhookEntry | None:
        """An endpoint of a workspace that exists, or None."""
        found = self._directory.find(endpoint.workspace_id)
        defined = None if found is None else found.webhooks.get(endpoint.webhook_id)
        return None if defined is None else defined.entry

    def of_workspace(self, workspace_id: WorkspaceId) -> list[WebhookEntry]:
        """All of a workspace."""
        found = self._directory.find(workspace_id)
        return [] if found is None else [each.entry for each in found.webhooks.values()]

    def of_share(self, share: int) -> list[EndpointKey]:
        """All of a share, whichever workspace they are of."""
        return [
            EndpointKey(workspace.id, entry.id)
            for workspace in self._directory.workspaces()
            for entry in self.of_workspace(workspace.id)
            if share_of(workspace.id, entry.id) == share
        ]


class WebhookPlanning:
    """Schedules what events lead to."""

    def __init__(self, endpoints: Endpoints, schedule: WebhookSchedule, clock: Clock) -> None:
        self._endpoints = endpoints
        self._schedule = schedule
        self._clock = clock

    async def plan(self, envelopes: Iterable[Envelope[Any]]) -> None:
        """Schedule what the events lead to, in their order. Raises ``Unavailable``; repeat it then."""
        now = self._clock()
        plans: list[Plan] = []
        for envelope in envelopes:
            entries = self._endpoints.of_workspace(envelope.workspace_id)
            if isinstance(envelope.event, ConversationErased):
                await self._place_all(plans)  # What was before it is erased too, so it comes first.
                plans = []
                endpoints = [EndpointKey(envelope.workspace_id, each.id) for each in entries]
                await self._schedule.erase(endpoints, envelope.event.conversation_id)
            plans += plans_of(envelope, entries, now)
        await self._place_all(plans)

    async def test(self, endpoint: EndpointKey) -> None:
        """Schedule the tests that were asked for. Raises ``Unavailable``; repeat it then."""
        now = self._clock()
        entry = self._endpoints.find(endpoint)
        if entry is None:
            return
        for each in (await self._schedule.asked(endpoint)).tests:
            await self._place([test_plan(endpoint, entry, each, now)])
            await self._schedule.test_done(endpoint, each)

    async def _place_all(self, plans: Sequence[Plan]) -> None:
        for begin in range(0, len(plans), PLANS_MAX):
            await self._place(plans[begin : begin + PLANS_MAX])

    async def _place(self, plans: Sequence[Plan]) -> None:
        now = self._clock()
        placements = await self._schedule.schedule(plans, now, waiting_max=WAITING_MAX)
        full = [
            Plan(each.endpoint, each.activation, each.lane, each.body, refused(each.record, FULL, now))
            for each, placement in zip(plans, placements, strict=True)
            if placement is Placement.FULL
        ]
        if full:
            await self._schedule.refuse(full, now)


FULL = f"{WAITING_MAX} deliveries wait for this endpoint already; replay from this time when it is well"


@dataclass(frozen=True, slots=True)
class Hopeless:
    """An endpoint that is to get nothing more as it is defined now, and why."""

    endpoint: EndpointKey
    entry: WebhookEntry
    failing_since: datetime
    error: str


class WebhookDelivery:
    """Attempts what was claimed, and keeps what follows."""

    def __init__(
        self, schedule: WebhookSchedule, sender: WebhookSender, alerts: Alerts, clock: Clock
    ) -> None:
        self._schedule = schedule
        self._sender = sender
        self._alerts = alerts
        self._clock = clock

    async def attempt(self, claimed: Claimed, entry: WebhookEntry) -> Ended:
        """Send it once. What follows is still to be settled."""
        secrets = valid_secrets(entry, self._clock())
        attempt = await self._sender.send(entry, secrets, claimed.body, claimed.record.id)
        return Ended(claimed, entry, after(claimed.record, attempt, self._clock()))

    async def settle_and_claim(self, request: ClaimRequest) -> tuple[Claims, Hopeless | None]:
        """Keep what follows from what has ended, and claim what is due; and whether the endpoint is to
        be given up now. Raises ``Unavailable`` (repeat it then) and ``Fenced``."""
        now = self._clock()
        claims = await self._schedule.settle_and_claim(request, now)
        # What was sent before the endpoint was defined anew says nothing about it.
        ended = [each for each in request.ended if each.entry.activation == request.activation]
        if claims.is_given_up or not ended:
            return claims, None
        error = reason_to_give_up([each.settlement for each in ended], claims.failing_since, now)
        if error is None:
            return claims, None
        return claims, Hopeless(request.endpoint, ended[-1].entry, claims.failing_since or now, error)

    async def give_up(self, holding: Holding, hopeless: Hopeless) -> None:
        """Send nothing more to the endpoint. Raises ``Unavailable`` (repeat it then) and ``Fenced``."""
        entry = hopeless.entry
        # First told, then done: should it break off, it is told again, under the same id.
        event = WebhookDisabled(
            webhook_id=entry.id, url=entry.url, failing_since=hopeless.failing_since, error=hopeless.error
        )
        event_id = derived_event_id(entry.activation, "disabled")
        workspace_id = hopeless.endpoint.workspace_id
        await self._alerts.publish(Envelope(event_id, SOURCE, self._clock(), workspace_id, event))
        await self._schedule.give_up(holding, hopeless.endpoint, entry.activation)


class Rereading:
    """Reads events from the topics again, and schedules what they lead to."""

    def __init__(
        self,
        endpoints: Endpoints,
        planning: WebhookPlanning,
        schedule: WebhookSchedule,
        past: PastEvents,
        clock: Clock,
        pause: Callable[[], Awaitable[None]],
    ) -> None:
        self._endpoints = endpoints
        self._planning = planning
        self._schedule = schedule
        self._past = past
        self._clock = clock
        self._pause = pause

    async def rebuild(self, share: int, reread: Reread) -> None:
        """Plan again all that came in the partitions of the share's number: what the store has lost.

        What the store knows is not scheduled twice. Raises ``Unavailable``; begin anew then.
        """
        partitions = {topic.name: [share] for topic in SOURCES}
        async for envelopes, _ in self._past.read(partitions, reread):
            await self._planning.plan(envelopes)
        await self._schedule.reread(share)

    async def replay(self, endpoint: EndpointKey) -> None:
        """Deliver again what an endpoint was asked to be replayed, from where that stands.

        Its progress is kept, so that it can be broken off at any time. Raises ``Unavailable``; repeat
        it then.
        """
        reread = (await self._schedule.asked(endpoint)).replay
        if reread is None:
            return
        partitions: Mapping[str, Collection[int]] = {
            topic.name: range(topic.partitions) for topic in SOURCES
        }
        async for envelopes, positions in self._past.read(partitions, reread):
            entry = self._endpoints.find(endpoint)
            if entry is None:
                break  # Deleted meanwhile.
            await self._replayed(endpoint, entry, envelopes)
            reread = reread.model_copy(update={"positions": reread.positions | positions})
            await self._schedule.replay_progress(endpoint, reread)
        await self._schedule.replay_progress(endpoint, None)

    async def _replayed(
        self, endpoint: EndpointKey, entry: WebhookEntry, envelopes: Sequence[Envelope[Any]]
    ) -> None:
        now = self._clock()
        plans = [
            plan
            for envelope in envelopes
            if envelope.workspace_id == endpoint.workspace_id
            for plan in plans_of(envelope, [entry], now, is_replay=True)
        ]
        while plans:
            while await self._schedule.waiting(endpoint) >= REPLAY_WAITING_MAX:
                await self._pause()
            placements = await self._schedule.schedule(
                plans, self._clock(), waiting_max=WAITING_MAX, is_replay=True
            )
            plans = [
                plan
                for plan, placement in zip(plans, placements, strict=True)
                if placement is Placement.FULL
            ]
