"""The part of the notifier that keeps alerts, emails people and looks after coverage, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from rondo_common.alerts import ChannelName
from rondo_common.consumer_groups import NOTIFIER_ALERTS
from rondo_common.directory.entries import Kind, PushSubscriptionEntry, directory_key
from rondo_common.ids import WorkspaceId
from rondo_common.kafka.consumer import ConsumerLoop
from rondo_common.kafka.group import make_loop
from rondo_common.kafka.metered import LoopMeter
from rondo_common.kafka.partitioning import partition_of
from rondo_common.kafka.publisher import KafkaPublisher, Outgoing
from rondo_common.process import until_reachable
from rondo_common.smtp import SmtpSession, smtp_server
from rondo_common.system_clock import utc_now
from rondo_common.topics import DIRECTORY
from rondo_notifier.adapters.channels.chat_hooks import ChatHooksChannel
from rondo_notifier.adapters.channels.email import EmailChannel
from rondo_notifier.adapters.channels.inbox import InboxChannel
from rondo_notifier.adapters.channels.web_push import Vapid, WebPushChannel
from rondo_notifier.adapters.metered_deliveries import MeteredAlerts, MeteredChannel, NotifierMeter
from rondo_notifier.adapters.redis_alerts import RedisAlerts
from rondo_notifier.adapters.redis_coverage import RedisCoverage
from rondo_notifier.adapters.redis_mail_board import RedisMailBoard
from rondo_notifier.adapters.redis_presences import RedisPresences
from rondo_notifier.adapters.smtp_mailer import SmtpMailer
from rondo_notifier.entrypoints.alert_desks import AlertDesks, Telling
from rondo_notifier.entrypoints.rounds import MailRounds, look_after_workspaces
from rondo_notifier.handlers.alerts import AlertDesk, Reach
from rondo_notifier.handlers.coverage import CoverageWatch
from rondo_notifier.handlers.mails import MailRound, NewsDesk, mail_interval_s
from rondo_notifier.ports import Channel, Mailboxes
from rondo_notifier.settings import NotifierSettings
from rondo_notifier.webhook_service import WebhookService


@dataclass(frozen=True, slots=True)
class AlertService:
    """What runs for alerts: a consumer loop, and what goes on beside it."""

    loop: ConsumerLoop
    desks: AlertDesks
    mails: MailRounds | None
    _store: RedisAlerts
    _watch: Callable[[], Coroutine[Any, Any, None]]

    async def consume(self, stop: asyncio.Event) -> None:
        """Take in what happens, until ``stop`` is set."""
        await until_reachable(self._store.load_functions, stop)
        await self.loop.run(stop)

    def stopping(self, stop: asyncio.Event) -> Sequence[Coroutine[Any, Any, None]]:
        """The parts that finish what is under way once ``stop`` is set."""
        return [self.consume(stop), *([] if self.mails is None else [self.mails.run(stop)])]

    def background(self) -> Sequence[Coroutine[Any, Any, None]]:
        """The parts that are cancelled in the end."""
        return [self.desks.run(), self._watch()]

    def details(self) -> dict[str, str | None]:
        """What is in the way, for an operator."""
        mails = "no mail server is configured" if self.mails is None else self.mails.blocked_by
        return {"alerts": self.desks.blocked_by, "mails": mails}


@asynccontextmanager
async def alert_service(
    settings: NotifierSettings,
    redis: Redis,
    publisher: KafkaPublisher,
    mailboxes: Mailboxes,
    webhooks: WebhookService,
    measured: NotifierMeter,
    loops: LoopMeter,
) -> AsyncIterator[AlertService]:
    """The service on the real servers; the directory and the guarded session are those of webhooks."""
    directory, session = webhooks.directory, webhooks.session
    allow_private = settings.webhook_allow_private
    board = RedisMailBoard(redis)
    hooks = ChatHooksChannel(session, directory, allow_private=allow_private)
    channels: dict[ChannelName, Channel] = {
        ChannelName.INBOX: InboxChannel(mailboxes),
        ChannelName.CHAT_HOOKS: hooks,
    }
    if settings.vapid_private_key is not None:
        vapid = Vapid(settings.vapid_private_key.get_secret_value(), settings.vapid_subject)
        forget = _forgetting(publisher)
        channels[ChannelName.WEB_PUSH] = WebPushChannel(
            session, directory, vapid, forget, allow_private=allow_private
        )
    smtp, mails = None, None
    if settings.smtp_url is not None:
        smtp = SmtpSession(smtp_server(settings.smtp_url.get_secret_value()))
        mailer = SmtpMailer(smtp, settings.mail_from, settings.public_url)
        mails = MailRounds(MailRound(directory, board, mailer, utc_now))
        channels[ChannelName.EMAIL] = EmailChannel(
            mailer, board, lambda workspace_id: mail_interval_s(directory, workspace_id)
        )
    counted = {name: MeteredChannel(channel, measured) for name, channel in channels.items()}
    reach = Reach(directory, counted, settings.public_url)
    store, log = RedisAlerts(redis), MeteredAlerts(publisher, measured)
    watch = CoverageWatch(directory, RedisCoverage(redis), log, hooks.say, utc_now)
    desks = AlertDesks(
        AlertDesk(store, log, RedisPresences(redis), reach, utc_now),
        store,
        Telling(reach),
        watch,
        NewsDesk(directory, board, utc_now),
        webhooks.past,
        webhooks.catch_up,
        utc_now,
    )
    loop = make_loop(settings, NOTIFIER_ALERTS.name, NOTIFIER_ALERTS.topics, desks, publisher, meter=loops)

    async def look_after() -> None:
        await look_after_workspaces(watch, lambda: desks.covered, directory.workspaces_of)

    try:
        yield AlertService(loop, desks, mails, store, look_after)
    finally:
        if smtp is not None:
            await smtp.close()


def _forgetting(publisher: KafkaPublisher) -> Callable[[WorkspaceId, PushSubscriptionEntry], Any]:
    """What removes a push subscription: a tombstone in the directory."""

    async def forget(workspace_id: WorkspaceId, subscription: PushSubscriptionEntry) -> None:
        key = directory_key(workspace_id, Kind.PUSH_SUBSCRIPTION, subscription.id)
        partition = partition_of(DIRECTORY, workspace_id, key)
        await publisher.publish([Outgoing(DIRECTORY, partition, key, None, [])])

    return forget
