"""The one place where the gateway is put together."""

from __future__ import annotations

import asyncio
import base64
import random
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from rondo_common.clock import Clock
from rondo_common.directory.reader import DirectoryReader
from rondo_common.directory.view import Directory
from rondo_common.health import Check, health_app, health_routes
from rondo_common.ids import new_event_id
from rondo_common.kafka.connection import KafkaConnection, make_producer, make_reader
from rondo_common.kafka.publisher import KafkaPublisher
from rondo_common.leaving import ConnectionsEnd, Leaving
from rondo_common.meter import Meter, metrics_routes
from rondo_common.metrics import OPEN_STREAMS
from rondo_common.process import run_together, serve_http, until_reachable
from rondo_common.redis.connection import connect_redis, ping
from rondo_common.redis.doorbells import Doorbells
from rondo_common.request_durations import RequestDurations, request_durations
from rondo_common.request_traces import RequestTraces
from rondo_common.system_clock import utc_now
from rondo_common.traces import current_traceparent, is_tracing
from rondo_common.webhooks import SECRET_PREFIX
from rondo_gateway.adapters.directory import KafkaDirectoryLog, ReadDirectory
from rondo_gateway.adapters.http_history import TIMEOUT_S, HttpHistory
from rondo_gateway.adapters.jwt_tokens import JwtTokens
from rondo_gateway.adapters.kafka_event_log import KafkaEventLog
from rondo_gateway.adapters.kafka_metrics import KafkaLiveMetrics
from rondo_gateway.adapters.metered_event_log import MeteredEventLog
from rondo_gateway.adapters.oidc_issuer import TIMEOUT_S as OIDC_TIMEOUT_S
from rondo_gateway.adapters.oidc_issuer import Client, HttpIssuer
from rondo_gateway.adapters.redis_alerts import RedisAlertBook
from rondo_gateway.adapters.redis_answers import RedisAnswers
from rondo_gateway.adapters.redis_conversations import RedisConversations
from rondo_gateway.adapters.redis_directory_offsets import RedisDirectoryOffsets
from rondo_gateway.adapters.redis_effects import gateway_functions
from rondo_gateway.adapters.redis_mailboxes import RedisMailboxes
from rondo_gateway.adapters.redis_places import RedisPlaces
from rondo_gateway.adapters.redis_presence import RedisPresence
from rondo_gateway.adapters.redis_queue import RedisWaitingQueue
from rondo_gateway.adapters.redis_rate_limiter import RedisRateLimiter
from rondo_gateway.adapters.redis_sign_in import RedisSessions, RedisTickets
from rondo_gateway.adapters.redis_turns import RedisTurns
from rondo_gateway.adapters.redis_visitor_presence import RedisVisitorPresence
from rondo_gateway.adapters.redis_webhooks import RedisWebhookDesk
from rondo_gateway.adapters.vapid import public_key_of
from rondo_gateway.adapters.visitor_identities import VisitorIdentities
from rondo_gateway.domain.sign_in import SessionTimes
from rondo_gateway.entrypoints.app import public_app
from rondo_gateway.entrypoints.live_metrics import metrics_stream_route
from rondo_gateway.entrypoints.live_streams import stream_routes
from rondo_gateway.entrypoints.open_streams import OpenStreams
from rondo_gateway.entrypoints.pages import page_routes
from rondo_gateway.entrypoints.session_cookies import Site
from rondo_gateway.entrypoints.sockets import socket_routes
from rondo_gateway.entrypoints.stream_readers import StreamTimes
from rondo_gateway.handlers.account_import import AccountImport
from rondo_gateway.handlers.agent_tokens import AgentTokens
from rondo_gateway.handlers.alerts import AlertQueries
from rondo_gateway.handlers.api_keys import ApiKeys
from rondo_gateway.handlers.assignments import AssignmentStories
from rondo_gateway.handlers.attention import Attention
from rondo_gateway.handlers.authentication import API_KEY_PREFIX, Authentication
from rondo_gateway.handlers.availability import Availabilities
from rondo_gateway.handlers.chat_requests import ChatRequests
from rondo_gateway.handlers.conversation_lists import ConversationLists
from rondo_gateway.handlers.conversations import ConversationCommands
from rondo_gateway.handlers.desks import Desks
from rondo_gateway.handlers.erasures import Erasures
from rondo_gateway.handlers.kinds import AccountKind, AgentKind, ProfileKind, RuleKind, TeamKind
from rondo_gateway.handlers.live_metrics import MetricsQueries
from rondo_gateway.handlers.live_streams import LiveStreams
from rondo_gateway.handlers.messages import Messages
from rondo_gateway.handlers.notifications import NotificationPreferences
from rondo_gateway.handlers.oidc_sign_in import OidcSignIn
from rondo_gateway.handlers.origins import AllowedOrigins
from rondo_gateway.handlers.presence import PresenceKeeper
from rondo_gateway.handlers.provisioned import Provisioned
from rondo_gateway.handlers.push_subscriptions import PushSubscriptions
from rondo_gateway.handlers.rate_limits import Limits
from rondo_gateway.handlers.ratings import Ratings
from rondo_gateway.handlers.reports import Reports
from rondo_gateway.handlers.roster import Rosters
from rondo_gateway.handlers.route_plans import RoutePlans
from rondo_gateway.handlers.rule_lint import RuleLint
from rondo_gateway.handlers.rule_order import RuleOrder
from rondo_gateway.handlers.saved_replies import SavedReplyKind
from rondo_gateway.handlers.sign_in_links import SignInLinks
from rondo_gateway.handlers.sign_ins import SignIns
from rondo_gateway.handlers.telling import Telling
from rondo_gateway.handlers.transcripts import Transcripts
from rondo_gateway.handlers.use_cases import UseCases
from rondo_gateway.handlers.visitor_sessions import VisitorSessions
from rondo_gateway.handlers.webhooks import WebhookKind, Webhooks
from rondo_gateway.handlers.workspaces import Workspaces
from rondo_gateway.ports import (
    AlertBook,
    Answers,
    Conversations,
    DirectoryLog,
    DirectoryView,
    EventLog,
    History,
    Identities,
    Issuer,
    LiveMetrics,
    Mailboxes,
    Places,
    Presence,
    RateLimiter,
    SessionStore,
    Tickets,
    Tokens,
    VisitorPresence,
    WaitingQueue,
    WebhookDesk,
)
from rondo_gateway.settings import GatewaySettings

