"""Connecting to Redis, and telling its failures apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import (
    BusyLoadingError,
    ReadOnlyError,
    ResponseError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

from rondo_common.errors import Fenced, Lost, Unavailable
from rondo_common.redis.steady_connection import steady

SOCKET_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 2.0
CONNECTIONS_MAX = 64
"""Of one process. A call beyond waits for its turn, as long as it would wait for an answer."""


def connect_redis(url: str, *, client_name: str, socket_timeout_s: float = SOCKET_TIMEOUT_S) -> Redis:
    """A client of the server at ``url`` (``redis://host:port/db``), answering in text.

    It connects with the first call. Every effect Rondo has on Redis is idempotent, so a call whose
    connection broke is tried once more by the client itself.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS_MAX,
        timeout=socket_timeout_s,
        client_name=client_name,
        decode_responses=True,
        socket_timeout=socket_timeout_s,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        retry=Retry(ConstantBackoff(0.05), 1),
        health_check_interval=15,
    )
    pool.connection_class = steady(pool.connection_class)
    return Redis.from_pool(pool)


@contextmanager
def redis_errors() -> Iterator[None]:
    """Translate what Redis raises.

    Raises:
        Unavailable: Redis cannot be reached, is loading, or is a replica now.
        Fenced: a function refused an effect because a newer owner was here.
        Lost: a function refused an effect because the workspace was forgotten.
    """
    try:
        yield
    except ResponseError as error:
        # A pipeline puts the command's number before the message, hence "in".
        if "FENCED" in str(error):
            raise Fenced(str(error)) from error
        if "LOST" in str(error):
            raise Lost(str(error)) from error
        raise
    except (
        RedisConnectionError,
        RedisTimeoutError,
        BusyLoadingError,
        ReadOnlyError,
        OSError,
    ) as error:
        raise Unavailable("redis", error) from error


async def ping(redis: Redis) -> None:
    """Return when Redis answers. Raises ``Unavailable``."""
    with redis_errors():
        await redis.ping()
