"""The whole stack, real processes and all, once for a test run."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from rondo_local.layout import Layout
from rondo_local.stack import Stack
from tests.e2e.client import Caller, Workspace, new_workspace
from tests.otlp_receiver import OtlpReceiver, receiving_otlp

REQUEST_TIMEOUT_S = 60.0
ROUTERS = "3"
GATEWAYS = "2"


@dataclass
class RunningStack:
    """A stack of this run's own: where it is, and means to hurt and to heal it."""

    stack: Stack
    env: dict[str, str]
    traces: OtlpReceiver
    """Where every process sends the traces of requests whose caller wants them."""

    def pid(self, name: str) -> int:
        return int(self.stack.layout.pid_file(name).read_text(encoding="utf-8").split()[0])

    def url(self, name: str) -> str:
        """Where one process listens."""
        state = json.loads(self.stack.layout.state_file.read_text(encoding="utf-8"))
        return f"http://127.0.0.1:{state['ports'][name]}"

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        os.kill(self.pid(name), number)

    async def heal(self) -> None:
        """``make up`` again: starts what is down."""
        await self.stack.up()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    layout = Layout(root=Path(tmp_path_factory.mktemp("stack")), jars=Layout.of_checkout().jars)
    # The tests' own receivers are on this machine.
    allowed = {"RONDO_WEBHOOK_ALLOW_PRIVATE": "true"}
    # Nobody needs them: they are there not to be told.
    secret = {
        "RONDO_OIDC_CLIENT_SECRET": f"oidc-{secrets.token_hex(20)}",
        "RONDO_SMTP_URL": f"smtp://rondo:smtp-{secrets.token_hex(20)}@127.0.0.1:9",
    }
    with receiving_otlp() as traces:
        traced = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": traces.url,
            "OTEL_TRACES_SAMPLER": "parentbased_always_off",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        environ = {**os.environ, "ROUTERS": ROUTERS, "GATEWAYS": GATEWAYS, **allowed, **secret, **traced}
        stack = Stack(layout, environ, lambda name, line: print(f"{name:<14} {line}"))
        env = asyncio.run(stack.up())
        try:
            yield RunningStack(stack, env, traces)
        finally:
            asyncio.run(stack.down())


@pytest.fixture
def dead_gateways() -> Iterator[None]:
    """For tests in which gateways die. httpx leaves a socket that its server's death cut off to the
    collector, which would find it, and complain, in whatever test is running then."""
    yield
    gc.collect()


@pytest.fixture
async def root(running: RunningStack) -> AsyncIterator[Caller]:
    """The operator of the installation."""
    limits = httpx.Limits(max_connections=500)
    async with httpx.AsyncClient(
        base_url=running.env["RONDO_URL"], timeout=REQUEST_TIMEOUT_S, limits=limits, trust_env=False
    ) as http:
        yield Caller(http, {"Authorization": f"Bearer {running.env['RONDO_ROOT_KEY']}"})


@pytest.fixture
async def workspace(root: Caller) -> Workspace:
    """A workspace with nobody in it."""
    return await new_workspace(root)
