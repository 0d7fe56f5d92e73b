"""Migrations widen before they narrow and lock no big table for long: read by squawk, tried under load.

The rules hold from version 0003 on, the first that a release has. A step that narrows what nobody reads any
more says so beside the statement: ``-- squawk-ignore ban-drop-column`` and why.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import subprocess
import sys
import sysconfig
from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from rondo_history.adapters.postgres import open_pool
from rondo_history.adapters.postgres_archive import PostgresArchive
from rondo_history.adapters.postgres_housekeeping import PostgresHousekeeping
from rondo_history.adapters.postgres_reports import PostgresReports
from rondo_history.adapters.schema import migrate, newest_version
from rondo_history.domain.listing import Filter
from rondo_history.domain.report import Grouping, Period
from rondo_history.domain.retention import Cutoffs
from tests.history.conversations import NOON, Conversation, fresh_workspace

BEFORE_THE_RULES = "0002"
SQUAWK = Path(sysconfig.get_path("scripts")) / "squawk"
SUPPORTED = "15"
"""The oldest PostgreSQL that Rondo runs on."""

MATTERS_OF_TASTE = (
    *("prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-text-field"),
    # Whoever migrates has set it for the session; and a step may take its time, once it has its locks.
    *("require-lock-timeout", "require-statement-timeout"),
)
WHOLE_TABLE = re.compile(
    r"^\s*(UPDATE(?! alembic_version)|DELETE|INSERT INTO \w+.*\bSELECT|TRUNCATE|LOCK|CLUSTER|VACUUM)\b",
    re.MULTILINE | re.IGNORECASE,
)
"""What squawk lets pass. Rows are filled in by the service, some at a time, as summaries once were."""

UNDER_WAY = 5
"""So often each of those that load the database has done its work, before the migration and after."""
DEADLINE_S = 120


def _scripts(output: io.StringIO) -> Config:
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(files("rondo_history") / "migrations"))
    return config


def told(since: str) -> str:
    """The SQL of every step after a version, as Alembic would have it run."""
    output = io.StringIO()
    command.upgrade(_scripts(output), f"{since}:head", sql=True)
    return output.getvalue().replace("%%", "%")  # It escapes them for a driver that there is none of.


def objections(sql: str) -> list[str]:
    """What is to be said against SQL, by rule."""
    arguments = ("--pg-version", SUPPORTED, "--reporter", "json", "--exclude", ",".join(MATTERS_OF_TASTE))
    run = subprocess.run(
        [SQUAWK, *arguments],
        input=sql,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout, run.stderr
    found = [f"{each['rule_name']}: {each['message']}" for each in json.loads(run.stdout)]
    return found + [f"whole-table: {each.group(1)}" for each in WHOLE_TABLE.finditer(sql)]


def test_no_step_locks_a_table_for_long_or_takes_away_what_the_version_before_needs() -> None:
    sql = told(BEFORE_THE_RULES)
    assert f"version_num='{newest_version()}'" in sql
    assert objections(sql) == []


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("CREATE INDEX late ON conversations (status);", "require-concurrent-index-creation"),
        ("DROP INDEX conversations_newest;", "require-concurrent-index-deletion"),
        ("ALTER TABLE conversations ALTER COLUMN status TYPE bytea;", "changing-column-type"),
        ("ALTER TABLE conversations DROP COLUMN status;", "ban-drop-column"),
        ("ALTER TABLE conversations RENAME COLUMN status TO state;", "renaming-column"),
        ("ALTER TABLE conversations RENAME TO chats;", "renaming-table"),
        ("ALTER TABLE conversations ADD COLUMN a text NOT NULL;", "adding-required-field"),
        (
            "ALTER TABLE conversations ADD COLUMN a timestamptz DEFAULT clock_timestamp();",
            "adding-field-with-default",
        ),
        ("ALTER TABLE conversations ALTER COLUMN team_id SET NOT NULL;", "adding-not-nullable-field"),
        ("ALTER TABLE conversations ADD CHECK (message_count > 0);", "constraint-missing-not-valid"),
        ("ALTER TABLE conversations ADD UNIQUE (visitor_id);", "disallowed-unique-constraint"),
        ("DROP TABLE transcript_mails;", "ban-drop-table"),
        ("UPDATE conversations SET status = 'ended';", "whole-table"),
        ("TRUNCATE log_progress;", "whole-table"),
        ("LOCK TABLE conversations;", "whole-table"),
    ],
)
def test_a_step_that_would_is_found(statement: str, rule: str) -> None:
    assert any(each.startswith(f"{rule}:") for each in objections(f"BEGIN;\n{statement}\nCOMMIT;"))


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE conversations ADD COLUMN note text;",
        "ALTER TABLE conversations ADD COLUMN seen boolean NOT NULL DEFAULT false;",
        "CREATE TABLE IF NOT EXISTS notes (id text PRIMARY KEY); CREATE INDEX ON notes (id);",
        "ALTER TABLE conversations ADD CHECK (message_count >= 0) NOT VALID;",
        "COMMIT;\nCREATE INDEX CONCURRENTLY IF NOT EXISTS late ON conversations (status);\nBEGIN;",
        "-- squawk-ignore ban-drop-column\nALTER TABLE conversations DROP COLUMN note;",
    ],
)
def test_a_step_that_widens_passes(statement: str) -> None:
    assert objections(f"BEGIN;\n{statement}\nCOMMIT;") == []


REFUSE_REWRITES = """
CREATE FUNCTION refuse_rewrite() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rewrites %', pg_event_trigger_table_rewrite_oid()::regclass;
END $$;
CREATE EVENT TRIGGER no_rewrite ON table_rewrite EXECUTE FUNCTION refuse_rewrite();
"""


async def test_no_step_rewrites_a_table(empty_database: str) -> None:
    # What squawk cannot read, in a DO block, PostgreSQL tells.
    await migrate(empty_database, BEFORE_THE_RULES)
    connection = await asyncpg.connect(empty_database)
    await connection.execute(REFUSE_REWRITES)
    await migrate(empty_database)
    with pytest.raises(asyncpg.RaiseError, match="rewrites conversations"):
        await connection.execute("ALTER TABLE conversations ALTER COLUMN message_count TYPE bigint")
    await connection.close()


class Load:
    """Work that is done again and again, until it is told to end. The first that fails is raised."""

    def __init__(self) -> None:
        self._done: dict[str, int] = {}
        self._progress = asyncio.Condition()
        self._over = False

    async def go_on(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        self._done[name] = 0
        while not self._over:
            await work()
            async with self._progress:
                self._done[name] += 1
                self._progress.notify_all()

    async def each_has_done(self, times: int) -> None:
        """Wait until all have done their work so often from now on."""
        wanted = {name: done + times for name, done in self._done.items()}
        async with self._progress:
            await self._progress.wait_for(
                lambda: all(self._done[name] >= number for name, number in wanted.items())
            )

    def end(self) -> None:
        self._over = True


async def test_a_migration_under_load_fails_no_statement(empty_database: str) -> None:
    script = ScriptDirectory.from_config(_scripts(io.StringIO())).get_revision(newest_version())
    before = script.down_revision
    assert isinstance(before, str)
    await migrate(empty_database, before)
    load = Load()
    async with open_pool(empty_database) as pool:
        archive, keeping, reports = PostgresArchive(pool), PostgresHousekeeping(pool), PostgresReports(pool)
        workspace_id = fresh_workspace()
        period = Period(NOON, NOON + timedelta(days=1), "UTC")
        numbers = iter(range(sys.maxsize))

        async def write() -> None:
            chat = Conversation(f"cnv_{next(numbers)}", workspace_id)
            await archive.keep([chat.requested(), chat.offered(), chat.accepted(), chat.said("Hello")])
            await archive.keep([chat.ended()])

        async def transact() -> None:
            # As long as a step may wait for, and longer: someone else's transaction that read.
            async with pool.acquire() as connection, connection.transaction():
                await connection.fetchval("SELECT count(*) FROM conversations, conversation_events")

        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
            for name, work in {
                "one writer": write,
                "another": write,
                "lists": lambda: archive.list_page(workspace_id, Filter(query="hello"), 50),
                "reports": lambda: reports.live_chat(workspace_id, period, Grouping.DAY),
                "housekeeping": lambda: keeping.drop_expired(Cutoffs({}, NOON - timedelta(days=90))),
                "transactions": transact,
            }.items():
                tasks.create_task(load.go_on(name, work))
            await asyncio.sleep(0)  # Each has begun, and so is counted.
            await load.each_has_done(UNDER_WAY)
            assert await migrate(empty_database) == newest_version()
            await load.each_has_done(UNDER_WAY)
            load.end()
