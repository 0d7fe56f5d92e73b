"""The one place where the history is put together."""

from __future__ import annotations

import asyncio

from rondo_common.events import (
    AcceptChat,
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    AssignmentRescinded,
    AssignmentTimedOut,
    ChatEnded,
    ChatFellBack,
    ChatQueued,
    ChatRequested,
    ChatTransferred,
    ChatWithdrawn,
    ConnectAgent,
    ConversationIdleWarned,
    DeclineChat,
    EndChat,
    Event,
    MessagePosted,
    MessagesRead,
    PlanRoute,
    TransferChat,
    TransferReturned,
    WithdrawChat,
)
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.kafka.group import loop_health, make_loop, make_publisher
from rondo_common.process import run_together, serve_http
from rondo_common.topics import CHAT_REQUESTS, CONVERSATIONS
from rondo_history import handlers
from rondo_history.adapters.postgres_archive import PostgresArchive, open_pool
from rondo_history.entrypoints.http import history_app
from rondo_history.entrypoints.topics import TopicsConsumer
from rondo_history.handlers import Reading
from rondo_history.settings import HistorySettings

GROUP = "rondo.history"
FETCH_BYTES_MIN = 64 * 1024
"""Nobody waits for the history, and rows written together cost far less."""

READINGS: dict[type[Event], Reading] = {
    ChatRequested: handlers.fact,
    AcceptChat: handlers.no_fact,
    DeclineChat: handlers.no_fact,
    WithdrawChat: handlers.no_fact,
    EndChat: handlers.no_fact,
    TransferChat: handlers.no_fact,
    ConnectAgent: handlers.no_fact,
    PlanRoute: handlers.no_fact,
    AssignmentOffered: handlers.fact,
    AssignmentAccepted: handlers.fact,
    AssignmentDeclined: handlers.fact,
    AssignmentTimedOut: handlers.fact,
    AssignmentRescinded: handlers.fact,
    ChatQueued: handlers.fact,
    ChatTransferred: handlers.fact,
    TransferReturned: handlers.fact,
    ChatFellBack: handlers.fact,
    ChatWithdrawn: handlers.fact,
    ChatEnded: handlers.fact,
    MessagePosted: handlers.fact,
    MessagesRead: handlers.fact,
    ConversationIdleWarned: handlers.fact,
}
"""Everything on the two topics: what is kept, and what is not."""


async def run(settings: HistorySettings, stop: asyncio.Event) -> None:
    """Run the history until ``stop`` is set. Raises ``Fatal`` when it cannot go on."""
    connection = KafkaConnection(settings.kafka_bootstrap, client_id=settings.instance)
    publisher = make_publisher(connection)
    async with open_pool(settings.postgres_dsn) as pool:
        archive = PostgresArchive(pool)
        loop = make_loop(
            settings,
            GROUP,
            [CHAT_REQUESTS, CONVERSATIONS],
            TopicsConsumer(READINGS, archive),
            publisher,
            fetch_bytes_min=FETCH_BYTES_MIN,
        )
        app = history_app(archive, loop_health(loop, {"postgres": archive.check}))
        serving = serve_http(app, host=settings.http_host, port=settings.http_port, stop=stop)
        try:
            await run_together(stop, stopping=[loop.run(stop), serving])
        finally:
            await publisher.stop()
