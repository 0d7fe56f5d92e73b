"""A secure stack of the tests' own, real processes and all, once for all tests of security."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from rondo_common.given_settings import settings_of
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.kafka.settings import KafkaSettings
from rondo_common.kafka.topic_admin import create_topics
from rondo_common.topics import TOPICS
from rondo_local import state
from rondo_local.kafka_security import ADMINISTERING, KafkaEntrance
from rondo_local.layout import Layout
from rondo_local.servers import Servers, running_servers
from rondo_local.stack import Stack
from tests.e2e.client import Caller, Workspace, new_workspace

REQUEST_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class SecureServers:
    """Servers over TLS, with users and ACLs."""

    servers: Servers

    @property
    def entrance(self) -> KafkaEntrance:
        """How users come in at Kafka."""
        entrance = self.servers.kafka[0].entrance
        assert entrance is not None
        return entrance

    def by_password(self, user: str) -> KafkaConnection:
        """A user at Kafka, as the stack's own processes come."""
        told = self.servers.told(user)
        return KafkaConnection.of(settings_of(KafkaSettings, told), client_id=f"tests-{user}")

    def by_certificate(self, user: str) -> KafkaConnection:
        told = self.entrance.told_with_certificate(user)
        return KafkaConnection.of(settings_of(KafkaSettings, told), client_id=f"tests-{user}")

    @property
    def admin(self) -> KafkaConnection:
        (step,) = ADMINISTERING
        return self.by_password(step)


@dataclass(frozen=True)
class SecureStack(SecureServers):
    """The services too, each as a user of its own; and what `make up` says of it to a shell."""

    env: dict[str, str] = field(repr=False)
    layout: Layout


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureStack]:
    layout = Layout(root=Path(tmp_path_factory.mktemp("secure")), jars=Layout.of_checkout().jars)
    # The tests' own receivers are on this machine.
    environ = {**os.environ, "SECURE": "1", "RONDO_WEBHOOK_ALLOW_PRIVATE": "true"}
    stack = Stack(layout, environ, lambda name, line: print(f"{name:<14} {line}"))
    env = asyncio.run(stack.up())
    try:
        remembered = state.load(layout.state_file)
        assert remembered is not None
        yield SecureStack(stack.servers(remembered), env, layout)
    finally:
        asyncio.run(stack.down())


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureServers]:
    """Servers without services, with all topics: whatever is written there, nobody minds."""
    with running_servers(Path(tmp_path_factory.mktemp("secure-servers")), secure=True) as servers:
        secure = SecureServers(servers)
        asyncio.run(create_topics(secure.admin, TOPICS, replication_factor=1))
        yield secure


@pytest.fixture
async def root(running: SecureStack) -> AsyncIterator[Caller]:
    """The operator of the installation."""
    async with httpx.AsyncClient(
        base_url=running.env["RONDO_URL"], timeout=REQUEST_TIMEOUT_S, trust_env=False
    ) as http:
        yield Caller(http, {"Authorization": f"Bearer {running.env['RONDO_ROOT_KEY']}"})


@pytest.fixture
async def workspace(root: Caller) -> Workspace:
    """A workspace with nobody in it."""
    return await new_workspace(root)
