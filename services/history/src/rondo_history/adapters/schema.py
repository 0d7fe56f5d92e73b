"""Bringing the database's schema to the version this code needs. The steps are in ``migrations``."""

from __future__ import annotations

from importlib.resources import files

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from rondo_common.errors import Unavailable
from rondo_history.adapters.privileges import grant

CONNECT_TIMEOUT_S = 5.0
LOCK_TIMEOUT_MS = 3_000
"""How long a step waits for a lock. Whoever comes behind it waits as long, and has more patience."""
MIGRATION_LOCK = 0x524F4E444F
"""Names the advisory lock under which one process migrates at a time."""


async def migrate(dsn: str, to: str = "head", *, run_role: str = "") -> str:
    """Apply the steps that are missing up to ``to``, then grant ``run_role``, if there is one, what the
    history needs to run; the version the schema is at then.

    A step is done whole or not at all. Safe to repeat, and to run from several processes at once: they
    take turns.

    Raises:
        Unavailable: PostgreSQL is out of reach, or refuses; or a lock was not to be had. Steps before that
            are done.
    """
    engine = create_async_engine(
        "postgresql+asyncpg://",
        # The same reading of the DSN as everywhere else, not SQLAlchemy's own.
        async_creator=lambda: asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S),
        poolclass=NullPool,
    )
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_upgrade, to, run_role)
    except DBAPIError as error:
        raise Unavailable("postgresql", _reason(error)) from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Unavailable("postgresql", str(error) or "no answer in time") from error
    finally:
        await engine.dispose()


def newest_version() -> str:
    """The version that this code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or "empty"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("rondo_history") / "migrations"))
    return config


def _upgrade(connection: Connection, to: str, run_role: str) -> str:
    # Held by the session, and before there is a timeout: whose turn it is may wait for long steps.
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
    connection.execute(text(f"SET lock_timeout = {LOCK_TIMEOUT_MS}"))
    connection.commit()
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    connection.commit()  # Alembic has looked at the version, and left that transaction open.
    with connection.begin():
        if run_role:
            grant(connection, run_role)
        return MigrationContext.configure(connection).get_current_revision() or "empty"


def _reason(error: DBAPIError) -> str:
    cause = getattr(error.orig, "__cause__", None)
    if isinstance(cause, asyncpg.LockNotAvailableError):
        return (
            f"a lock was not to be had within {LOCK_TIMEOUT_MS} ms, because others use the table; "
            "nothing of this step was done: run it again, once what holds the lock has ended"
        )
    return str(error.orig)
