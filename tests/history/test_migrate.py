"""Migrating the schema: repeated, at once, and without a server."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from importlib.resources import files
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from rondo_common.conversation import Status
from rondo_common.errors import Unavailable
from rondo_history.adapters.postgres import open_pool
from rondo_history.adapters.postgres_archive import PostgresArchive
from rondo_history.adapters.rows import fact_row
from rondo_history.adapters.schema import migrate, newest_version
from rondo_history.domain.fact import in_log_order
from rondo_history.domain.listing import Filter
from tests.history.conversations import Conversation


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
    assert set(versions) == {newest_version()}
    connection = await asyncpg.connect(empty_database)
    assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
    await connection.close()


async def test_repeating_it_changes_nothing(database: str) -> None:
    assert await migrate(database) == await migrate(database)


OLD_ROW = """
INSERT INTO conversation_events (
    id, workspace_id, conversation_id, type, occurred_at, log_topic, log_partition, log_offset, data
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def test_rows_of_the_first_version_are_carried_over(empty_database: str) -> None:
    assert await migrate(empty_database, "0001") == "0001"
    chat, later = Conversation("cnv_old"), Conversation("cnv_later")
    facts = [chat.requested(), chat.offered(), chat.accepted(), chat.said("Köpa båt"), chat.ended()]
    connection = await asyncpg.connect(empty_database)
    for fact in (*facts, later.requested(), later.offered()):
        await connection.execute(OLD_ROW, *fact_row(fact))
    await migrate(empty_database)
    assert await connection.fetchval("SELECT count(*) FROM conversation_events") == 7
    await connection.close()
    async with open_pool(empty_database) as pool:
        archive = PostgresArchive(pool)
        # What the old version began goes on here, told again or not.
        await archive.keep([later.accepted(), *facts])
        while await archive.summarise_what_is_not():
            pass
        assert in_log_order(await archive.facts_of(chat.workspace_id, chat.id)) == in_log_order(facts)
        found = await archive.list_page(chat.workspace_id, Filter(query="bat"), 10)
        assert [(each.id, each.status) for each in found] == [("cnv_old", Status.ENDED)]
        gone_on = await archive.find(later.workspace_id, later.id)
        assert gone_on is not None
        assert (gone_on.status, gone_on.request) == (Status.ACTIVE, later.request)


async def test_the_months_ahead_are_there_and_others_come_with_their_events(database: str) -> None:
    months = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'conversation_events'::regclass"
    connection = await asyncpg.connect(database)
    before = await connection.fetchval(months)
    assert before == 3
    async with open_pool(database) as pool:
        archive = PostgresArchive(pool)
        chat = Conversation()
        await archive.keep([chat.requested(), chat.said("Hello")])
        await archive.keep([chat.ended()])
    assert await connection.fetchval(months) == before + 1
    await connection.close()


async def test_back_to_the_first_version_no_event_is_lost(owned_database: str) -> None:
    database = owned_database
    chat = Conversation()
    async with open_pool(database) as pool:
        await PostgresArchive(pool).keep([chat.requested(), chat.said("Hello")])
    engine = create_async_engine(database.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(_downgrade)
    await engine.dispose()
    plain = await asyncpg.connect(database)
    assert await plain.fetchval("SELECT count(*) FROM conversation_events") == 2
    await plain.close()
    assert await migrate(database) == newest_version()


def _downgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(files("rondo_history") / "migrations"))
    config.attributes["connection"] = connection
    command.downgrade(config, "0001")


async def test_a_table_of_the_callers_own_is_not_taken_for_the_owners(database: str) -> None:
    connection = await asyncpg.connect(database)
    for root in ("conversation_events", "message_texts"):
        await connection.execute(f"CREATE TEMP TABLE {root} (id text) PARTITION BY RANGE (id)")
    await connection.execute("SELECT add_history_month('2031-05-01')")
    months = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'public.conversation_events'::regclass"
    assert await connection.fetchval(months) == 4
    await connection.close()


async def test_whoever_wrote_before_goes_on_making_months(empty_database: str) -> None:
    await migrate(empty_database, "0003")
    connection = await asyncpg.connect(empty_database)
    writer, reader = f"writer {uuid.uuid4().hex}", f"reader {uuid.uuid4().hex}"
    try:
        for role, privilege in ((writer, "INSERT"), (reader, "SELECT")):
            await connection.execute(f'CREATE ROLE "{role}"')
            await connection.execute(f'GRANT {privilege} ON conversation_events TO "{role}"')
        await migrate(empty_database)
        may_call = "SELECT has_function_privilege($1, 'add_history_month(date)', 'EXECUTE')"
        assert await connection.fetchval(may_call, writer)
        assert not await connection.fetchval(may_call, reader)
    finally:
        for role in (writer, reader):
            await connection.execute(f'DROP OWNED BY "{role}"')
            await connection.execute(f'DROP ROLE "{role}"')
        await connection.close()


async def test_a_role_that_is_not_there_is_told_plainly(empty_database: str) -> None:
    with pytest.raises(Unavailable, match=r'role "nobody" does not exist'):
        await migrate(empty_database, run_role="nobody")


async def test_a_lock_that_is_held_is_not_waited_for(empty_database: str) -> None:
    await migrate(empty_database, "0002")
    holder = await asyncpg.connect(empty_database)
    async with holder.transaction():
        await holder.execute("LOCK TABLE conversations IN ACCESS SHARE MODE")
        with pytest.raises(Unavailable, match="run it again, once what holds the lock has ended"):
            await migrate(empty_database)
    assert await holder.fetchval("SELECT version_num FROM alembic_version") == "0002"
    await holder.close()
    assert await migrate(empty_database) == newest_version()


async def test_the_command_says_the_version(empty_database: str, tmp_path: Path) -> None:
    status, out, _ = await run_migrate(empty_database, tmp_path)
    assert (status, out) == (0, f"schema of the history: version {newest_version()}\n")


async def test_without_a_server_the_command_says_so_in_one_line(tmp_path: Path) -> None:
    status, out, err = await run_migrate("postgresql://rondo@127.0.0.1:1/rondo", tmp_path)
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert "check RONDO_POSTGRES_DSN" in err


async def test_a_database_that_is_not_there_is_told_plainly(empty_database: str) -> None:
    with pytest.raises(Unavailable, match=r'database "[^"]+_none" does not exist$'):
        await migrate(f"{empty_database}_none")
