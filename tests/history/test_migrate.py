"""Migrating the schema: repeated, at once, and without a server."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import asyncpg
import pytest

from rondo_common.errors import Unavailable
from rondo_history.adapters.schema import migrate


async def run_migrate(dsn: str, directory: Path) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rondo_history", "migrate"),
        cwd=directory,
        env={**os.environ, "RONDO_POSTGRES_DSN": dsn},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_many_at_once_agree_on_one_schema(empty_database: str) -> None:
    versions = await asyncio.gather(*(migrate(empty_database) for _ in range(5)))
    assert set(versions) == {"0001"}
    connection = await asyncpg.connect(empty_database)
    assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
    await connection.close()


async def test_repeating_it_changes_nothing(database: str) -> None:
    assert await migrate(database) == await migrate(database)


async def test_the_command_says_the_version(empty_database: str, tmp_path: Path) -> None:
    status, out, _ = await run_migrate(empty_database, tmp_path)
    assert (status, out) == (0, "schema of the history: version 0001\n")


async def test_without_a_server_the_command_says_so_in_one_line(tmp_path: Path) -> None:
    status, out, err = await run_migrate("postgresql://rondo@127.0.0.1:1/rondo", tmp_path)
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert "check RONDO_POSTGRES_DSN" in err


async def test_a_database_that_is_not_there_is_told_plainly(empty_database: str) -> None:
    with pytest.raises(Unavailable, match=r'database "[^"]+_none" does not exist$'):
        await migrate(f"{empty_database}_none")
