"""The one place where live metrics are put together."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import faust
import structlog
from faust.auth import Credentials, SASLCredentials, SSLCredentials

from rondo_common.clock import milliseconds
from rondo_common.consumer_groups import LIVE_METRICS
from rondo_common.errors import Fatal, Retryable
from rondo_common.health import health_app, health_routes
from rondo_common.kafka.connection import READ_TIMEOUT_MS, KafkaConnection
from rondo_common.kafka.group import make_publisher
from rondo_common.kafka.security import KafkaSecurity
from rondo_common.meter import Meter, metrics_routes
from rondo_common.metrics import ACTIVE_CHATS, LIVE_METRICS_DELAY, QUEUE_LENGTH, WAITING_CHATS
from rondo_common.process import run_together, serve_http
from rondo_common.system_clock import utc_now
from rondo_common.topics import (
    CHAT_REQUESTS,
    CONVERSATIONS,
    LIVE_METRICS_CHATS,
    LIVE_METRICS_CLOSED,
    LIVE_METRICS_MOMENTS,
    Topic,
)
from rondo_history.live_metrics.counter import Counter
from rondo_history.live_metrics.forwarder import Forwarder
from rondo_history.live_metrics.inbox import Inbox, Work
from rondo_history.live_metrics.settings import LiveMetricsSettings
from rondo_history.live_metrics.steady_consumer import SteadyConsumer
from rondo_history.live_metrics.tables import ConfirmedTable
from rondo_history.live_metrics.watermarks import Watermarks

log = structlog.get_logger(__name__)

GROUP = LIVE_METRICS.name
COMMIT_INTERVAL_S = 1.0
STOP_TIMEOUT_S = 15.0
START_TIMEOUT_S = 60.0
CRASH_POLL_S = 0.2


def make_app(settings: LiveMetricsSettings) -> faust.App:
    """Faust as live metrics need it: no topics of its own making, no web server, nothing at import."""
    brokers = ";".join(f"kafka://{each.strip()}" for each in settings.kafka_bootstrap.split(","))
    app = faust.App(
        GROUP,
        broker=brokers,
        broker_credentials=_credentials(settings.kafka_security),
        broker_client_id=settings.instance,
        broker_session_timeout=settings.session_timeout_ms / 1000,
        broker_heartbeat_interval=settings.session_timeout_ms / 5000,
        # As every reader has it; Faust refuses one that is shorter than the session.
        broker_request_timeout=max(READ_TIMEOUT_MS, settings.session_timeout_ms) / 1000,
        broker_rebalance_timeout=settings.rebalance_timeout_ms / 1000,
        broker_commit_interval=COMMIT_INTERVAL_S,
        consumer_auto_offset_reset="earliest",
        processing_guarantee="at_least_once",
        producer_acks=-1,
        producer_linger=0.0,
        store="memory://",
        # Faust makes this folder whatever the store, by default in the working directory.
        datadir=str(Path(tempfile.gettempdir()) / GROUP),
        # Topics are declared in the registry and created from there.
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        # An inbox drops what it has not worked on yet; it is read again.
        stream_wait_empty=False,
        web_enabled=False,
        autodiscover=False,
    )
    cast("Any", app.transport).Consumer = SteadyConsumer  # Faust has no setting for it.
    return app


def _credentials(security: KafkaSecurity) -> Credentials | None:
    """How the brokers let us in, in Faust's words."""
    context = security.ssl_context()
    if security.with_password:
        return SASLCredentials(
            username=security.username,
            password=security.password,
            mechanism=security.mechanism,
            ssl_context=context,
        )
    return None if context is None else SSLCredentials(context)


