"""The whole stack: up, down, clean, status."""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from rondo_common.access import OPERATORS
from rondo_local import brokers, env_file, ports, process, state
from rondo_local.certificates import Certificates
from rondo_local.command import run_logged
from rondo_local.exclusive import exclusively
from rondo_local.kafka import controller_port_name, mtls_port_name
from rondo_local.layout import Layout
from rondo_local.security import Security
from rondo_local.servers import Say, Servers, is_server, port_names
from rondo_local.services import (
    SERVICES,
    STEPS,
    Instance,
    Service,
    Step,
    Surroundings,
    instances,
    internal_port_name,
)
from rondo_local.together import together
from rondo_local.workspace import demo_api_key

READY_TIMEOUT_S = 60.0
"""How long a service may take from its start until /readyz says 200."""

READY_REQUEST_TIMEOUT_S = 5.0
LET_GO_TIMEOUT_S = 5.0

_SERVER_PORT_VARIABLES = {
    "kafka": "RONDO_KAFKA_PORT",
    "valkey": "RONDO_VALKEY_PORT",
    "postgres": "RONDO_POSTGRES_PORT",
}


@dataclass(frozen=True)
class Standing:
    """How one process is: its pid while it runs, its port if it is known."""

    name: str
    pid: int | None
    port: int | None


