"""The one place where the router is put together."""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime

from rondo_common.consumer_groups import ROUTER
from rondo_common.directory.reader import DirectoryReader
from rondo_common.directory.view import Directory
from rondo_common.events import (
    AcceptChat,
    ChatRequested,
    ConnectAgent,
    DeclineChat,
    EndChat,
    Event,
    PlanRoute,
    TakeChat,
    TransferChat,
    WithdrawChat,
)
from rondo_common.health import health_app
from rondo_common.ids import WorkspaceId
from rondo_common.kafka.connection import KafkaConnection, make_reader
from rondo_common.kafka.group import loop_health, make_loop, make_publisher
from rondo_common.kafka.metered import LoopMeter
from rondo_common.kafka.partitioning import partition_of
from rondo_common.meter import Meter, metrics_routes
from rondo_common.process import run_together, serve_http, until_reachable
from rondo_common.redis.connection import connect_redis, ping
from rondo_common.system_clock import utc_now
from rondo_common.tasks import end_tasks
from rondo_common.topics import CHAT_REQUESTS
from rondo_router.adapters.kafka_announcer import KafkaAnnouncer
from rondo_router.adapters.kafka_recorder import KafkaRecorder
from rondo_router.adapters.metered_announcer import MeteredAnnouncer, RoutingMeter
from rondo_router.adapters.metered_rebuilding import MeteredRebuilding
from rondo_router.adapters.redis_switchboard import RedisSwitchboard
from rondo_router.entrypoints.partition_desks import PartitionDesks
from rondo_router.handlers import routing
from rondo_router.handlers.replaying import Changes, Compared, Replaying
from rondo_router.handlers.routing import Router, Translation
from rondo_router.settings import ReplaySettings, RouterSettings

DIRECTORY_TIMEOUT_S = 120.0

TRANSLATIONS: dict[type[Event], Translation] = {
    ChatRequested: routing.request_chat,
    AcceptChat: routing.accept_chat,
    DeclineChat: routing.decline_chat,
    TakeChat: routing.take_chat,
    WithdrawChat: routing.withdraw_chat,
    TransferChat: routing.transfer_chat,
    EndChat: routing.end_chat,
    ConnectAgent: routing.connect_agent,
    PlanRoute: routing.plan_only,
}
"""What the router decides, and how each is understood."""


async def replay(
    settings: ReplaySettings,
    workspace_id: WorkspaceId,
    span: tuple[datetime, datetime],
    changes: Changes | None,
) -> list[Compared]:
    """Run the chats of a time span again, under the workspace's present directory and a changed one.

    Raises:
        UnknownWorkspace: the directory has no such workspace.
        BadChanges: the changed directory would not be one.
        Unavailable: Kafka or Redis is out of reach.
    """
    connection = KafkaConnection.of(settings, client_id="rondo-replay")
    directory = Directory()
    reader = DirectoryReader(make_reader(connection), directory)
    following = asyncio.create_task(reader.run())
    redis = connect_redis(settings.redis_address(), client_name="rondo-replay")
    switchboard = RedisSwitchboard(redis)
    try:
        await reader.catch_up(DIRECTORY_TIMEOUT_S)
        recorder = KafkaRecorder(lambda: make_reader(connection))
        replaying = Replaying(directory, recorder, switchboard, _scratch_workspace_id, utc_now)
        partition = partition_of(CHAT_REQUESTS, workspace_id, "")
        return await replaying.compare(partition, workspace_id, span, changes)
    finally:
        await end_tasks([following])
        await redis.aclose()


async def run(settings: RouterSettings, stop: asyncio.Event) -> None:
    """Run the router until ``stop`` is set. Raises ``Fatal`` when it cannot go on."""
    connection = KafkaConnection.of(settings, client_id=settings.instance)
    redis = connect_redis(settings.redis_address(), client_name=settings.instance)
    publisher = make_publisher(connection)
    switchboard = RedisSwitchboard(redis)
    directory = Directory()
    reader = DirectoryReader(make_reader(connection), directory)
    meter = Meter("router")
    announcer = MeteredAnnouncer(KafkaAnnouncer(publisher), RoutingMeter(meter))
    router = Router(TRANSLATIONS, reader, directory, switchboard, announcer)
    recorder = KafkaRecorder(lambda: make_reader(connection))
    rebuilding = MeteredRebuilding(meter, directory, recorder, switchboard, utc_now)
    desks = PartitionDesks(router, switchboard, directory, rebuilding, clock=utc_now)
    reader.tell(desks.directory_changed)
    loop = make_loop(settings, ROUTER.name, ROUTER.topics, desks, publisher, meter=LoopMeter(meter))

    async def consume() -> None:
        await until_reachable(switchboard.load, stop)
        await until_reachable(lambda: reader.catch_up(DIRECTORY_TIMEOUT_S), stop)
        await loop.run(stop)

    routes = loop_health(loop, {"redis": lambda: ping(redis)})
    app = health_app(routes, title="Rondo router")
    app.include_router(metrics_routes(meter))
    try:
        await run_together(
            stop,
            stopping=[
                consume(),
                serve_http(app, host=settings.http_host, port=settings.http_port, stop=stop),
            ],
            background=[reader.run(), desks.run_timers()],
        )
    finally:
        await publisher.stop()
        await redis.aclose()


def _scratch_workspace_id() -> WorkspaceId:
    return WorkspaceId(f"replay-{secrets.token_hex(8)}")
