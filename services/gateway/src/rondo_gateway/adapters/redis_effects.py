"""The gateway's own effects on Redis, loaded as one library. Their rules are in ``effects/*.lua``."""

from __future__ import annotations

from importlib.resources import files

from redis.asyncio import Redis

from rondo_common.redis.functions import FunctionLibrary, read_library

PARTS = (
    "directory_offsets",
    "conversations",
    "requests",
    "messages",
    "reading",
    "ratings",
    "presence",
    "visitors",
    "limits",
    "turns",
    "places",
    "sessions",
)


def gateway_functions(redis: Redis) -> FunctionLibrary:
    """The library; it is loaded with the first call, or by its ``load``."""
    folder = files("rondo_gateway.adapters") / "effects"
    return FunctionLibrary(redis, read_library("rondo_gateway", folder, PARTS))
