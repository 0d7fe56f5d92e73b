"""The part of the notifier that delivers webhooks, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from redis.asyncio import Redis

from rondo_common.consumer_groups import WEBHOOKS
from rondo_common.directory.reader import DirectoryReader
from rondo_common.directory.view import Directory
from rondo_common.kafka.connection import KafkaConnection, make_reader
from rondo_common.kafka.consumer import ConsumerLoop
from rondo_common.kafka.group import make_loop
from rondo_common.kafka.metered import LoopMeter
from rondo_common.kafka.publisher import KafkaPublisher
from rondo_common.process import until_reachable
from rondo_common.redis.doorbells import Doorbells
from rondo_common.system_clock import utc_now
from rondo_notifier.adapters.http_webhook_sender import HttpWebhookSender, webhook_session
from rondo_notifier.adapters.kafka_past_events import KafkaPastEvents
from rondo_notifier.adapters.metered_deliveries import (
    MeteredAlerts,
    MeteredWebhookSender,
    NotifierMeter,
)
from rondo_notifier.adapters.redis_webhook_schedule import RedisWebhookSchedule
from rondo_notifier.entrypoints.webhook_errands import UseCases
from rondo_notifier.entrypoints.webhook_shares import WebhookShares
from rondo_notifier.entrypoints.webhook_topics import WebhookTopicsConsumer
from rondo_notifier.handlers.webhooks import Endpoints, Rereading, WebhookDelivery, WebhookPlanning
from rondo_notifier.settings import NotifierSettings

CATCH_UP_TIMEOUT_S = 5.0
REPLAY_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class WebhookService:
    """What runs for webhooks: a consumer loop, and what goes on beside it."""

    loop: ConsumerLoop
    shares: WebhookShares
    directory: Directory
    past: KafkaPastEvents
    session: aiohttp.ClientSession
    """Reaches public addresses only, unless private ones are allowed."""
    _schedule: RedisWebhookSchedule
    _reader: DirectoryReader
    _bells: Doorbells

    async def consume(self, stop: asyncio.Event) -> None:
        """Plan what happens, until ``stop`` is set."""
        await until_reachable(self._schedule.load, stop)
        await self.loop.run(stop)

    async def follow_directory(self) -> None:
        """Read the directory until cancelled."""
        await self._reader.run()

    async def catch_up(self) -> None:
        """Return when the directory was read as far as it was written. Raises ``Unavailable``."""
        await self._reader.catch_up(CATCH_UP_TIMEOUT_S)

    async def hear(self) -> None:
        """Listen for what is new until cancelled."""
        await self._bells.run()

    async def deliver(self) -> None:
        """Send what is due until cancelled."""
        await self.shares.run()


@asynccontextmanager
async def webhook_service(
    settings: NotifierSettings,
    redis: Redis,
    publisher: KafkaPublisher,
    measured: NotifierMeter,
    loops: LoopMeter,
) -> AsyncIterator[WebhookService]:
    """The service on the real servers. Nothing is connected yet."""
    kafka = KafkaConnection.of(settings, client_id=f"{settings.instance}-webhooks")
    directory = Directory()
    endpoints = Endpoints(directory)
    reader = DirectoryReader(make_reader(kafka), directory)
    schedule = RedisWebhookSchedule(redis)
    bells = Doorbells(redis)
    planning = WebhookPlanning(endpoints, schedule, utc_now)
    past = KafkaPastEvents(lambda: make_reader(kafka))
    allow_private = settings.webhook_allow_private

    async def pause() -> None:
        await asyncio.sleep(REPLAY_PAUSE_S)

    async def catch_up() -> None:
        await reader.catch_up(CATCH_UP_TIMEOUT_S)

    async with webhook_session(allow_private=allow_private) as session:
        sender = MeteredWebhookSender(
            HttpWebhookSender(session, utc_now, allow_private=allow_private), measured
        )
        use_cases = UseCases(
            planning,
            WebhookDelivery(schedule, sender, MeteredAlerts(publisher, measured), utc_now),
            Rereading(endpoints, planning, schedule, past, utc_now, pause),
        )
        shares = WebhookShares(
            schedule, endpoints, use_cases, bells, utc_now, rebuild_s=settings.webhook_rebuild_s
        )
        reader.tell(shares.changed)
        consumer = WebhookTopicsConsumer(planning, shares, catch_up)
        loop = make_loop(settings, WEBHOOKS.name, WEBHOOKS.topics, consumer, publisher, meter=loops)
        try:
            yield WebhookService(loop, shares, directory, past, session, schedule, reader, bells)
        finally:
            await reader.close()
