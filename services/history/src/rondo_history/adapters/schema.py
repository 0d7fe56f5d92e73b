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

CONNECT_TIMEOUT_S = 5.0
MIGRATION_LOCK = 0x524F4E444F
"""Names the advisory lock under which one process migrates at a time."""


async def migrate(dsn: str, to: str = "head") -> str:
    """Apply the steps that are missing up to ``to``, all or none; the version the schema is at then.

    Safe to repeat, and to run from several processes at once: they take turns.

    Raises:
        Unavailable: PostgreSQL is out of reach, or refuses.
    """
    engine = create_async_engine(
        "postgresql+asyncpg://",
        # The same reading of the DSN as everywhere else, not SQLAlchemy's own.
        async_creator=lambda: asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S),
        poolclass=NullPool,
    )
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_upgrade, to)
    except DBAPIError as error:
        raise Unavailable("postgresql", str(error.orig)) from error
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


def _upgrade(connection: Connection, to: str) -> str:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    return MigrationContext.configure(connection).get_current_revision() or "empty"
