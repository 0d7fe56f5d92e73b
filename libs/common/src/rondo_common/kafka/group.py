"""What every reading service wires alike: its publisher, and its loop in its consumer group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter

from rondo_common.health import Check, health_routes
from rondo_common.kafka.connection import (
    KafkaConnection,
    make_group_consumer,
    make_producer,
)
from rondo_common.kafka.consumer import ConsumerLoop
from rondo_common.kafka.dead_letters import KafkaDeadLetters
from rondo_common.kafka.handler import DeadLetters, Handler
from rondo_common.kafka.metered import LoopMeter
from rondo_common.kafka.publisher import KafkaPublisher
from rondo_common.kafka.traced import TracedHandler
from rondo_common.settings import ReaderSettings
from rondo_common.topics import Topic
from rondo_common.traces import is_tracing

PUBLISH_DEADLINE_S = 10.0
REQUEST_TIMEOUT_MS = 8_000


def make_publisher(connection: KafkaConnection) -> KafkaPublisher:
    """A publisher with the patience of a service that reads: it can only try again anyway."""
    return KafkaPublisher(
        lambda: make_producer(connection, request_timeout_ms=REQUEST_TIMEOUT_MS),
        deadline_s=PUBLISH_DEADLINE_S,
    )


def make_loop(
    settings: ReaderSettings,
    group: str,
    topics: Sequence[Topic],
    handler: Handler,
    publisher: KafkaPublisher,
    *,
    fetch_bytes_min: int = 1,
    meter: LoopMeter | None = None,
) -> ConsumerLoop:
    """The loop of ``group`` over ``topics``; what it can never handle goes to the dead letters.

    Where nobody waits, ``fetch_bytes_min`` lets the broker gather records for a moment: fewer and
    larger batches cost far less on both sides.
    """
    consumer = make_group_consumer(
        KafkaConnection.of(settings, client_id=settings.instance),
        group,
        session_timeout_ms=settings.session_timeout_ms,
        rebalance_timeout_ms=settings.rebalance_timeout_ms,
        fetch_bytes_min=fetch_bytes_min,
    )
    names = [topic.name for topic in topics]
    dead_letters: DeadLetters = KafkaDeadLetters(publisher, reader=group)
    if is_tracing():
        handler = TracedHandler(handler, group)
    if meter is None:
        return ConsumerLoop(consumer, names, handler, dead_letters)
    loop = ConsumerLoop(
        consumer,
        names,
        meter.handler(group, topics, handler),
        meter.dead_letters(group, topics, dead_letters),
    )
    meter.watch(group, loop)
    return loop


def loop_health(loop: ConsumerLoop, checks: Mapping[str, Check]) -> APIRouter:
    """The health of a service that reads: its loop, what else it needs, and which partitions wait."""
    return loops_health({"consumer": loop}, checks)


def loops_health(
    loops: Mapping[str, ConsumerLoop],
    checks: Mapping[str, Check],
    details: Callable[[], Mapping[str, Any]] = dict,
) -> APIRouter:
    """As :func:`loop_health`, of a service with several loops, by the names of their checks."""
    return health_routes(
        is_alive=lambda: all(loop.is_alive for loop in loops.values()),
        checks={**checks, **{name: loop.check_ready for name, loop in loops.items()}},
        details=lambda: {
            "blocked": {where: what for loop in loops.values() for where, what in loop.blocked().items()},
            **details(),
        },
    )
