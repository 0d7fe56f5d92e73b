"""PostgreSQL as ``make up SECURE=1`` has it: what each role may do, and how refusals read."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from rondo_common.access import OPERATORS
from rondo_common.examination import Level
from rondo_history.adapters.postgres import open_pool
from rondo_history.adapters.postgres_archive import PostgresArchive
from rondo_history.adapters.postgres_housekeeping import PostgresHousekeeping
from rondo_history.adapters.schema import migrate, newest_version
from rondo_history.commands import DSN, examine_postgres
from rondo_history.domain.retention import Cutoffs
from rondo_local import process
from rondo_local.certificates import Certificates
from rondo_local.layout import Layout
from rondo_local.ports import choose
from rondo_local.postgres import Postgres
from rondo_local.postgres_security import OWNER, RUNNER, WATCHER
from rondo_local.security import Security
from tests.history.conversations import NOON, Conversation

READY_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class SecurePostgres:
    """The server, and how each role is let in."""

    server: Postgres
    log: Path
    owner: str
    runner: str
    watcher: str

    @property
    def passwords(self) -> list[str]:
        security = self.server.security
        assert security is not None
        return [security.password("postgres", role) for role in (OWNER, RUNNER, WATCHER)]


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecurePostgres]:
    """A server with TLS and roles, migrated by the one for the other."""
    layout = Layout(root=Path(tmp_path_factory.mktemp("secure")), jars=Layout.of_checkout().jars)
    layout.prepare()
    security = Security(Certificates(layout.certificates), "the seed of these tests")
    port = choose((), random.SystemRandom())
    server = Postgres(layout.data / "postgres", port, os.environ, jars=layout.jars, security=security)
    log = layout.log_file(server.name)

    async def start() -> None:
        identity = process.launch(await server.prepare(log, print), layout)
        await process.until_ready(server.name, identity, layout, server.is_ready, READY_TIMEOUT_S)
        told = server.told("migrate")
        await migrate(told["RONDO_POSTGRES_DSN"], run_role=told["RONDO_POSTGRES_RUN_ROLE"])

    try:
        asyncio.run(start())
        dsns = [server.told(user)["RONDO_POSTGRES_DSN"] for user in ("migrate", "history", OPERATORS)]
        yield SecurePostgres(server, log, *dsns)
    finally:
        asyncio.run(process.stop(layout, [server.name]))


@pytest.fixture
async def owner(secure: SecurePostgres) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(secure.owner)
    yield connection
    await connection.close()


@pytest.fixture
async def runner(secure: SecurePostgres) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(secure.runner)
    yield connection
    await connection.close()


async def test_the_history_keeps_and_forgets_over_tls_as_a_role_that_owns_nothing(
    secure: SecurePostgres, runner: asyncpg.Connection[asyncpg.Record]
) -> None:
    assert await runner.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    owned = "SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole"
    assert await runner.fetchval(owned) == 0
    chat = Conversation()
    facts = [chat.requested(), chat.said("Hello"), chat.ended()]
    async with open_pool(secure.runner) as pool:
        archive = PostgresArchive(pool)
        await archive.keep(facts)
        assert len(await archive.facts_of(chat.workspace_id, chat.id)) == len(facts)
        assert await PostgresHousekeeping(pool).drop_expired(Cutoffs({}, NOON + timedelta(days=90))) == 1
        assert await archive.facts_of(chat.workspace_id, chat.id) == []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE TEMP TABLE conversation_events (id int)",
        "CREATE SCHEMA mine",
        "CREATE EXTENSION pgcrypto",
        "CREATE ROLE friend",
        "CREATE FUNCTION add_history_month(text) RETURNS void LANGUAGE sql AS ''",
        "ALTER TABLE conversations ADD COLUMN mine int",
        "ALTER ROLE rondo_run SUPERUSER",
        "CREATE INDEX ON conversations (status)",
        "DROP TABLE conversations",
        "DROP FUNCTION add_history_month(date)",
        "TRUNCATE conversations",
        "UPDATE conversation_events SET data = '{}'",
        "UPDATE alembic_version SET version_num = '0001'",
        "SELECT * FROM others.letters",
        "SELECT * FROM pg_authid",
        "SELECT * FROM pg_shadow",
        "SELECT pg_read_file('pg_hba.conf')",
        "COPY conversations TO '/tmp/stolen'",
        "COPY conversations TO PROGRAM 'cat'",
        "SET ROLE rondo_migrate",
        "SET SESSION AUTHORIZATION rondo",
    ],
)
async def test_the_role_that_runs_is_refused_all_else(
    owner: asyncpg.Connection[asyncpg.Record],
    runner: asyncpg.Connection[asyncpg.Record],
    statement: str,
) -> None:
    await owner.execute("CREATE SCHEMA IF NOT EXISTS others")
    await owner.execute("CREATE TABLE IF NOT EXISTS others.letters (text text)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await runner.execute(statement)


async def test_a_partition_is_not_dropped_through_a_name_that_is_none(
    runner: asyncpg.Connection[asyncpg.Record],
) -> None:
    for name in ("conversations", "alembic_version", "others.letters", "pg_authid"):
        await runner.execute("SELECT drop_history_partition($1)", name)
    assert await runner.fetchval("SELECT count(*) FROM alembic_version") == 1


async def test_who_watches_reads_and_changes_nothing(secure: SecurePostgres) -> None:
    connection = await asyncpg.connect(secure.watcher)
    try:
        assert await connection.fetchval("SELECT count(*) FROM conversations") >= 0
        for statement in ("DELETE FROM conversations", "SELECT add_history_month('2031-01-01')"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def examined(dsn: str) -> dict[Level, str]:
    """What the doctor says of PostgreSQL, by level."""
    found: dict[Level, str] = {}
    for each in await examine_postgres({DSN: dsn}):
        found[each.level] = f"{found.get(each.level, '')}{each.says} → {each.remedy}; "
    return found


async def test_the_doctor_finds_nothing_wrong_with_the_role_that_runs(secure: SecurePostgres) -> None:
    found = await examined(secure.runner)
    assert set(found) == {Level.OK}
    assert "over TLS" in found[Level.OK]
    assert newest_version() in found[Level.OK]
    assert "may do all that the history does" in found[Level.OK]


async def test_the_doctor_sees_what_a_role_lacks(
    secure: SecurePostgres, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    assert "may read, and do nothing else" in (await examined(secure.watcher))[Level.WARNING]
    await owner.execute(f"REVOKE UPDATE ON conversations FROM {RUNNER}")
    assert "UPDATE on conversations → run" in (await examined(secure.runner))[Level.WRONG]
    await owner.execute(f"REVOKE SELECT ON alembic_version FROM {RUNNER}")
    assert "RONDO_POSTGRES_RUN_ROLE" in (await examined(secure.runner))[Level.WRONG]
    await migrate(secure.owner, run_role=RUNNER)
    assert Level.WRONG not in await examined(secure.runner)


def refusals(secure: SecurePostgres, elsewhere: Path) -> dict[str, tuple[str, str]]:
    """DSNs that are not let in, and what the doctor says to that; by what is wrong with them."""
    secret, right = secure.passwords[1], secure.runner
    trusted = right.partition("sslrootcert=")[2]
    foreign = str(Certificates(elsewhere).ca_file)
    return {
        "without TLS": (right.replace("verify-full", "disable"), "sslmode=verify-full"),
        "wrong password": (right.replace(secret, "wr0ng"), "correct the user or the password"),
        "the superuser by a password": (right.replace(RUNNER, "rondo"), "pg_hba.conf"),
        "foreign authority": (right.replace(trusted, foreign), "sslrootcert"),
        "no file of an authority": (right.replace(trusted, f"{foreign}.none"), "is not there"),
        "another database": (right.replace("/rondo?", "/postgres?"), "pg_hba.conf"),
        "no such mode": (right.replace("verify-full", "very"), "cannot be read"),
    }


async def test_who_is_not_let_in_is_told_why_and_no_secret(secure: SecurePostgres, tmp_path: Path) -> None:
    for what, (dsn, remedy) in refusals(secure, tmp_path).items():
        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
            await asyncpg.connect(dsn)
        told = await examined(dsn)
        assert set(told) == {Level.WRONG}, what
        assert remedy in told[Level.WRONG], (what, told)
        assert not any(password in str(told) for password in [*secure.passwords, "wr0ng"]), what


async def test_what_the_server_logs_holds_no_password(secure: SecurePostgres, tmp_path: Path) -> None:
    for dsn, _ in refusals(secure, tmp_path).values():
        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
            await asyncpg.connect(dsn)
    logged = secure.log.read_text(encoding="utf-8")
    assert "no pg_hba.conf entry" in logged
    assert "password authentication failed" in logged
    assert not any(password in logged for password in secure.passwords)


async def test_a_server_without_tls_is_not_talked_to_when_tls_is_wanted(secure: SecurePostgres) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)  # It asks for TLS, and PostgreSQL without it says no in one letter.
        writer.write(b"N")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as plain:
        port = plain.sockets[0].getsockname()[1]
        found = await examined(secure.runner.replace(f":{secure.server.port}/", f":{port}/"))
    assert "switch TLS on" in found[Level.WRONG]