@dataclass(frozen=True)
class Stack:
    """One local stack. `say` is told what happens; `services` and `steps` are what it runs."""

    layout: Layout
    environ: Mapping[str, str] = field(repr=False)
    say: Say
    services: Sequence[Service] = SERVICES
    steps: Sequence[Step] = STEPS

    async def up(self) -> dict[str, str]:
        """Start what is down, wait until all is ready, write and return the environment file.

        Raises LocalFailure or OSError, or is cancelled: then whatever this call has started is
        stopped again, and what ran before still runs.
        """
        async with exclusively(self.layout.lock_file, self._tell_of_the_wait):
            self.layout.prepare()
            wanted = instances(self.services, self.environ, process.recorded(self.layout))
            remembered = self._settled_state(wanted, await self._alive_once_the_dead_let_go())
            started: list[str] = []
            try:
                return await self._bring_up(wanted, remembered, started)
            except BaseException:
                await self._stop(started)
                raise

    async def down(self) -> None:
        """Stop everything that has a pid file, services first, and remove the pid files."""
        async with exclusively(self.layout.lock_file, self._tell_of_the_wait):
            await self._stop(process.recorded(self.layout))

    async def clean(self) -> None:
        """Stop everything, then delete data, logs and state. The Kafka download stays."""
        async with exclusively(self.layout.lock_file, self._tell_of_the_wait):
            await self._stop(process.recorded(self.layout))
            layout = self.layout
            for directory in (layout.data, layout.logs, layout.run, layout.certificates):
                await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
            self.layout.state_file.unlink(missing_ok=True)
            self.layout.env_file.unlink(missing_ok=True)

    def status(self) -> list[Standing]:
        """How every process with a pid file is, servers first."""
        remembered = state.load(self.layout.state_file)
        known = remembered.ports if remembered else {}
        standings = []
        for name in sorted(process.recorded(self.layout), key=lambda n: not is_server(n)):
            identity = process.running(self.layout, name)
            standings.append(Standing(name, identity.pid if identity else None, known.get(name)))
        return standings

    async def _alive_once_the_dead_let_go(self) -> list[str]:
        # A killed process holds its port a moment longer than its pid, and `up` may come in
        # between. What is still taken after this wait is taken by somebody else.
        remembered = state.load(self.layout.state_file)
        known = remembered.ports if remembered else {}
        names = process.recorded(self.layout)
        alive = [name for name in names if process.running(self.layout, name)]
        await _until_free([known[name] for name in names if name in known and name not in alive])
        return alive

    def _settled_state(self, wanted: Sequence[Instance], alive: Sequence[str]) -> state.State:
        found = state.load(self.layout.state_file)
        kafka = brokers.chosen(self.environ, found.brokers if found else None)
        before = found or state.State.fresh(brokers=kafka.count)
        before = before.with_secrets_of(self.environ, anything_runs=bool(alive))
        before = before.as_secure_as(self.environ, anything_runs=bool(alive))
        variables = dict(_SERVER_PORT_VARIABLES)
        variables.update({service.name: service.port_variable for service in self.services})
        chance = random.SystemRandom()
        settled = ports.settle(
            [*port_names(kafka), *(name for instance in wanted for name in instance.port_names)],
            remembered=before.ports,
            wanted=ports.from_environment(self.environ, variables),
            alive=[
                *alive,
                *(controller_port_name(name) for name in alive),
                *(mtls_port_name(name) for name in alive),
                *(internal_port_name(name) for name in alive),
            ],
            variables=variables,
            free=ports.is_free,
            pick=lambda taken: ports.choose(taken, chance),
        )
        now = before.model_copy(update={"ports": settled})
        state.save(now, self.layout.state_file)
        return now

    async def _bring_up(
        self, wanted: Sequence[Instance], remembered: state.State, started: list[str]
    ) -> dict[str, str]:
        servers = self.servers(remembered)
        await servers.start(self.layout, self.say, started)
        surroundings = Surroundings(self.environ, remembered, servers)
        await together(self._run_step(step, surroundings) for step in self.steps)
        await together(self._start(one, surroundings, started) for one in wanted)
        key = await demo_api_key(surroundings.url("gateway"), remembered.root_key, remembered.demo_api_key)
        state.save(remembered.model_copy(update={"demo_api_key": key}), self.layout.state_file)
        values = _for_a_shell(surroundings, key)
        state.write_privately(self.layout.env_file, env_file.rendered(values))
        return values

    def servers(self, remembered: state.State) -> Servers:
        """The servers of a stack in this state, running or not."""
        security = None
        if remembered.secure:
            security = Security(Certificates(self.layout.certificates), remembered.password_seed)
        kafka = brokers.Brokers(remembered.brokers)
        return Servers.of(self.layout, remembered.ports, self.environ, kafka, security)

    async def _run_step(self, step: Step, surroundings: Surroundings) -> None:
        began = time.monotonic()
        await run_logged(
            step.name,
            (sys.executable, "-m", *step.words),
            cwd=self.layout.run,
            env=surroundings.of(step.name),
            log=self.layout.log_file(step.name),
        )
        self.say(step.name, f"done ({time.monotonic() - began:.1f} s)")

    async def _start(self, instance: Instance, surroundings: Surroundings, started: list[str]) -> None:
        began = time.monotonic()
        name = instance.name
        identity = process.running(self.layout, name)
        if identity is None:
            await _until_free([surroundings.state.ports[name]])  # It may have died just now.
            identity = process.launch(surroundings.program(instance, self.layout), self.layout)
            started.append(name)
        url = surroundings.url(name)
        async with httpx.AsyncClient(timeout=READY_REQUEST_TIMEOUT_S, trust_env=False) as http:

            async def is_ready() -> bool:
                try:
                    return (await http.get(f"{url}/readyz")).is_success
                except httpx.HTTPError:
                    return False

            await process.until_ready(name, identity, self.layout, is_ready, READY_TIMEOUT_S)
        verb = "ready" if name in started else "already running"
        self.say(name, f"{verb} at {url} ({time.monotonic() - began:.1f} s)")

    async def _stop(self, names: Sequence[str]) -> None:
        services = [name for name in names if not is_server(name)]
        servers = [name for name in names if is_server(name)]
        for group in (services, servers):
            if group:
                self.say("stack", f"stopping {', '.join(group)}")
            for name in await process.stop(self.layout, group):
                self.say(name, f"killed: it had not ended after {process.STOP_TIMEOUT_S:.0f} s")

    def _tell_of_the_wait(self) -> None:
        self.say("stack", "another command is changing this stack: waiting for it")


async def _until_free(numbers: Sequence[int]) -> None:
    """Wait until nobody listens on these ports, at most LET_GO_TIMEOUT_S."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + LET_GO_TIMEOUT_S
    while clock() < deadline and not all(ports.is_free(number) for number in numbers):
        await asyncio.sleep(process.POLL_S)


def _for_a_shell(surroundings: Surroundings, api_key: str) -> dict[str, str]:
    return {
        "RONDO_URL": surroundings.url("gateway"),
        "RONDO_ROOT_KEY": surroundings.state.root_key,
        **surroundings.servers.told(OPERATORS),
        "RONDO_HISTORY_URL": surroundings.url("history"),
        "RONDO_API_KEY": api_key,
    }
