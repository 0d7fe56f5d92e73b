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
from rondo_local.brokers import COUNTS, Brokers
from rondo_local.certificates import Certificates
from rondo_local.jars import Report
from rondo_local.kafka import Cluster, Kafka, controller_port_name, mtls_port_name
from rondo_local.layout import Layout
from rondo_local.ports import choose
from rondo_local.postgres import Postgres
from rondo_local.process import Program
from rondo_local.security import Security
from rondo_local.together import together
from rondo_local.valkey import Valkey

READY_TIMEOUT_S = 90.0
"""How long a server may take from its start: recovery after a crash included."""

_ALONE = ("valkey", "postgres")
SERVER_NAMES = (*Brokers().names, *_ALONE)
"""The servers of a stack with one Kafka node."""

_NAMES_EVER = frozenset((*Brokers(max(COUNTS)).names, *_ALONE))

Say = Callable[[str, str], None]
"""Tell the person who waits: which process, and what happens with it."""


def is_server(name: str) -> bool:
    """Whether the process of this name is a server, of a stack with however many Kafka nodes."""
    return name in _NAMES_EVER


def port_names(brokers: Brokers) -> list[str]:
    """What the servers' ports are called: as the servers, and two more of each Kafka node."""
    further = (part(name) for part in (controller_port_name, mtls_port_name) for name in brokers.names)
    return [*brokers.names, *further, *_ALONE]


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
    """Where the servers are; `kafka_bootstrap` lists every node."""

    kafka_bootstrap: str
    redis_url: str
    postgres_dsn: str


@dataclass(frozen=True)
class Servers:
    """The servers of one stack: the nodes of Kafka, and one of each other."""

    kafka: tuple[Kafka, ...]
    valkey: Valkey
    postgres: Postgres

    @classmethod
    def of(
        cls,
        layout: Layout,
        ports: Mapping[str, int],
        environ: Mapping[str, str],
        brokers: Brokers,
        security: Security | None = None,
    ) -> Servers:
        """The servers with their data in `layout`, at `ports` (one for each of `port_names`).

        With `security`, they serve over TLS, and let in whom they know.
        """
        cluster = Cluster.at(brokers, ports)
        kafka = tuple(
            Kafka(
                name,
                node,
                cluster,
                layout.data / name,
                layout.jars,
                ports[name],
                environ,
                ports[mtls_port_name(name)],
                security,
            )
            for node, name in enumerate(brokers.names, start=1)
        )
        valkey = Valkey(layout.data / "valkey", ports["valkey"], environ, security=security)
        postgres = Postgres(
            layout.data / "postgres",
            ports["postgres"],
            environ,
            # Only where it must speak TLS: the wheel's is there already.
            jars=layout.jars if security is not None else None,
            security=security,
        )
        return cls(kafka, valkey, postgres)

    @property
    def addresses(self) -> Addresses:
        """Where clients find them."""
        bootstrap = ",".join(node.address for node in self.kafka)
        return Addresses(bootstrap, self.valkey.address, self.postgres.address)

    def told(self, user: str) -> dict[str, str]:
        """The variables by which `user` finds them all, and is let in."""
        servers: tuple[Server, ...] = (self.kafka[0], self.valkey, self.postgres)
        told = {name: value for each in servers for name, value in each.told(user).items()}
        # Of a cluster, clients are told every node.
        return {**told, "RONDO_KAFKA_BOOTSTRAP": self.addresses.kafka_bootstrap}

    async def start(self, layout: Layout, say: Say, started: list[str]) -> None:
        """Start those that are down, all at once, and wait until all are ready.

        Appends the name of each to `started` when its process is there, so that the caller can
        undo it whatever happens. Raises LocalFailure.
        """
        servers: tuple[Server, ...] = (*self.kafka, self.valkey, self.postgres)
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
def local_servers(
    directory: Path, *, jars: Path | None = None, brokers: Brokers | None = None
) -> Iterator[Addresses]:
    """Run the servers in `directory` on free ports while the body runs.

    Their data and logs stay in `directory`. The Kafka download is shared with the checkout's
    own stack unless `jars` names another place. Not for use inside a running event loop.
    Raises LocalFailure; whatever happens, nothing is left running.
    """
    with running_servers(directory, jars=jars, brokers=brokers) as servers:
        yield servers.addresses


@contextmanager
def running_servers(
    directory: Path, *, jars: Path | None = None, brokers: Brokers | None = None, secure: bool = False
) -> Iterator[Servers]:
    """As :func:`local_servers`, secure if wanted; what yields says who is let in how (`told`)."""
    jars = jars or Layout.of_checkout().jars
    layout = Layout(root=directory.resolve(), jars=jars)
    layout.prepare()
    brokers = brokers or Brokers()
    security = Security(Certificates(layout.certificates), secrets.token_urlsafe()) if secure else None
    servers = Servers.of(layout, _free_ports(brokers), os.environ, brokers, security)
    started: list[str] = []
    try:
        asyncio.run(servers.start(layout, lambda _name, _line: None, started))
        yield servers
    finally:
        asyncio.run(_stop(layout, started))


async def _stop(layout: Layout, names: list[str]) -> None:
    await process.stop(layout, names)


def _free_ports(brokers: Brokers) -> dict[str, int]:
    chance = random.SystemRandom()
    ports: dict[str, int] = {}
    for name in port_names(brokers):
        ports[name] = choose(ports.values(), chance)
    return ports
