"""Kafka, Valkey and PostgreSQL together: for the stack, and alone for tests and benchmarks."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rondo_local import process
from rondo_local.certificates import Certificates
from rondo_local.jars import Report
from rondo_local.kafka import Kafka
from rondo_local.layout import Layout
from rondo_local.ports import choose
from rondo_local.postgres import Postgres
from rondo_local.process import Program
from rondo_local.security import Security
from rondo_local.together import together
from rondo_local.valkey import Valkey

READY_TIMEOUT_S = 90.0
"""How long a server may take from its start: recovery after a crash included."""

SERVER_NAMES = ("kafka", "valkey", "postgres")
PORT_NAMES = ("kafka", "kafka-controller", "kafka-mtls", "valkey", "postgres")

Say = Callable[[str, str], None]
"""Tell the person who waits: which process, and what happens with it."""


class Server(Protocol):
    """A server the stack runs."""

    @property
    def name(self) -> str:
        """The name of its pid file and log."""

    @property
    def address(self) -> str:
        """Where clients find it."""

    def told(self, user: str) -> Mapping[str, str]:
        """The variables by which `user` finds it, and is let in: a service, a step, or the operators."""

    async def prepare(self, log: Path, report: Report) -> Program:
        """Do what has to be done once, then say what to run. Raises LocalFailure."""

    async def is_ready(self) -> bool:
        """Whether it serves. Does not raise."""


@dataclass(frozen=True)
class Addresses:
    """Where the three servers are."""

    kafka_bootstrap: str
    redis_url: str
    postgres_dsn: str


@dataclass(frozen=True)
class Servers:
    """The three servers of one stack."""

    kafka: Kafka
    valkey: Valkey
    postgres: Postgres

    @classmethod
    def of(
        cls,
        layout: Layout,
        ports: Mapping[str, int],
        environ: Mapping[str, str],
        security: Security | None = None,
    ) -> Servers:
        """The servers with their data in `layout`, at `ports` (one for each of PORT_NAMES).

        With `security`, they serve over TLS, and let in whom they know.
        """
        return cls(
            Kafka(
                layout.data / "kafka",
                layout.jars,
                ports["kafka"],
                ports["kafka-controller"],
                environ,
                mtls_port=ports["kafka-mtls"],
                security=security,
            ),
            Valkey(layout.data / "valkey", ports["valkey"], environ, security=security),
            Postgres(
                layout.data / "postgres",
                ports["postgres"],
                environ,
                # Only where it must speak TLS: the wheel's is there already.
                jars=layout.jars if security is not None else None,
                security=security,
            ),
        )

    @property
    def addresses(self) -> Addresses:
        """Where clients find them."""
        return Addresses(self.kafka.address, self.valkey.address, self.postgres.address)

    def told(self, user: str) -> dict[str, str]:
        """The variables by which `user` finds all three, and is let in."""
        servers: tuple[Server, ...] = (self.kafka, self.valkey, self.postgres)
        return {name: value for each in servers for name, value in each.told(user).items()}

    async def start(self, layout: Layout, say: Say, started: list[str]) -> None:
        """Start those that are down, all at once, and wait until all are ready.

        Appends the name of each to `started` when its process is there, so that the caller can
        undo it whatever happens. Raises LocalFailure.
        """
        servers: tuple[Server, ...] = (self.kafka, self.valkey, self.postgres)
        await together(_start_one(server, layout, say, started) for server in servers)


async def _start_one(server: Server, layout: Layout, say: Say, started: list[str]) -> None:
    began = time.monotonic()
    name = server.name
    identity = process.running(layout, name)
    if identity is None:
        program = await server.prepare(layout.log_file(name), lambda line: say(name, line))
        identity = process.launch(program, layout)
        started.append(name)
        say(name, "starting")
    await process.until_ready(name, identity, layout, server.is_ready, READY_TIMEOUT_S)
    verb = "ready" if name in started else "already running"
    say(name, f"{verb} at {server.address} ({time.monotonic() - began:.1f} s)")


@contextmanager
def local_servers(directory: Path, *, jars: Path | None = None) -> Iterator[Addresses]:
    """Run the three servers in `directory` on free ports while the body runs.

    Their data and logs stay in `directory`. The Kafka download is shared with the checkout's
    own stack unless `jars` names another place. Not for use inside a running event loop.
    Raises LocalFailure; whatever happens, nothing is left running.
    """
    with running_servers(directory, jars=jars) as servers:
        yield servers.addresses


@contextmanager
def running_servers(
    directory: Path, *, jars: Path | None = None, secure: bool = False
) -> Iterator[Servers]:
    """As :func:`local_servers`, secure if wanted; what yields says who is let in how (`told`)."""
    jars = jars or Layout.of_checkout().jars
    layout = Layout(root=directory.resolve(), jars=jars)
    layout.prepare()
    security = Security(Certificates(layout.certificates), secrets.token_urlsafe()) if secure else None
    servers = Servers.of(layout, _free_ports(), os.environ, security)
    started: list[str] = []
    try:
        asyncio.run(servers.start(layout, lambda _name, _line: None, started))
        yield servers
    finally:
        asyncio.run(_stop(layout, started))


async def _stop(layout: Layout, names: list[str]) -> None:
    await process.stop(layout, names)


def _free_ports() -> dict[str, int]:
    chance = random.SystemRandom()
    ports: dict[str, int] = {}
    for name in PORT_NAMES:
        ports[name] = choose(ports.values(), chance)
    return ports
