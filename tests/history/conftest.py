"""The real archive, in a database of its own."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from urllib.parse import quote, urlsplit

import asyncpg
import pytest

from rondo_history.adapters.postgres import open_pool
from rondo_history.adapters.postgres_archive import PostgresArchive
from rondo_history.adapters.schema import migrate

RUN_ROLE = "rondo_tests run"
"""With a space: a role's name is quoted wherever it is used."""
RUN_PASSWORD = "of-the-tests"


@pytest.fixture
async def empty_database(postgres_dsn: str) -> AsyncIterator[str]:
    """The DSN of a database without anything in it, as its owner, dropped afterwards."""
    name = f"history_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(postgres_dsn)
    await connection.execute(f'CREATE DATABASE "{name}"')
    yield urlsplit(postgres_dsn)._replace(path=f"/{name}").geturl()
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


@pytest.fixture
async def owned_database(empty_database: str) -> str:
    """The DSN of a migrated database without any facts, as its owner; the role that runs is let in."""
    connection = await asyncpg.connect(empty_database)
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", RUN_ROLE):
        await connection.execute(f"CREATE ROLE \"{RUN_ROLE}\" LOGIN PASSWORD '{RUN_PASSWORD}'")
    await connection.close()
    await migrate(empty_database, run_role=RUN_ROLE)
    return empty_database


@pytest.fixture
def database(owned_database: str) -> str:
    """The same, as the role that runs the history: what passes needs no more than it was granted."""
    parts = urlsplit(owned_database)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{quote(RUN_ROLE)}:{RUN_PASSWORD}@{host}").geturl()


@pytest.fixture
async def postgres_archive(database: str) -> AsyncIterator[PostgresArchive]:
    """The real archive, empty."""
    async with open_pool(database) as pool:
        yield PostgresArchive(pool)
