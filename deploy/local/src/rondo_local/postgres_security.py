"""PostgreSQL's part of a secure stack: TLS alone, a role to migrate, one to run, one to watch.

Roles log in with SCRAM. The superuser is let in by its certificate, and has no password: with it, each
start makes sure of the roles, also in a database that was made without security.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

import asyncpg

from rondo_common.access import OPERATORS
from rondo_local.ports import HOST
from rondo_local.security import Security

SERVER = "postgres"
OWNER = "rondo_migrate"
RUNNER = "rondo_run"
WATCHER = "rondo_watch"
ROLES: Mapping[str, str] = {"migrate": OWNER, "history": RUNNER, OPERATORS: WATCHER}
"""The role of each step and service that needs PostgreSQL; the others are not told where it is."""

CONNECT_TIMEOUT_S = 2.0
SCRAM_ITERATIONS = 4096
SCRAM_SALT_BYTES = 16

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(frozen=True)
class PostgresEntrance:
    """How roles come into the `database` of a secure server; `admin` is its superuser."""

    security: Security
    port: int
    database: str
    admin: str

    def told(self, user: str) -> dict[str, str]:
        """The variables by which a process of ours is let in as `user`; none if it has no business here."""
        role = ROLES.get(user)
        if role is None:
            return {}
        told = {"RONDO_POSTGRES_DSN": self.dsn(role)}
        return {**told, "RONDO_POSTGRES_RUN_ROLE": RUNNER} if role == OWNER else told

    def dsn(self, role: str) -> str:
        """The DSN of a role, password and all."""
        password = self.security.password(SERVER, role)
        trusted = quote(str(self.security.certificates.ca_file))
        address = f"{role}:{password}@{HOST}:{self.port}/{self.database}"
        return f"postgresql://{address}?sslmode=verify-full&sslrootcert={trusted}"

    def settings(self, hba_file: Path) -> dict[str, str]:
        """Settings of the server; `hba_file` is for it to read, with :meth:`hba` in it."""
        pair = self.security.certificates.server(SERVER)
        return {
            "hba_file": str(hba_file),
            "ssl": "on",
            "ssl_cert_file": str(pair.certificate),
            "ssl_key_file": str(pair.key),
            "ssl_ca_file": str(self.security.certificates.ca_file),
            "password_encryption": "scram-sha-256",
        }

    def hba(self) -> str:
        """Who may come in, and how: nobody without TLS, nobody unasked."""
        roles = ",".join(sorted(ROLES.values()))
        return (
            f"hostssl all {self.admin} {HOST}/32 cert\n"
            f"hostssl {self.database} {roles} {HOST}/32 scram-sha-256\n"
        )

    async def let_roles_in(self) -> None:
        """Make the database and the roles what they should be, as the superuser. Safe to repeat.

        Raises OSError or an error of asyncpg's while the server is not there.
        """
        connection = await self._as_admin("postgres")
        try:
            for role in ROLES.values():
                await self._make_role(connection, role)
            known = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", self.database)
            if not known:
                await connection.execute(f'CREATE DATABASE "{self.database}"')
            for statement in self._of_the_database():
                await connection.execute(statement)
        finally:
            await connection.close()
        connection = await self._as_admin(self.database)
        try:
            await connection.execute(_HAND_OVER)
        finally:
            await connection.close()

    async def _as_admin(self, database: str) -> Connection:
        certificates = self.security.certificates
        context = ssl.create_default_context(cafile=certificates.ca_file)
        pair = certificates.client(self.admin)
        context.load_cert_chain(pair.certificate, pair.key)
        return await asyncpg.connect(
            host=HOST,
            port=self.port,
            user=self.admin,
            database=database,
            timeout=CONNECT_TIMEOUT_S,
            ssl=context,
        )

    async def _make_role(self, connection: Connection, role: str) -> None:
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await connection.execute(f'CREATE ROLE "{role}" LOGIN')
        # The verifier, not the password: a statement may come to stand in the server's log.
        verifier = scram_verifier(self.security.password(SERVER, role), os.urandom(SCRAM_SALT_BYTES))
        await connection.execute(f"ALTER ROLE \"{role}\" PASSWORD '{verifier}'")

    def _of_the_database(self) -> tuple[str, ...]:
        return (
            f'ALTER DATABASE "{self.database}" OWNER TO "{OWNER}"',
            f'REVOKE ALL ON DATABASE "{self.database}" FROM PUBLIC',
            f'GRANT CONNECT ON DATABASE "{self.database}" TO {", ".join(sorted(ROLES.values()))}',
        )


def scram_verifier(password: str, salt: bytes) -> str:
    """What PostgreSQL keeps of a password (RFC 5803), from which nobody can log in."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", hashlib.sha256)).digest()
    served = hmac.digest(salted, b"Server Key", hashlib.sha256)
    encoded = [base64.b64encode(each).decode() for each in (salt, stored, served)]
    return f"SCRAM-SHA-256${SCRAM_ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


_HAND_OVER = f"""
DO $$
DECLARE
    owned text;
BEGIN
    FOR owned IN
        SELECT format('TABLE %s', oid::regclass) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND relowner = current_user::regrole
        UNION ALL
        SELECT format('FUNCTION %s', oid::regprocedure) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proowner = current_user::regrole
    LOOP
        EXECUTE format('ALTER %s OWNER TO {OWNER}', owned);
    END LOOP;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO {WATCHER};
    ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT SELECT ON TABLES TO {WATCHER};
END $$
"""  # noqa: S608 - the names are of this module
"""What was made without security belonged to the superuser: now the one who migrates owns it."""
