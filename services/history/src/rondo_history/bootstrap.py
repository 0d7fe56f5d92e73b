"""The one place where the history is put together."""

from __future__ import annotations

import asyncio

from rondo_common.consumer_groups import HISTORY
from rondo_common.directory.reader import DirectoryReader
from rondo_common.directory.view import Directory
from rondo_common.events import (
    AcceptChat,
    AcknowledgeAlert,
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
    ConversationErased,
    ConversationIdleWarned,
    ConversationRated,
    DeclineChat,
    EndChat,
    Event,
    MessagePosted,
    MessagesRead,
    PlanRoute,
    TakeChat,
    TranscriptRequested,
    TransferChat,
    TransferReturned,
    VisitorErased,
    WithdrawChat,
)
from rondo_common.kafka.connection import KafkaConnection, make_reader
from rondo_common.kafka.group import loop_health, make_loop, make_publisher
from rondo_common.kafka.metered import LoopMeter
from rondo_common.meter import Meter, metrics_routes
from rondo_common.process import run_together, serve_http
from rondo_common.request_durations import RequestDurations, request_durations
from rondo_common.request_traces import RequestTraces
from rondo_common.smtp import SmtpMailer, smtp_server
from rondo_common.system_clock import utc_now
from rondo_common.traces import is_tracing
from rondo_history import handlers
from rondo_history.adapters.kafka_announcer import KafkaAnnouncer
from rondo_history.adapters.postgres import open_pool, trace_calls
from rondo_history.adapters.postgres_archive import PostgresArchive
from rondo_history.adapters.postgres_housekeeping import PostgresHousekeeping
from rondo_history.adapters.postgres_mails import PostgresMails
from rondo_history.adapters.postgres_reports import PostgresReports
from rondo_history.adapters.transcript_mailer import TranscriptMailer
from rondo_history.entrypoints.housekeeper import keep_house
from rondo_history.entrypoints.http import history_app
from rondo_history.entrypoints.mail import mail_routes
from rondo_history.entrypoints.mail_sender import send_mails
from rondo_history.entrypoints.reports import report_routes
from rondo_history.entrypoints.topics import TopicsConsumer
from rondo_history.handlers import Reading
from rondo_history.settings import HistorySettings

FETCH_BYTES_MIN = 64 * 1024
"""Nobody waits for the history, and rows written together cost far less."""

DIRECTORY_TIMEOUT_S = 120.0

READINGS: dict[type[Event], Reading] = {
    ChatRequested: handlers.fact,
    AcceptChat: handlers.no_fact,
    DeclineChat: handlers.no_fact,
    TakeChat: handlers.no_fact,
    WithdrawChat: handlers.no_fact,
    EndChat: handlers.no_fact,
    TransferChat: handlers.no_fact,
    VisitorErased: handlers.no_fact,
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
    TranscriptRequested: handlers.fact,
    ConversationErased: handlers.no_fact,
    ConversationIdleWarned: handlers.fact,
    ConversationRated: handlers.fact,
    AcknowledgeAlert: handlers.no_fact,
}
"""Everything on the two topics: what is kept, and what is not."""


async def run(settings: HistorySettings, stop: asyncio.Event) -> None:
    """Run the history until ``stop`` is set. Raises ``Fatal`` when it cannot go on."""
    connection = KafkaConnection.of(settings, client_id=settings.instance)
    publisher = make_publisher(connection)
    directory = Directory()
    reader = DirectoryReader(make_reader(connection), directory)
    meter = Meter("history")
    async with open_pool(settings.postgres_dsn.get_secret_value()) as pool:
        archive = PostgresArchive(pool)
        housekeeping = PostgresHousekeeping(pool)
        loop = make_loop(
            settings,
            HISTORY.name,
            HISTORY.topics,
            TopicsConsumer(READINGS, archive, housekeeping, KafkaAnnouncer(publisher)),
            publisher,
            fetch_bytes_min=FETCH_BYTES_MIN,
            meter=LoopMeter(meter),
        )
        app = history_app(
            archive,
            loop_health(loop, {"postgres": archive.check}),
            report_routes(PostgresReports(pool)),
            mail_routes(is_configured=settings.smtp_url is not None),
            metrics_routes(meter),
        )
        app.add_middleware(RequestDurations, durations=request_durations(meter))
        if is_tracing():
            trace_calls()
            app.add_middleware(RequestTraces)
        serving = serve_http(app, host=settings.http_host, port=settings.http_port, stop=stop)
        sending = [
            send_mails(stop, PostgresMails(pool), archive, mailer, utc_now) for mailer in _mailers(settings)
        ]
        try:
            await run_together(
                stop,
                stopping=[loop.run(stop), serving, *sending],
                background=[
                    reader.run(),
                    keep_house(
                        stop,
                        housekeeping,
                        summarise=archive.summarise_what_is_not,
                        catch_up=lambda: reader.catch_up(DIRECTORY_TIMEOUT_S),
                        workspaces=directory.workspaces,
                        clock=utc_now,
                    ),
                ],
            )
        finally:
            await publisher.stop()


def _mailers(settings: HistorySettings) -> list[TranscriptMailer]:
    """The one that sends transcripts; none where no server is configured."""
    if settings.smtp_url is None:
        return []
    smtp = SmtpMailer(smtp_server(settings.smtp_url.get_secret_value()))
    return [TranscriptMailer(smtp, settings.mail_from)]