class LiveMetrics:
    """Live metrics ready to run. Nothing is connected yet."""

    def __init__(self, settings: LiveMetricsSettings) -> None:
        self.app = make_app(settings)
        self.publisher = make_publisher(KafkaConnection.of(settings, client_id=settings.instance))
        self.forwarder = Forwarder(self.publisher)
        self.counter = Counter(
            self._table("chats", LIVE_METRICS_CHATS.partitions),
            self._table("closed", LIVE_METRICS_CLOSED.partitions),
            self.publisher,
            utc_now,
            service_level_s=settings.service_level_s,
        )
        self.watermarks = Watermarks(self.app, self.forwarder, self.publisher, utc_now)
        self.inboxes = {
            "forward": self._inbox("forward", self.forwarder.forward, CHAT_REQUESTS, CONVERSATIONS),
            "count": self._inbox("count", self.counter.count, LIVE_METRICS_MOMENTS),
        }
        self.is_assigned = False
        self.app.on_partitions_revoked.connect(self._revoked, weak=False)
        self.app.on_rebalance_complete.connect(self._assigned, weak=False)

    @property
    def is_alive(self) -> bool:
        """False once Faust gave up."""
        return not self.app.crashed

    async def check_ready(self) -> None:
        """A health check: raises ``Retryable`` until partitions are assigned and tables restored."""
        if not self.is_assigned:
            raise Retryable("partitions are being assigned, or tables restored")

    def blocked(self) -> dict[str, dict[str, str]]:
        """What is read but cannot be worked on at present, with what it waits for."""
        waiting = {name: inbox.blocked_by for name, inbox in self.inboxes.items()}
        return {"blocked": {name: reason for name, reason in waiting.items() if reason is not None}}

    def _table(self, name: str, partitions: int) -> ConfirmedTable:
        return ConfirmedTable(self.app, name, partitions=partitions)

    def _inbox(self, name: str, work: Work, *topics: Topic) -> Inbox:
        inbox = Inbox(work)
        # Bytes as they are: the envelope, and the entries, are read with the models that wrote them.
        topic = self.app.topic(
            *(each.name for each in topics),
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
        )
        self.app.agent(topic, name=f"{GROUP}.{name}")(inbox.fill)
        return inbox

    async def _revoked(self, *_: Any, **__: Any) -> None:
        self.is_assigned = False
        self.watermarks.close()
        for inbox in self.inboxes.values():
            await inbox.close()
        self.forwarder.forget()

    async def _assigned(self, *_: Any, **__: Any) -> None:
        assigned = self.app.consumer.assignment()
        self.counter.restart(
            {each.partition for each in assigned if each.topic == LIVE_METRICS_MOMENTS.name}
        )
        for inbox in self.inboxes.values():
            inbox.open()
        self.watermarks.open()
        self.is_assigned = True
        log.info("partitions_assigned", count=len(assigned))


async def run(settings: LiveMetricsSettings, stop: asyncio.Event) -> None:
    """Run live metrics until ``stop`` is set. Raises ``Fatal`` when they cannot go on."""
    live = LiveMetrics(settings)
    health = health_routes(
        is_alive=lambda: live.is_alive, checks={"consumer": live.check_ready}, details=live.blocked
    )
    app = health_app(health, title="Rondo live metrics")
    app.include_router(metrics_routes(_meter_of(live.counter)))
    async with _published(live):
        await run_together(
            stop,
            stopping=[
                serve_http(app, host=settings.http_host, port=settings.http_port, stop=stop),
                _run_faust(live, stop),
            ],
            background=[*(inbox.run() for inbox in live.inboxes.values()), live.watermarks.run()],
        )


def _meter_of(counter: Counter) -> Meter:
    """What stands in this process's workspaces, all together: their own figures are on `rondo.metrics`."""
    meter = Meter("live-metrics")
    meter.gauge(QUEUE_LENGTH, lambda: [((), sum(each.queue_length for each in counter.standing()))])
    meter.gauge(WAITING_CHATS, lambda: [((), sum(each.waiting for each in counter.standing()))])
    meter.gauge(ACTIVE_CHATS, lambda: [((), sum(each.active for each in counter.standing()))])
    meter.gauge(LIVE_METRICS_DELAY, lambda: _delay(counter))
    return meter


def _delay(counter: Counter) -> list[tuple[tuple[str, ...], float]]:
    told_until_ms = counter.told_until_ms()
    if told_until_ms is None:
        return []
    return [((), max(0, milliseconds(utc_now()) - told_until_ms) / 1000)]


@contextlib.asynccontextmanager
async def _published(live: LiveMetrics) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await live.publisher.stop()


async def _run_faust(live: LiveMetrics, stop: asyncio.Event) -> None:
    """Faust's life. Its own worker would take over signals, logs and the event loop."""
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            await live.app.start()
        while not stop.is_set() and not live.app.crashed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CRASH_POLL_S):
                    await stop.wait()
        if live.app.crashed:
            raise Fatal(f"Faust cannot go on: {live.app.crash_reason!r}")
    finally:
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await live.app.stop()
        except (TimeoutError, RuntimeError) as error:
            # What was acknowledged is durable; Faust's threads may come in each other's way at the end.
            log.warning("faust_not_stopped", reason=repr(error))
