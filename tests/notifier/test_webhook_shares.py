"""The loop that delivers: what it does when shares come and go, and when its schedule is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest

from rondo_common.directory.entries import WebhookEntry
from rondo_common.envelope import Envelope
from rondo_common.errors import Unavailable
from rondo_common.events import Event, WebhookDisabled
from rondo_common.ids import EventId, WorkspaceId
from rondo_common.redis.doorbells import Doorbell, Doorbells
from rondo_common.tasks import end_tasks
from rondo_common.webhooks import Attempt, DeliveryState, Reread, share_of
from rondo_notifier.domain.webhooks import EndpointKey
from rondo_notifier.entrypoints.webhook_errands import UseCases
from rondo_notifier.entrypoints.webhook_shares import WebhookShares
from rondo_notifier.handlers.webhooks import Endpoints, Rereading, WebhookDelivery, WebhookPlanning
from rondo_notifier.ports import ClaimRequest, Claims
from tests.notifier.fake_webhook_schedule import FakeWebhookSchedule
from tests.notifier.webhook_world import NOON, attempt, define, directory_of, entry, message

DEADLINE_S = 60.0
ACME = WorkspaceId("acme")
CRM = EndpointKey(ACME, entry().id)
SHARE = share_of(*CRM)


class FickleSchedule(FakeWebhookSchedule):
    """A schedule that is away for a while, after it did what it was asked to, or before."""

    def __init__(self) -> None:
        super().__init__()
        self.away_before: int = 0
        self.away_after: int = 0

    async def settle_and_claim(self, request: ClaimRequest, now: datetime) -> Claims:
        if request.ended and self.away_before:
            self.away_before -= 1
            raise Unavailable("redis", "away")
        claims = await super().settle_and_claim(request, now)
        if request.ended and self.away_after:
            self.away_after -= 1
            raise Unavailable("redis", "away")
        return claims


class HeldSender:
    """Its receiver answers when the test lets it, and well."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def send(
        self,
        entry: WebhookEntry,  # noqa: ARG002 - the port's
        secrets: Sequence[str],  # noqa: ARG002 - the port's
        body: str,  # noqa: ARG002 - the port's
        event_id: EventId,
    ) -> Attempt:
        self.sent.append(event_id)
        await self.may_answer.wait()
        return attempt()


class NoAlerts:
    """Nothing is to be told."""

    async def publish(self, envelope: Envelope[WebhookDisabled]) -> None:
        raise AssertionError(envelope)


class NoPast:
    """Nothing is to be read again."""

    async def read(
        self,
        partitions: Mapping[str, Collection[int]],  # noqa: ARG002 - the port's
        reread: Reread,  # noqa: ARG002 - the port's
    ) -> AsyncIterator[tuple[list[Envelope[Event]], dict[str, int]]]:
        nothing: list[tuple[list[Envelope[Event]], dict[str, int]]] = []
        for each in nothing:
            yield each


class StillBells(Doorbells):
    """Bells that do not ring: shares are looked at when they are taken, and from time to time."""

    def __init__(self) -> None:
        """Needs no Redis."""

    @asynccontextmanager
    async def listen(self, key: str) -> AsyncIterator[Doorbell]:  # noqa: ARG002 - the real one's
        yield Doorbell()


