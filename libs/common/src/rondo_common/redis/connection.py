"""Connecting to Redis, and telling its failures apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.client import PubSub
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import ConstantBackoff
from redis.exceptions import (
    BusyLoadingError,
    ClusterError,
    MasterDownError,
    ReadOnlyError,
    RedisClusterException,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)
from redis.maint_notifications import MaintNotificationsConfig

from rondo_common.errors import Fenced, Lost, Unavailable
from rondo_common.redis.address import RedisAddress, Topology, redis_address
from rondo_common.redis.cluster import SteadyCluster
from rondo_common.redis.steady_connection import steady

SOCKET_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 2.0
CONNECTIONS_MAX = 64
"""Of one process. A call beyond waits for its turn, as long as it would wait for an answer."""
NODE_CONNECTIONS_MAX = 512
"""Of one process to one node of a cluster, where a call beyond fails at once."""
REPLICA_TIMEOUT_MS = 2_000
"""How long replicas are waited for, where there must be some."""

OUT_OF_REACH = (
    RedisConnectionError,
    RedisTimeoutError,
    BusyLoadingError,
    ReadOnlyError,
    ClusterError,
    MasterDownError,
    TryAgainError,
    RedisClusterException,
    OSError,
)
"""What a call meets while servers are away, or while one takes another's place."""


def connect_redis(
    address: RedisAddress | str, *, client_name: str, socket_timeout_s: float = SOCKET_TIMEOUT_S
) -> Redis:
    """A client of the Redis at ``address``, answering in text; a URL alone is a single server's.

    It connects with the first call. Every effect Rondo has on Redis is idempotent, so a call whose
    connection broke is tried once more by the client itself.

    Raises:
        ValueError: the URL is none.
    """
    if isinstance(address, str):
        address = redis_address(address)
    options: dict[str, Any] = {
        "username": address.credentials.user or None,
        "password": address.credentials.password or None,
        "client_name": client_name,
        "decode_responses": True,
        "socket_timeout": socket_timeout_s,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "health_check_interval": 15,
        # What a user would need leave for, or an older server does not know, and Rondo has no use for.
        "driver_info": None,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    client = _client(address, options, socket_timeout_s)
    client.replicas_min = address.replicas_min
    # A cluster's has no base in common with Redis, but every method that Rondo calls.
    return cast("Redis", client)


def _client(address: RedisAddress, options: dict[str, Any], wait_s: float) -> SteadyRedis | SteadyCluster:
    if address.topology is Topology.CLUSTER:
        return _cluster(address, options)
    pool: dict[str, Any] = {
        "max_connections": CONNECTIONS_MAX,
        "timeout": wait_s,
        "retry": _retry(),
        "db": address.database,
    }
    if address.topology is Topology.SENTINEL:
        return _behind_sentinels(address, options | _tls(address), pool)
    ((host, port),) = address.hosts
    place: dict[str, Any] = {"host": host, "port": port, "connection_class": _connection_class(address)}
    return _of_pool(BlockingConnectionPool(**place, **pool, **_tls(address), **options))


def _of_pool(pool: BlockingConnectionPool) -> SteadyRedis:
    return cast("SteadyRedis", SteadyRedis.from_pool(pool))


class SteadyRedis(Redis):
    """redis-py's client of one server, which knows how many replicas must have an effect."""

    replicas_min = 0


def replicas_wanted(redis: Redis) -> int:
    """How many replicas must have an effect of this client before it counts."""
    return redis.replicas_min if isinstance(redis, SteadyRedis | SteadyCluster) else 0


def waiting_targets(redis: Redis, keys: Iterable[str]) -> list[dict[str, Any]]:
    """For each server that has any of ``keys``, how a pipeline is told to send a command there."""
    if isinstance(redis, SteadyCluster):
        nodes = {node.name: node for node in map(redis.get_node_from_key, keys) if node is not None}
        return [{"target_nodes": node} for node in nodes.values()]
    return [{}]


async def subscriber(redis: Redis) -> PubSub:
    """A connection of its own to hear what is published, anywhere in a cluster. Raises what Redis does."""
    if isinstance(redis, SteadyCluster):
        return await redis.subscriber()
    return redis.pubsub()


def _retry() -> Retry:
    return Retry(ConstantBackoff(0.05), 1)


def _connection_class(address: RedisAddress) -> type[AbstractConnection]:
    return steady(Connection if address.tls is None else SSLConnection)


def _tls(address: RedisAddress) -> dict[str, Any]:
    """The arguments of a TLS connection, which checks whom it speaks to by the name it was given."""
    if address.tls is None:
        return {}
    return {
        "ssl_ca_certs": address.tls.ca_file or None,
        "ssl_certfile": address.tls.certificate_file or None,
        "ssl_keyfile": address.tls.key_file or None,
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
    }


def _cluster(address: RedisAddress, options: dict[str, Any]) -> SteadyCluster:
    return SteadyCluster(
        address.hosts,
        _connection_class(address),
        ssl=address.tls is not None,
        max_connections=NODE_CONNECTIONS_MAX,
        # What is there serves on while a part of the cluster is away.
        require_full_coverage=False,
        retry=_retry(),
        **_tls(address),
        **options,
    )


class _SentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to whichever server the sentinels call the primary; a call waits for its turn."""

    sentinel_manager: Sentinel

    async def aclose(self) -> None:
        await super().aclose()
        await self.sentinel_manager.aclose()


def _behind_sentinels(address: RedisAddress, options: dict[str, Any], pool: dict[str, Any]) -> SteadyRedis:
    own = options | {
        "username": address.sentinel_credentials.user or None,
        "password": address.sentinel_credentials.password or None,
        "retry": _retry(),
        "ssl": address.tls is not None,
    }
    make: Any = Sentinel  # redis-py leaves it untyped.
    sentinel: Sentinel = make(address.hosts, sentinel_kwargs=own)
    for each in sentinel.sentinels:
        each.connection_pool.connection_class = _connection_class(address)
    kind = SentinelManagedConnection if address.tls is None else SentinelManagedSSLConnection
    made: Any = _SentinelPool
    return _of_pool(
        made(address.sentinel_service, sentinel, connection_class=steady(kind), **pool, **options)
    )


@contextmanager
def redis_errors() -> Iterator[None]:
    """Translate what Redis raises.

    Raises:
        Unavailable: Redis cannot be reached, lets this user not in, is loading, or is a replica now.
        Fenced: a function refused an effect because a newer owner was here.
        Lost: a function refused an effect because the workspace was forgotten.
    """
    try:
        yield
    except OUT_OF_REACH as error:
        raise Unavailable("redis", error) from error
    except ResponseError as error:
        # A pipeline puts the command's number before the message, hence "in".
        if "FENCED" in str(error):
            raise Fenced(str(error)) from error
        if "LOST" in str(error):
            raise Lost(str(error)) from error
        raise


async def ping(redis: Redis) -> None:
    """Return when Redis answers. Raises ``Unavailable``."""
    with redis_errors():
        await redis.ping()
