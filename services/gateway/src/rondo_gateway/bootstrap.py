"""The one place where the gateway is put together."""

from __future__ import annotations

import asyncio
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
from rondo_common.health import Check, health_routes
from rondo_common.ids import new_event_id
from rondo_common.kafka.connection import KafkaConnection, make_producer, make_reader
from rondo_common.kafka.publisher import KafkaPublisher
from rondo_common.process import run_together, serve_http, until_reachable
from rondo_common.redis.connection import connect_redis, ping
from rondo_common.redis.doorbells import Doorbells
from rondo_common.system_clock import utc_now
from rondo_gateway.adapters.directory import KafkaDirectoryLog, ReadDirectory
from rondo_gateway.adapters.http_history import TIMEOUT_S, HttpHistory
from rondo_gateway.adapters.jwt_tokens import JwtTokens
from rondo_gateway.adapters.kafka_event_log import KafkaEventLog
from rondo_gateway.adapters.redis_answers import RedisAnswers
from rondo_gateway.adapters.redis_conversations import RedisConversations
from rondo_gateway.adapters.redis_directory_offsets import RedisDirectoryOffsets
from rondo_gateway.adapters.redis_effects import gateway_functions
from rondo_gateway.adapters.redis_mailboxes import RedisMailboxes
from rondo_gateway.adapters.redis_turns import RedisTurns
from rondo_gateway.entrypoints.app import public_app
from rondo_gateway.entrypoints.live_streams import OpenStreams, StreamTimes, stream_routes
from rondo_gateway.entrypoints.pages import page_routes
from rondo_gateway.handlers.agents import Agents
from rondo_gateway.handlers.api_keys import ApiKeys
from rondo_gateway.handlers.authentication import API_KEY_PREFIX, Authentication
from rondo_gateway.handlers.availability import Availabilities
from rondo_gateway.handlers.chat_requests import ChatRequests
from rondo_gateway.handlers.conversations import ConversationCommands
from rondo_gateway.handlers.live_streams import LiveStreams
from rondo_gateway.handlers.messages import Messages
from rondo_gateway.handlers.transcripts import Transcripts
from rondo_gateway.handlers.use_cases import UseCases
from rondo_gateway.handlers.workspaces import Workspaces
from rondo_gateway.ports import (
    Answers,
    Conversations,
    DirectoryLog,
    DirectoryView,
    EventLog,
    History,
    Mailboxes,
    Tokens,
)
from rondo_gateway.settings import GatewaySettings

PUBLISH_DEADLINE_S = 4.0
REQUEST_TIMEOUT_MS = 4_000
REDIS_TIMEOUT_S = 2.0
"""A caller waits for the 503: this long, and once more."""
API_KEY_BYTES = 32
TURN_TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class World:
    """Everything the use cases stand on, real or not."""

    directory: DirectoryView
    directory_log: DirectoryLog
    conversations: Conversations
    log: EventLog
    answers: Answers
    mailboxes: Mailboxes
    history: History
    tokens: Tokens
    clock: Clock
    stream_times: StreamTimes


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway ready to run: its application, what runs beside it, and what to close after it."""

    app: FastAPI
    open_streams: OpenStreams
    alongside: Sequence[Callable[[asyncio.Event], Coroutine[Any, Any, None]]]
    close: Callable[[], Awaitable[None]]


def build_use_cases(world: World, root_key: str) -> UseCases:
    """The use cases over ``world``."""
    directory, log, clock = world.directory, world.log, world.clock
    authentication = Authentication(root_key, directory, world.tokens, clock)
    return UseCases(
        authentication=authentication,
        workspaces=Workspaces(directory, world.directory_log, clock, _new_api_key),
        api_keys=ApiKeys(directory, world.directory_log, clock, _new_api_key),
        agents=Agents(directory, world.directory_log, world.tokens, clock),
        availabilities=Availabilities(directory, world.directory_log, clock),
        chat_requests=ChatRequests(directory, world.conversations, log, world.tokens, clock),
        conversations=ConversationCommands(world.conversations, log, world.answers, clock, new_event_id),
        messages=Messages(directory, world.conversations, log, world.history, clock),
        transcripts=Transcripts(world.conversations, world.history),
        live_streams=LiveStreams(
            authentication, directory, world.conversations, world.mailboxes, clock, new_event_id
        ),
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
    return public_app(use_cases, streams, health, pages)


def build_gateway(settings: GatewaySettings) -> Gateway:
    """The gateway on the real Kafka, Redis and history. Nothing is connected yet."""
    kafka = KafkaConnection(settings.kafka_bootstrap, client_id=settings.instance)
    redis = connect_redis(
        settings.redis_url, client_name=settings.instance, socket_timeout_s=REDIS_TIMEOUT_S
    )
    functions = gateway_functions(redis)
    doorbells = Doorbells(redis)
    directory = Directory()
    reader = DirectoryReader(make_reader(kafka), directory)
    publisher = KafkaPublisher(
        lambda: make_producer(kafka, request_timeout_ms=REQUEST_TIMEOUT_MS),
        deadline_s=PUBLISH_DEADLINE_S,
    )
    history = httpx.AsyncClient(base_url=settings.history_url, timeout=TIMEOUT_S, trust_env=False)
    offsets = RedisDirectoryOffsets(functions)
    turns = RedisTurns(redis, functions, lambda: secrets.token_hex(TURN_TOKEN_BYTES))
    view = ReadDirectory(directory, reader, offsets)
    world = World(
        directory=view,
        directory_log=KafkaDirectoryLog(view, publisher, offsets, turns, utc_now, new_event_id),
        conversations=RedisConversations(redis, functions),
        log=KafkaEventLog(publisher),
        answers=RedisAnswers(redis, doorbells),
        mailboxes=RedisMailboxes(redis, doorbells),
        history=HttpHistory(history),
        tokens=JwtTokens(settings.token_secret.get_secret_value()),
        clock=utc_now,
        stream_times=StreamTimes(),
    )
    open_streams = OpenStreams()
    checks: dict[str, Check] = {"kafka": view.catch_up, "redis": lambda: ping(redis)}
    health = health_routes(is_alive=lambda: True, checks=checks)
    pages = page_routes(shows_demo=settings.demo_pages)

    async def prepare(stop: asyncio.Event) -> None:
        await until_reachable(functions.load, stop)
        await until_reachable(publisher.start, stop)
        await stop.wait()

    async def close() -> None:
        await publisher.stop()
        await history.aclose()
        await redis.aclose()

    return Gateway(
        app=build_app(world, settings.root_key.get_secret_value(), open_streams, health, pages),
        open_streams=open_streams,
        alongside=[lambda _: reader.run(), lambda _: doorbells.run(), prepare],
        close=close,
    )


async def run(settings: GatewaySettings, stop: asyncio.Event) -> None:
    """Run the gateway until ``stop`` is set. Raises ``Fatal`` when it cannot go on."""
    gateway = build_gateway(settings)
    try:
        await run_together(
            stop,
            stopping=[
                serve_http(gateway.app, host=settings.http_host, port=settings.http_port, stop=stop),
                gateway.open_streams.end_with(stop),
            ],
            background=[part(stop) for part in gateway.alongside],
        )
    finally:
        await gateway.close()


def _new_api_key() -> str:
    return API_KEY_PREFIX + secrets.token_urlsafe(API_KEY_BYTES)