PUBLISH_DEADLINE_S = 4.0
REQUEST_TIMEOUT_MS = 4_000
REDIS_TIMEOUT_S = 2.0
"""A caller waits for the 503: this long, and once more."""
API_KEY_BYTES = 32
TURN_TOKEN_BYTES = 16
SIGN_IN_SECRET_BYTES = 32
SALT_BYTES = 16
"""Also of an anonymous visitor's id: nobody guesses 128 bits."""
WEBHOOK_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class World:
    """Everything the use cases stand on, real or not."""

    directory: DirectoryView
    directory_log: DirectoryLog
    places: Places
    webhook_desk: WebhookDesk
    conversations: Conversations
    log: EventLog
    answers: Answers
    mailboxes: Mailboxes
    alerts: AlertBook
    push_public_key: str | None
    metrics: LiveMetrics
    queue: WaitingQueue
    presence: Presence
    presence_lease_s: float
    history: History
    tokens: Tokens
    identities: Identities
    rate_limiter: RateLimiter
    visitor_presence: VisitorPresence
    clock: Clock
    stream_times: StreamTimes
    sessions: SessionStore
    tickets: Tickets
    session_times: SessionTimes
    site: Site
    issuer: Issuer | None = None
    webhook_allow_private: bool = False


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway ready to run: its application, what runs beside it, and what to close after it."""

    app: FastAPI
    internal: FastAPI
    """What must not be public: the metrics."""
    open_streams: OpenStreams
    leaving: Leaving
    alongside: Sequence[Callable[[asyncio.Event], Coroutine[Any, Any, None]]]
    close: Callable[[], Awaitable[None]]


def build_use_cases(world: World, root_key: str) -> UseCases:
    """The use cases over ``world``."""
    directory, log, clock = world.directory, world.log, world.clock
    directory_log = world.directory_log
    authentication = Authentication(
        root_key, directory, world.tokens, world.sessions, world.session_times, clock
    )
    telling = Telling(world.conversations, world.mailboxes)
    conversations = ConversationCommands(
        directory, world.conversations, world.history, log, world.answers, telling, clock, new_event_id
    )
    limits = Limits(directory, world.rate_limiter, clock)
    sign_ins = SignIns(
        directory, world.sessions, world.tickets, limits, world.session_times, clock, _new_sign_in_secret
    )
    presence = PresenceKeeper(world.presence, directory, log, clock, new_event_id, world.presence_lease_s)
    return UseCases(
        authentication=authentication,
        workspaces=Workspaces(directory, directory_log, clock, _new_api_key),
        api_keys=ApiKeys(directory, directory_log, clock, _new_api_key),
        agents=Provisioned(directory, directory_log, AgentKind(directory, world.places)),
        teams=Provisioned(directory, directory_log, TeamKind()),
        rules=Provisioned(directory, directory_log, RuleKind()),
        accounts=Provisioned(directory, directory_log, AccountKind()),
        profiles=Provisioned(directory, directory_log, ProfileKind()),
        saved_replies=Provisioned(directory, directory_log, SavedReplyKind()),
        webhooks=Webhooks(
            directory,
            directory_log,
            Provisioned(
                directory,
                directory_log,
                WebhookKind(clock, new_event_id, allow_private=world.webhook_allow_private),
            ),
            world.webhook_desk,
            clock,
            new_event_id,
            _new_webhook_secret,
        ),
        account_import=AccountImport(directory, directory_log),
        agent_tokens=AgentTokens(directory, world.tokens, clock),
        sign_in_links=SignInLinks(directory, world.tickets, clock, _new_sign_in_secret),
        sign_ins=sign_ins,
        oidc_sign_in=OidcSignIn(
            directory, world.issuer, world.tickets, sign_ins, limits, clock, _new_sign_in_secret
        ),
        availabilities=Availabilities(directory, directory_log, clock),
        notification_preferences=NotificationPreferences(directory, directory_log),
        desks=Desks(directory, world.conversations),
        alerts=AlertQueries(directory, world.alerts, log, clock, new_event_id),
        push_subscriptions=PushSubscriptions(
            directory,
            directory_log,
            clock,
            world.push_public_key,
            allow_private=world.webhook_allow_private,
        ),
        chat_requests=ChatRequests(directory, world.conversations, log, world.tokens, limits, clock),
        conversations=conversations,
        conversation_lists=ConversationLists(directory, world.conversations, world.history),
        messages=Messages(directory, world.conversations, log, world.history, limits, telling, clock),
        ratings=Ratings(directory, world.conversations, world.history, log, limits, clock, new_event_id),
        transcripts=Transcripts(directory, world.conversations, world.history, log, clock, new_event_id),
        erasures=Erasures(
            directory, world.conversations, world.history, conversations, log, clock, new_event_id
        ),
        reports=Reports(directory, world.history, clock),
        assignments=AssignmentStories(directory, world.conversations, world.history),
        route_plans=RoutePlans(directory, log, world.answers, clock, new_event_id),
        presence=presence,
        rosters=Rosters(directory, world.conversations, world.presence, clock),
        rule_lint=RuleLint(directory, clock, _let_others_run),
        rule_order=RuleOrder(directory, directory_log),
        attention=Attention(world.conversations, world.mailboxes, log, clock, new_event_id),
        visitor_sessions=VisitorSessions(
            directory,
            directory_log,
            world.tokens,
            world.identities,
            limits,
            clock,
            _new_salt,
        ),
        allowed_origins=AllowedOrigins(directory, world.tokens),
        live_streams=LiveStreams(
            authentication,
            directory,
            world.conversations,
            world.mailboxes,
            world.queue,
            presence,
            world.visitor_presence,
            clock,
            new_event_id,
        ),
        live_metrics=MetricsQueries(authentication, directory, world.metrics, clock, new_event_id),
    )


def build_app(
    world: World,
    root_key: str,
    open_streams: OpenStreams,
    health: APIRouter | None = None,
    pages: Sequence[BaseRoute] = (),
) -> FastAPI:
    """The application over ``world``. Its streams end with ``open_streams``."""
    use_cases = build_use_cases(world, root_key)
    jitter = random.SystemRandom().randint
    streams = stream_routes(use_cases, world.mailboxes, open_streams, jitter, world.stream_times)
    streams += socket_routes(use_cases, world.mailboxes, open_streams, world.stream_times)
    streams.append(metrics_stream_route(use_cases, world.metrics, open_streams, jitter, world.stream_times))
    return public_app(use_cases, streams, health, pages, world.site)


def build_gateway(settings: GatewaySettings) -> Gateway:
    """The gateway on the real Kafka, Redis and history. Nothing is connected yet."""
    kafka = KafkaConnection.of(settings, client_id=settings.instance)
    redis = connect_redis(
        settings.redis_address(), client_name=settings.instance, socket_timeout_s=REDIS_TIMEOUT_S
    )
    meter = Meter("gateway")
    functions = gateway_functions(redis)
    doorbells = Doorbells(redis)
    directory = Directory()
    reader = DirectoryReader(make_reader(kafka), directory)
    metrics = KafkaLiveMetrics(lambda: make_reader(kafka), utc_now)
    publisher = KafkaPublisher(
        lambda: make_producer(kafka, request_timeout_ms=REQUEST_TIMEOUT_MS),
        deadline_s=PUBLISH_DEADLINE_S,
    )
    history = httpx.AsyncClient(
        base_url=settings.history_url,
        timeout=TIMEOUT_S,
        trust_env=False,
        event_hooks={"request": [_go_on_from_here]},
    )
    # The issuer is elsewhere: it may be reached by a proxy only, as the environment says.
    oidc_http = httpx.AsyncClient(timeout=OIDC_TIMEOUT_S)
    offsets = RedisDirectoryOffsets(functions)
    turns = RedisTurns(redis, functions, lambda: secrets.token_hex(TURN_TOKEN_BYTES))
    view = ReadDirectory(directory, reader, offsets)
    world = World(
        directory=view,
        directory_log=KafkaDirectoryLog(view, publisher, offsets, turns, utc_now, new_event_id),
        places=RedisPlaces(functions),
        conversations=RedisConversations(functions),
        webhook_desk=RedisWebhookDesk(redis),
        log=MeteredEventLog(KafkaEventLog(publisher), meter),
        answers=RedisAnswers(redis, doorbells),
        mailboxes=RedisMailboxes(redis, doorbells),
        alerts=RedisAlertBook(redis, doorbells),
        push_public_key=_push_public_key(settings),
        metrics=metrics,
        queue=RedisWaitingQueue(functions, doorbells),
        presence=RedisPresence(functions),
        presence_lease_s=settings.presence_lease_s,
        history=HttpHistory(history),
        tokens=JwtTokens(settings.token_secret.get_secret_value()),
        identities=VisitorIdentities(settings.token_secret.get_secret_value(), _new_salt),
        rate_limiter=RedisRateLimiter(functions),
        visitor_presence=RedisVisitorPresence(functions),
        clock=utc_now,
        stream_times=StreamTimes.within_lease(settings.presence_lease_s),
        sessions=RedisSessions(functions, doorbells),
        tickets=RedisTickets(redis),
        session_times=SessionTimes(settings.session_idle_s, settings.session_max_s),
        issuer=_issuer(settings, oidc_http),
        site=Site(settings.public_url),
        webhook_allow_private=settings.webhook_allow_private,
    )
    open_streams = OpenStreams()
    meter.gauge(OPEN_STREAMS, lambda: [((), len(open_streams))])
    leaving = Leaving()
    checks: dict[str, Check] = {
        "kafka": view.catch_up,
        "redis": lambda: ping(redis),
        "process": leaving.check,
    }
    health = health_routes(is_alive=lambda: True, checks=checks)
    pages = page_routes(shows_demo=settings.demo_pages)
    app = build_app(world, settings.root_key.get_secret_value(), open_streams, health, pages)
    app.add_middleware(RequestDurations, durations=request_durations(meter))
    if is_tracing():
        app.add_middleware(RequestTraces)
    app.add_middleware(ConnectionsEnd, leaving=leaving)
    internal = health_app(health, title="Rondo gateway")
    internal.include_router(metrics_routes(meter))

    async def prepare(stop: asyncio.Event) -> None:
        await until_reachable(functions.load, stop)
        await until_reachable(publisher.start, stop)
        await stop.wait()

    async def close() -> None:
        await reader.close()
        await publisher.stop()
        await history.aclose()
        await oidc_http.aclose()
        await redis.aclose()

    return Gateway(
        app=app,
        internal=internal,
        open_streams=open_streams,
        leaving=leaving,
        alongside=[
            lambda _: reader.run(),
            lambda _: doorbells.run(),
            lambda _: metrics.run(),
            prepare,
        ],
        close=close,
    )


async def run(settings: GatewaySettings, told: asyncio.Event) -> None:
    """Run the gateway until ``told`` to stop. Raises ``Fatal`` when it cannot go on."""
    gateway = build_gateway(settings)
    stop = asyncio.Event()
    try:
        await run_together(
            stop,
            stopping=[
                serve_http(
                    gateway.app,
                    host=settings.http_host,
                    port=settings.http_port,
                    stop=stop,
                    streaming=True,
                ),
                gateway.open_streams.end_with(stop),
                *_serving_inside(gateway, settings, stop),
            ],
            background=[
                gateway.leaving.lead(told, stop, settings.drain_s),
                *(part(stop) for part in gateway.alongside),
            ],
        )
    finally:
        await gateway.close()


def _serving_inside(
    gateway: Gateway, settings: GatewaySettings, stop: asyncio.Event
) -> list[Coroutine[Any, Any, None]]:
    if settings.internal_port is None:
        return []
    return [serve_http(gateway.internal, host=settings.http_host, port=settings.internal_port, stop=stop)]


async def _go_on_from_here(request: httpx.Request) -> None:
    """The history's part of a trace hangs on the request's."""
    traceparent = current_traceparent()
    if traceparent is not None:
        request.headers["traceparent"] = traceparent


async def _let_others_run() -> None:
    await asyncio.sleep(0)


def _push_public_key(settings: GatewaySettings) -> str | None:
    key = settings.vapid_private_key
    return None if key is None else public_key_of(key.get_secret_value())


def _issuer(settings: GatewaySettings, http: httpx.AsyncClient) -> Issuer | None:
    if not settings.oidc_issuer:
        return None
    secret = settings.oidc_client_secret
    # Set and empty is as good as not set.
    client = Client(settings.oidc_client_id, secret.get_secret_value() or None if secret else None)
    return HttpIssuer(settings.oidc_issuer, client, http, utc_now)


def _new_sign_in_secret() -> str:
    return secrets.token_urlsafe(SIGN_IN_SECRET_BYTES)


def _new_api_key() -> str:
    return API_KEY_PREFIX + secrets.token_urlsafe(API_KEY_BYTES)


def _new_salt() -> str:
    return secrets.token_hex(SALT_BYTES)


def _new_webhook_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(WEBHOOK_SECRET_BYTES)).decode()
