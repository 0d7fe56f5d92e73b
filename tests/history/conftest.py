"""The real archive, in a database of its own."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from rondo_history.adapters.postgres import open_pool
from rondo_history.adapters.postgres_archive import PostgresArchive
from rondo_history.adapters.schema import migrate


@pytest.fixture
async def empty_database(postgres_dsn: str) -> AsyncIterator[str]:
    """The DSN of a database without anything in it, dropped afterwards."""
    name = f"history_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(postgres_dsn)
    await connection.execute(f'CREATE DATABASE "{name}"')
    yield urlsplit(postgres_dsn)._replace(path=f"/{name}").geturl()
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


@pytest.fixture
async def database(empty_database: str) -> str:
    """The DSN of a migrated database without any facts."""
    await migrate(empty_database)
    return empty_database


@pytest.fixture
async def postgres_archive(database: str) -> AsyncIterator[PostgresArchive]:
    """The real archive, empty."""
    async with open_pool(database) as pool:
        yield PostgresArchive(pool)
