"""Connections to PostgreSQL, and what its refusals mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import asyncpg
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor

from rondo_common.errors import Unavailable

CONNECTIONS_MAX = 10
CONNECT_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 5.0

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

_BAD_DATA = (asyncpg.DataError, asyncpg.ProgramLimitExceededError)
"""What a server answers when a fact itself cannot be kept. Everything else is about the server."""
_NOT_MIGRATED = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
)


@asynccontextmanager
async def open_pool(dsn: str) -> AsyncIterator[Pool]:
    """Connections to PostgreSQL, made when they are needed: the server may come later."""
    pool = await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=CONNECTIONS_MAX,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
        # A list's filters are arguments that may be null: each question is planned by those it has.
        server_settings={"plan_cache_mode": "force_custom_plan"},
    )
    try:
        yield pool
    finally:
        with suppress(TimeoutError):  # A server that hangs must not keep the process.
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await pool.close()


def trace_calls() -> None:
    """From now on, every statement of this process is a span of what is traced: its text, no values."""
    AsyncPGInstrumentor().instrument()  # type: ignore[no-untyped-call]  # its package says it has types


@asynccontextmanager
async def connected(pool: Pool) -> AsyncIterator[Connection]:
    """A connection; whatever goes wrong with it or the server is ``Unavailable``."""
    try:
        async with pool.acquire(timeout=CONNECT_TIMEOUT_S) as connection:
            yield connection
    except _BAD_DATA:
        raise
    except _NOT_MIGRATED as error:
        reason = "its tables are missing or older than this; run python -m rondo_history migrate"
        raise Unavailable("postgresql", reason) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise Unavailable("postgresql", _reason(error)) from error


def _reason(error: BaseException) -> str:
    # Without its DETAIL, which may repeat a row, and so what people wrote.
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return f"{error.args[0]}; run python -m rondo_history migrate with RONDO_POSTGRES_RUN_ROLE"
    if isinstance(error, asyncpg.PostgresError):
        return str(error.args[0])
    return str(error) or "no answer in time"
