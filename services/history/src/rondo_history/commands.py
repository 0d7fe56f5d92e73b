"""The history's share of the command line ``rondo``: what ``rondo doctor`` sees of PostgreSQL."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import asyncpg

from rondo_common.examination import (
    Finding,
    Level,
    clock_finding,
    doubtful,
    fine,
    not_examined,
    wrong,
)
from rondo_history.adapters.privileges import FUNCTIONS, TABLES
from rondo_history.adapters.schema import newest_version

DSN = "RONDO_POSTGRES_DSN"
SUBJECT = "postgresql"
CONNECT_TIMEOUT_S = 5.0
VERSION_MIN = 150_000
"""As the server numbers its versions: 15."""
MIGRATE = "run `python -m rondo_history migrate`"
GRANT = f"{MIGRATE} as the owner, with this user as RONDO_POSTGRES_RUN_ROLE"
OVER_TLS = "?sslmode=verify-full&sslrootcert=<file of the authority>"

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def examine_postgres(environ: Mapping[str, str]) -> Sequence[Finding]:
    """See :data:`rondo_common.examination.Examination`."""
    dsn = environ.get(DSN, "")
    if not dsn:
        return [not_examined(SUBJECT, DSN)]
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [not_let_in(error)]
    try:
        number = await connection.fetchval("SHOW server_version_num")
        clock_s = float(await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())"))
        clock = clock_finding(SUBJECT, clock_s - time.time())
        wire, schema = await _wire(connection), await _schema(connection)
        rights = [await _rights(connection)] if schema.level is Level.OK else []
        return [_version(number), clock, wire, schema, *rights]
    finally:
        await connection.close()


def not_let_in(error: Exception) -> Finding:
    """What to make of an error of connecting. Its text is not told: it may have the address in it, and so
    a password."""
    says = f"it does not let us in ({type(error).__name__})"
    match error:
        case asyncpg.InvalidPasswordError():
            remedy = f"correct the user or the password in {DSN}"
        case asyncpg.InvalidAuthorizationSpecificationError():
            remedy = f"its pg_hba.conf has no line for this: add {OVER_TLS} to {DSN}, or correct its user"
        case asyncpg.InvalidCatalogNameError():
            remedy = f"create the database, or correct its name in {DSN}"
        case asyncpg.InsufficientPrivilegeError():
            remedy = "grant this user CONNECT on the database"
        case ssl.SSLCertVerificationError():
            remedy = (
                f"its certificate is not trusted ({error.verify_message}): sslrootcert in {DSN} must name "
                "its authority's, and the host the name it was issued for"
            )
        case ssl.SSLError() | FileNotFoundError():
            remedy = (
                f"a file that {DSN} names (sslrootcert, sslcert, sslkey) is not there, or is no such file"
            )
        case asyncpg.ClientConfigurationError():
            remedy = f"correct {DSN}: what stands there cannot be read, or sslrootcert names no file"
        case ConnectionError() if "SSL" in str(error):
            remedy = "switch TLS on at the server (ssl = on), or use its address that has it"
        case _:
            remedy = f"start it, or correct {DSN} (host, database, user, password)"
    return wrong(SUBJECT, says, remedy)


async def _wire(connection: Connection) -> Finding:
    is_encrypted, is_near = await connection.fetchrow(  # type: ignore[misc]  # it always has a row
        "SELECT ssl, coalesce(inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1', true)"
        " FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    )
    if is_encrypted:
        return fine(SUBJECT, "it is talked to over TLS")
    if is_near:
        return fine(SUBJECT, "it is on this machine, and talked to without TLS")
    return doubtful(SUBJECT, "it is talked to without TLS", f"add {OVER_TLS} to {DSN}")


async def _rights(connection: Connection) -> Finding:
    lacking = [
        f"{privilege} on {table}"
        for table, privileges in TABLES.items()
        for privilege in privileges
        if not await connection.fetchval("SELECT has_table_privilege($1, $2)", table, privilege)
    ]
    for function in FUNCTIONS:
        if not await connection.fetchval("SELECT has_function_privilege($1, 'EXECUTE')", function):
            lacking.append(f"EXECUTE of {function}")
    if not lacking:
        return fine(SUBJECT, "its user may do all that the history does")
    if len(lacking) == len(FUNCTIONS) + sum(len(each) - 1 for each in TABLES.values()):
        says, remedy = "its user may read, and do nothing else", f"right for watching alone; else: {GRANT}"
        return doubtful(SUBJECT, says, remedy)
    return wrong(SUBJECT, f"its user may not do all that the history does: {', '.join(lacking)}", GRANT)


def _version(number: str) -> Finding:
    version = f"{int(number) // 10_000}"
    if int(number) < VERSION_MIN:
        return wrong(SUBJECT, f"PostgreSQL {version} is too old", "use PostgreSQL 15 or newer")
    return fine(SUBJECT, f"PostgreSQL {version}")


async def _schema(connection: Connection) -> Finding:
    newest = newest_version()
    try:
        version = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return wrong(SUBJECT, "its tables are not there", MIGRATE)
    except asyncpg.InsufficientPrivilegeError:
        return wrong(SUBJECT, "this user may not read its tables", GRANT)
    if version != newest:
        return wrong(SUBJECT, f"its tables are of version {version}, this Rondo needs {newest}", MIGRATE)
    return fine(SUBJECT, f"its tables are of version {version}")
