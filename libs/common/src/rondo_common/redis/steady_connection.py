"""Redis connections that lose no cancellation, and say so when they were closed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError


class _SteadyWrites(AbstractConnection):
    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        # Without a socket timeout redis-py writes at once, and not in a task under asyncio.wait_for.
        timeout_s, self.socket_timeout = self.socket_timeout, None
        try:
            async with asyncio.timeout(timeout_s):
                await super().send_packed_command(command, check_health)
        except TimeoutError as error:
            raise RedisTimeoutError("Timeout writing to socket") from error
        except (AttributeError, TypeError) as error:
            raise RedisConnectionError(
                "The connection was closed before the command was written"
            ) from error
        finally:
            self.socket_timeout = timeout_s


def steady(connection_class: type[AbstractConnection]) -> type[AbstractConnection]:
    """The same kind of connection, which keeps its timeout in writing by other means.

    redis-py writes each command with ``asyncio.wait_for``, which before Python 3.12 swallows a cancellation
    that comes as the writing ends (https://github.com/python/cpython/issues/86296): every eighth
    of a busy task. And up to 8.1.0, what a connection that was closed meanwhile makes of the writing is
    let out as a TypeError or an AttributeError (https://github.com/redis/redis-py/issues/4287).
    """
    return type(f"Steady{connection_class.__name__}", (_SteadyWrites, connection_class), {})
