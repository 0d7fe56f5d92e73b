"""Redis or Valkey: version, memory that must not be evicted, persistence, clock, function libraries."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from rondo_common.errors import Unavailable
from rondo_common.examination import Finding, clock_finding, doubtful, fine, not_examined, wrong
from rondo_common.redis.connection import connect_redis, redis_errors
from rondo_common.redis.functions import base_name

URL = "RONDO_REDIS_URL"
VERSION_MIN = (7, 0)
SUBJECT = "redis"

LIBRARIES = {
    "rondo_gateway": "gateway",
    "rondo_switchboard": "router",
    "rondo_mailboxes": "notifier",
    "rondo_alerts": "notifier",
    "rondo_webhooks": "notifier",
}
"""The libraries of functions that are there once their service has started. (Emails' comes with the
first email.)"""


async def examine_redis(environ: Mapping[str, str]) -> Sequence[Finding]:
    """See :data:`rondo_common.examination.Examination`."""
    url = environ.get(URL, "")
    if not url:
        return [not_examined(SUBJECT, URL)]
    try:
        redis = connect_redis(url, client_name="rondo-doctor")
    except ValueError as error:
        return [wrong(SUBJECT, f"{URL} is no address: {error}", "write it as redis://host:port/0")]
    try:
        with redis_errors():
            return await _examine(redis)
    except Unavailable as error:
        return [wrong(SUBJECT, str(error), f"start it, or correct {URL}")]
    except RedisError as error:
        return [wrong(SUBJECT, f"it refuses: {error}", "look at the credentials and the ACL of its user")]
    finally:
        await redis.aclose()


async def _examine(redis: Redis) -> list[Finding]:
    info: dict[str, Any] = await redis.info()
    seconds, microseconds = await redis.time()
    found = [
        _version(info),
        _role(info),
        clock_finding(SUBJECT, seconds + microseconds / 1e6 - time.time()),
        await _eviction(redis),
        _persistence(info),
    ]
    return [*found, *await _libraries(redis)]


def _version(info: Mapping[str, Any]) -> Finding:
    kind = info.get("server_name", "redis")
    version = str(info.get(f"{kind}_version", info["redis_version"]))
    # Valkey goes on saying which Redis it can stand in for.
    stands_for = tuple(int(part) for part in str(info["redis_version"]).split(".")[:2])
    if stands_for < VERSION_MIN:
        return wrong(SUBJECT, f"{kind} {version} has no functions", "use Redis 7 or newer, or Valkey")
    return fine(SUBJECT, f"{kind} {version}")


def _role(info: Mapping[str, Any]) -> Finding:
    if info.get("role") != "master":
        return wrong(SUBJECT, "this is a replica: nothing can be written", f"let {URL} lead to the primary")
    return fine(SUBJECT, "it is the primary")


async def _eviction(redis: Redis) -> Finding:
    try:
        policy = (await redis.config_get("maxmemory-policy")).get("maxmemory-policy", "noeviction")
    except ResponseError:
        return doubtful(SUBJECT, "its memory policy may not be asked for", "see that it is noeviction")
    if policy == "noeviction":
        return fine(SUBJECT, "keys are never evicted")
    return wrong(
        SUBJECT,
        f"maxmemory-policy is {policy}: chats under way would be forgotten when memory is short",
        "set maxmemory-policy noeviction",
    )


def _persistence(info: Mapping[str, Any]) -> Finding:
    if info.get("aof_enabled"):
        return fine(SUBJECT, "it keeps an append-only file")
    return doubtful(
        SUBJECT,
        "it keeps no append-only file: a restart forgets mailboxes and what webhooks wait for",
        "set appendonly yes; chats themselves are brought back from the log either way",
    )


async def _libraries(redis: Redis) -> list[Finding]:
    try:
        listed = await redis.function_list()
    except ResponseError:
        return [
            doubtful(
                SUBJECT, "its functions may not be listed", "allow FUNCTION LIST to have them examined"
            )
        ]
    loaded = {base_name(str(_field(library, "library_name"))) for library in listed}
    missing = {name: service for name, service in LIBRARIES.items() if name not in loaded}
    if not missing:
        return [fine(SUBJECT, f"{len(LIBRARIES)} function libraries are loaded")]
    return [
        doubtful(SUBJECT, f"the functions {name} are not loaded", f"a {service} loads them when it starts")
        for name, service in missing.items()
    ]


def _field(library: Any, name: str) -> Any:
    """A field of an entry, which comes as a mapping or as names and values in turn."""
    if isinstance(library, Mapping):
        return library.get(name)
    return dict(zip(library[::2], library[1::2], strict=False)).get(name)
