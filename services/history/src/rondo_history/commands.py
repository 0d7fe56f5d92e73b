"""The history's share of the command line ``rondo``: what ``rondo doctor`` sees of PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import asyncpg

from rondo_common.examination import Finding, clock_finding, fine, not_examined, wrong
from rondo_history.adapters.schema import newest_version

DSN = "RONDO_POSTGRES_DSN"
SUBJECT = "postgresql"
CONNECT_TIMEOUT_S = 5.0
VERSION_MIN = 150_000
"""As the server numbers its versions: 15."""
MIGRATE = "run `python -m rondo_history migrate`"


async def examine_postgres(environ: Mapping[str, str]) -> Sequence[Finding]:
    """See :data:`rondo_common.examination.Examination`."""
    dsn = environ.get(DSN, "")
    if not dsn:
        return [not_examined(SUBJECT, DSN)]
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        # Its text may have the address in it, and so a password: the kind of error says enough.
        says = f"it does not let us in ({type(error).__name__})"
        return [wrong(SUBJECT, says, f"start it, or correct {DSN} (host, database, user, password)")]
    try:
        number = await connection.fetchval("SHOW server_version_num")
        clock_s = float(await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())"))
        clock = clock_finding(SUBJECT, clock_s - time.time())
        return [_version(number), clock, await _schema(connection)]
    finally:
        await connection.close()


def _version(number: str) -> Finding:
    version = f"{int(number) // 10_000}"
    if int(number) < VERSION_MIN:
        return wrong(SUBJECT, f"PostgreSQL {version} is too old", "use PostgreSQL 15 or newer")
    return fine(SUBJECT, f"PostgreSQL {version}")


async def _schema(connection: asyncpg.Connection[asyncpg.Record]) -> Finding:
    newest = newest_version()
    try:
        version = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return wrong(SUBJECT, "its tables are not there", MIGRATE)
    except asyncpg.InsufficientPrivilegeError:
        return wrong(SUBJECT, "this user may not read its tables", "grant it what history's role may do")
    if version != newest:
        return wrong(SUBJECT, f"its tables are of version {version}, this Rondo needs {newest}", MIGRATE)
    return fine(SUBJECT, f"its tables are of version {version}")
