"""Redis or Valkey, alone, as a cluster or behind sentinels: who is let in, and what it may forget."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError

from rondo_common.access import OPERATORS
from rondo_common.errors import Unavailable
from rondo_common.examination import Finding, clock_finding, doubtful, fine, not_examined, wrong
from rondo_common.given_settings import settings_of
from rondo_common.redis.address import RedisAddress, Topology
from rondo_common.redis.cluster import SteadyCluster
from rondo_common.redis.connection import connect_redis, redis_errors
from rondo_common.redis.functions import base_name
from rondo_common.redis.settings import RedisSettings
from rondo_common.service import problems

URL = "RONDO_REDIS_URL"
REPLICAS_MIN = "RONDO_REDIS_REPLICAS_MIN"
VERSION_MIN = (7, 0)
SUBJECT = "redis"
USERS_FILE = "docs/operations/redis-users.acl"

LIBRARIES = {
    "rondo_gateway": "gateway",
    "rondo_switchboard": "router",
    "rondo_mailboxes": "notifier",
    "rondo_alerts": "notifier",
    "rondo_webhooks": "notifier",
}
"""The libraries of functions that are there once their service has started. (Emails' comes with the
first email.)"""

Ask = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class _Server:
    """A primary: what findings about it are headed with, and how it is asked."""

    subject: str
    ask: Ask


async def examine_redis(environ: Mapping[str, str]) -> Sequence[Finding]:
    """See :data:`rondo_common.examination.Examination`."""
    if not environ.get(URL, ""):
        return [not_examined(SUBJECT, URL)]
    try:
        address = settings_of(RedisSettings, environ).redis_address()
    except ValidationError as error:
        return [wrong(SUBJECT, each, "correct it as services have it") for each in problems(error)]
    redis = connect_redis(address, client_name="rondo-doctor")
    try:
        with redis_errors():
            return await _examine(redis, address)
    except Unavailable as error:
        remedy = (
            f"start it, or correct {URL} (host, user, password, rediss:// for TLS) and RONDO_REDIS_CA_FILE"
        )
        return [wrong(SUBJECT, str(error), remedy)]
    except NoPermissionError as error:
        return [
            doubtful(SUBJECT, f"it answers, but: {error}", f"ask as its user {OPERATORS} ({USERS_FILE})")
        ]
    except RedisError as error:
        return [wrong(SUBJECT, f"it refuses: {error}", "look at the credentials and the ACL of its user")]
    finally:
        await redis.aclose()


async def _examine(redis: Redis, address: RedisAddress) -> list[Finding]:
    servers = await _primaries(redis)
    found = [_entrance(address)]
    if address.topology is Topology.CLUSTER:
        found += await _cluster(servers)
    for server in servers:
        found += await _server(server, address)
    return found


async def _primaries(redis: Redis) -> list[_Server]:
    if not isinstance(redis, SteadyCluster):
        return [_Server(SUBJECT, redis.execute_command)]
    cluster = cast("SteadyCluster", redis)
    await cluster.initialize()

    def asking(node: Any) -> Ask:
        return lambda *command: cluster.execute_command(*command, target_nodes=node)

    return [_Server(f"{SUBJECT} {node.name}", asking(node)) for node in cluster.get_primaries()]


def _entrance(address: RedisAddress) -> Finding:
    """How we are let in: so is everybody else."""
    if not address.credentials.password:
        return doubtful(
            SUBJECT,
            "it asks for no password: whoever reaches it may do everything",
            f"fine on one machine; elsewhere let each service in as a user of its own ({USERS_FILE})",
        )
    user = address.credentials.user or "the default user"
    if address.tls is None:
        says = f"it lets {user} in without TLS: passwords and chats can be read on the way"
        return doubtful(SUBJECT, says, f"serve TLS, and let {URL} begin with rediss://")
    return fine(SUBJECT, f"it lets {user} in, over TLS")


async def _cluster(servers: Sequence[_Server]) -> list[Finding]:
    told = str(await servers[0].ask("CLUSTER", "INFO")) if servers else ""
    state = dict(line.split(":", 1) for line in _lines(told) if ":" in line)
    if state.get("cluster_state") != "ok" or state.get("cluster_slots_ok") != "16384":
        says = f"of the cluster's 16384 slots, {state.get('cluster_slots_ok', 'none')} are served"
        return [wrong(SUBJECT, says, "start the nodes that have the others, or let replicas take over")]
    found = [fine(SUBJECT, f"{len(servers)} primaries serve every slot of the cluster")]
    for server in servers:
        # A slot that moves key by key stands in brackets: [slot->-node] or [slot-<-node].
        if "[" in str(await server.ask("CLUSTER", "NODES")):
            found.append(
                wrong(
                    server.subject,
                    "a slot is being moved key by key: meanwhile functions find half of a workspace",
                    "move slots at one moment (CLUSTER MIGRATESLOTS), or while Rondo is stopped",
                )
            )
    return found


async def _server(server: _Server, address: RedisAddress) -> list[Finding]:
    info = _info(await server.ask("INFO"))
    seconds, microseconds = (int(part) for part in await server.ask("TIME"))
    return [
        _version(server.subject, info),
        _role(server.subject, info),
        clock_finding(server.subject, seconds + microseconds / 1e6 - time.time()),
        _eviction(server.subject, info),
        _persistence(server.subject, info),
        *_replicas(server.subject, info, address),
        *await _libraries(server),
    ]


def _version(subject: str, info: Mapping[str, Any]) -> Finding:
    kind = info.get("server_name", "redis")
    version = str(info.get(f"{kind}_version", info["redis_version"]))
    # Valkey goes on saying which Redis it can stand in for.
    stands_for = tuple(int(part) for part in str(info["redis_version"]).split(".")[:2])
    if stands_for < VERSION_MIN:
        return wrong(subject, f"{kind} {version} has no functions", "use Redis 7 or newer, or Valkey")
    return fine(subject, f"{kind} {version}")


def _role(subject: str, info: Mapping[str, Any]) -> Finding:
    if info.get("role") != "master":
        return wrong(subject, "this is a replica: nothing can be written", f"let {URL} lead to the primary")
    return fine(subject, "it is the primary")


def _eviction(subject: str, info: Mapping[str, Any]) -> Finding:
    policy = info.get("maxmemory_policy", "noeviction")
    if policy == "noeviction":
        return fine(subject, "keys are never evicted")
    return wrong(
        subject,
        f"maxmemory-policy is {policy}: chats under way would be forgotten when memory is short",
        "set maxmemory-policy noeviction",
    )


def _persistence(subject: str, info: Mapping[str, Any]) -> Finding:
    if str(info.get("aof_enabled")) == "1":
        return fine(subject, "it keeps an append-only file")
    return doubtful(
        subject,
        "it keeps no append-only file: a restart forgets mailboxes and what webhooks wait for",
        "set appendonly yes; chats themselves are brought back from the log either way",
    )


def _replicas(subject: str, info: Mapping[str, Any], address: RedisAddress) -> Iterable[Finding]:
    """Replicas, where one is to take over; and those that must have what counts."""
    count, wanted = int(info.get("connected_slaves", 0)), address.replicas_min
    if count < wanted:
        says = f"it has {count} replicas, and {REPLICAS_MIN} asks for {wanted}: no effect counts"
        yield wrong(subject, says, "start replicas; have one more than must have an effect")
    elif address.topology is not Topology.STANDALONE and count == 0:
        says = "it has no replica: when it is lost, its workspaces wait until they are brought back"
        yield doubtful(subject, says, "give it one, on another machine")
    elif count and not wanted and address.topology is not Topology.STANDALONE:
        says = "a replica that takes over may lack what was told last"
        yield doubtful(subject, says, f"set {REPLICAS_MIN} to 1, with two replicas each")
    elif count:
        yield fine(subject, f"it has {count} replicas")


async def _libraries(server: _Server) -> list[Finding]:
    try:
        listed = await server.ask("FUNCTION", "LIST")
    except NoPermissionError:
        says = "its functions may not be listed"
        return [doubtful(server.subject, says, "allow FUNCTION LIST to have them examined")]
    loaded = {base_name(str(_field(library, "library_name"))) for library in listed}
    missing = {name: service for name, service in LIBRARIES.items() if name not in loaded}
    if not missing:
        return [fine(server.subject, f"{len(LIBRARIES)} function libraries are loaded")]
    return [
        doubtful(
            server.subject, f"the functions {name} are not loaded", f"a {service} loads them as it starts"
        )
        for name, service in missing.items()
    ]


def _info(told: Any) -> Mapping[str, Any]:
    """What INFO says, read or as text."""
    if isinstance(told, Mapping):
        return told
    return dict(line.split(":", 1) for line in _lines(str(told)) if ":" in line)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if not line.startswith("#")]


def _field(library: Any, name: str) -> Any:
    """A field of an entry, which comes as a mapping or as names and values in turn."""
    if isinstance(library, Mapping):
        return library.get(name)
    return dict(zip(library[::2], library[1::2], strict=False)).get(name)
