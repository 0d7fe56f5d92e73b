"""The one place where the notifier is put together."""

from __future__ import annotations

import asyncio

from rondo_common.consumer_groups import NOTIFIER
from rondo_common.health import health_app
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.kafka.group import loops_health, make_loop, make_publisher
from rondo_common.kafka.metered import LoopMeter
from rondo_common.meter import Meter, metrics_routes
from rondo_common.process import run_together, serve_http, until_reachable
from rondo_common.redis.connection import connect_redis, ping
from rondo_common.system_clock import utc_now
from rondo_notifier.adapters.metered_deliveries import MeteredMailboxes, NotifierMeter
from rondo_notifier.adapters.redis_mailboxes import RedisMailboxes
from rondo_notifier.alert_service import alert_service
from rondo_notifier.entrypoints.topics import TopicsConsumer
from rondo_notifier.settings import NotifierSettings
from rondo_notifier.webhook_service import webhook_service


async def run(settings: NotifierSettings, stop: asyncio.Event) -> None:
    """Run the notifier until ``stop`` is set. Raises ``Fatal`` when it cannot go on."""
    connection = KafkaConnection.of(settings, client_id=settings.instance)
    redis = connect_redis(settings.redis_address(), client_name=settings.instance)
    publisher = make_publisher(connection)
    mailboxes = RedisMailboxes(redis)
    meter = Meter("notifier")
    loops, measured = LoopMeter(meter), NotifierMeter(meter, utc_now)
    told = TopicsConsumer(MeteredMailboxes(mailboxes, measured))
    loop = make_loop(settings, NOTIFIER.name, NOTIFIER.topics, told, publisher, meter=loops)

    async def consume() -> None:
        await until_reachable(mailboxes.load, stop)
        await loop.run(stop)

    try:
        async with (
            webhook_service(settings, redis, publisher, measured, loops) as webhooks,
            alert_service(settings, redis, publisher, mailboxes, webhooks, measured, loops) as alerts,
        ):
            routes = loops_health(
                {"consumer": loop, "webhooks": webhooks.loop, "alerts": alerts.loop},
                {"redis": lambda: ping(redis)},
                lambda: {"webhooks": webhooks.shares.details(), **alerts.details()},
            )
            app = health_app(routes, title="Rondo notifier")
            app.include_router(metrics_routes(meter))
            await run_together(
                stop,
                stopping=[
                    consume(),
                    webhooks.consume(stop),
                    *alerts.stopping(stop),
                    serve_http(app, host=settings.http_host, port=settings.http_port, stop=stop),
                ],
                background=[
                    webhooks.follow_directory(),
                    webhooks.hear(),
                    webhooks.deliver(),
                    *alerts.background(),
                ],
            )
    finally:
        await publisher.stop()
        await redis.aclose()