class Notifier:
    """One process's loop over the schedule that all have."""

    def __init__(self, schedule: FakeWebhookSchedule, sender: HeldSender) -> None:
        self._directory = directory_of((ACME, entry()))
        endpoints = Endpoints(self._directory)
        self.planning = WebhookPlanning(endpoints, schedule, _noon)
        delivery = WebhookDelivery(schedule, sender, NoAlerts(), _noon)
        rereading = Rereading(endpoints, self.planning, schedule, NoPast(), _noon, _pause)
        self.shares = WebhookShares(
            schedule,
            endpoints,
            UseCases(self.planning, delivery, rereading),
            StillBells(),
            _noon,
            rebuild_s=0,
        )

    def define(self, webhook: WebhookEntry) -> None:
        """Have the endpoint so from now on."""
        define(self._directory, ACME, webhook, 1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[WebhookShares]:
        """The loop, with the endpoint's share."""
        task = asyncio.create_task(self.shares.run())
        try:
            await self.shares.take(SHARE)
            yield self.shares
        finally:
            await self.shares.let_go(SHARE)
            await end_tasks([task])


def _noon() -> datetime:
    return NOON


async def _pause() -> None:
    await asyncio.sleep(0)


async def until(is_so: Callable[[], Any]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not is_so():
            await asyncio.sleep(0.01)


async def say(notifier: Notifier, conversations: int, messages: int) -> list[str]:
    said = [
        message(ACME, f"cnv_{conversation}", "Hej", event_id=f"{conversation}.{number}")
        for number in range(messages)
        for conversation in range(conversations)
    ]
    await notifier.planning.plan(said)
    return [each.id for each in said]


def delivered(schedule: FakeWebhookSchedule) -> list[str]:
    records = schedule.endpoints[CRM].records.values()
    return [each.id for each in records if each.state is DeliveryState.DELIVERED]


async def test_all_that_waits_is_sent_once_and_each_conversation_in_order() -> None:
    schedule, sender = FakeWebhookSchedule(), HeldSender()
    notifier = Notifier(schedule, sender)
    ids = await say(notifier, 30, 4)
    async with notifier.running():
        await until(lambda: len(delivered(schedule)) == len(ids))
    assert sorted(sender.sent) == sorted(ids)
    for conversation in range(30):
        of_one = [each for each in sender.sent if each.startswith(f"{conversation}.")]
        assert of_one == sorted(of_one)


@pytest.mark.parametrize("away", ["before it was kept", "after it was kept"])
async def test_what_could_not_be_settled_is_settled_later_and_not_sent_again(away: str) -> None:
    schedule, sender = FickleSchedule(), HeldSender()
    notifier = Notifier(schedule, sender)
    ids = await say(notifier, 3, 2)
    schedule.away_before, schedule.away_after = ("before" in away), ("after" in away)
    async with notifier.running() as shares:
        await until(lambda: len(delivered(schedule)) == len(ids))
        await until(lambda: shares.blocked_by is None)
    assert not schedule.away_before + schedule.away_after
    assert sorted(sender.sent) == sorted(ids)


async def test_a_share_that_is_let_go_settles_what_was_under_way() -> None:
    schedule, sender = FakeWebhookSchedule(), HeldSender()
    first, second = Notifier(schedule, sender), Notifier(schedule, sender)
    ids = await say(first, 3, 2)
    sender.may_answer.clear()
    async with first.running() as shares:
        await until(lambda: len(sender.sent) == 3)
        leaving = asyncio.create_task(shares.let_go(SHARE))
        await asyncio.sleep(0)
        sender.may_answer.set()
        await leaving
        assert sorted(delivered(schedule)) == sorted(ids[:3])
    async with second.running():
        await until(lambda: len(delivered(schedule)) == len(ids))
    assert sorted(sender.sent) == sorted(ids)


async def test_whoever_lost_a_share_begins_nothing_more_and_settles_nothing() -> None:
    schedule, sender = FakeWebhookSchedule(), HeldSender()
    paused, owner = Notifier(schedule, sender), Notifier(schedule, sender)
    ids = await say(paused, 2, 2)
    sender.may_answer.clear()
    async with paused.running() as shares:
        await until(lambda: len(sender.sent) == 2)
        async with owner.running():
            await until(lambda: len(sender.sent) == 4)
            sender.may_answer.set()
            await until(lambda: len(delivered(schedule)) == len(ids))
            await until(lambda: shares.details()["shares"] == [])
    assert sorted(sender.sent) == sorted([*ids, *ids[:2]])


async def test_an_endpoint_that_is_off_settles_what_was_under_way_and_gets_nothing_more() -> None:
    schedule, sender = FakeWebhookSchedule(), HeldSender()
    notifier = Notifier(schedule, sender)
    ids = await say(notifier, 2, 2)
    sender.may_answer.clear()
    async with notifier.running():
        await until(lambda: len(sender.sent) == 2)
        notifier.define(entry(enabled=False))
        sender.may_answer.set()
        await until(lambda: len(delivered(schedule)) == 2)
    assert sorted(sender.sent) == sorted(ids[:2])
