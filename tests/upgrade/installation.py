"""An installation on one set of servers, whose processes may be of different versions."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace

import httpx

from rondo_local import ports, process
from rondo_local.brokers import Brokers
from rondo_local.command import run_logged
from rondo_local.layout import Layout
from rondo_local.servers import Servers, port_names
from rondo_local.services import STEPS, Instance, Surroundings
from rondo_local.state import State
from rondo_local.together import together
from tests.upgrade.phases import instances
from tests.upgrade.versions import Version

READY_TIMEOUT_S = 180.0
PROBE_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Installation:
    """Servers of this version, and services of either."""

    layout: Layout
    servers: Servers
    surroundings: Surroundings

    @classmethod
    def in_directory(cls, layout: Layout) -> Installation:
        """An installation with nothing in it; nothing runs yet."""
        chance = random.SystemRandom()
        chosen: dict[str, int] = {}
        names = (name for each in instances() for name in each.port_names)
        for name in (*port_names(Brokers()), *names):
            chosen[name] = ports.choose(chosen.values(), chance)
        state = State.fresh().model_copy(update={"ports": chosen})
        servers = Servers.of(layout, chosen, os.environ, Brokers())
        return cls(layout, servers, Surroundings(os.environ, state, servers))

    @property
    def root_key(self) -> str:
        """The operator's credential."""
        return self.surroundings.state.root_key

    def url(self, name: str) -> str:
        """Where a process listens."""
        return self.surroundings.url(name)

    async def start_servers(self) -> None:
        """Start Kafka, Valkey and PostgreSQL."""
        self.layout.prepare()
        await self.servers.start(self.layout, lambda _name, _line: None, [])

    async def prepare(self, version: Version) -> None:
        """Make the topics and the schema of a version."""
        for step in STEPS:
            await run_logged(
                step.name,
                (str(version.python), "-m", *step.words),
                cwd=self.layout.run,
                env=self.surroundings.of(step.name),
                log=self.layout.log_file(step.name),
            )

    async def start(self, version: Version, which: Iterable[Instance]) -> None:
        """Start instances of a version, and wait until they are ready."""
        await together(self._start(version, each) for each in which)

    async def stop(self, which: Iterable[Instance]) -> None:
        """Tell instances to end, and wait until they have, by themselves."""
        killed = await process.stop(self.layout, [each.name for each in which])
        assert killed == [], f"{killed} did not end in time"

    async def stop_all(self) -> None:
        """Stop whatever runs, services first."""
        await process.stop(self.layout, [each.name for each in instances()])
        await process.stop(self.layout, process.recorded(self.layout))

    async def _start(self, version: Version, instance: Instance) -> None:
        program = self.surroundings.program(instance, self.layout)
        program = replace(program, argv=(str(version.python), *program.argv[1:]))
        identity = process.launch(program, self.layout)
        async with httpx.AsyncClient(timeout=PROBE_TIMEOUT_S, trust_env=False) as http:

            async def is_ready() -> bool:
                try:
                    return (await http.get(f"{self.url(instance.name)}/readyz")).is_success
                except httpx.HTTPError:
                    return False

            await process.until_ready(instance.name, identity, self.layout, is_ready, READY_TIMEOUT_S)
