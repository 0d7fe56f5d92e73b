"""Rondo's own processes: which there are, how many of each, and what each is told."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rondo_local.failures import CannotRun
from rondo_local.layout import Layout
from rondo_local.ports import HOST
from rondo_local.process import Program
from rondo_local.servers import Servers
from rondo_local.state import State

INSTANCES_MAX = 32
PUBLIC_SERVICE = "gateway"


@dataclass(frozen=True)
class Service:
    """A kind of process: `python -m <module>`, as many as `count_variable` says."""

    name: str
    module: str
    count_variable: str

    @property
    def port_variable(self) -> str:
        """The variable that sets the port of the first instance."""
        return f"RONDO_{self.name.upper().replace('-', '_')}_PORT"


@dataclass(frozen=True)
class Step:
    """A command between the servers and the services: `python -m <words>`, harmless if repeated."""

    name: str
    words: tuple[str, ...]


SERVICES = (
    Service("history", "rondo_history", "HISTORIES"),
    Service("live-metrics", "rondo_history.live_metrics", "LIVE_METRICS"),
    Service("notifier", "rondo_notifier", "NOTIFIERS"),
    Service("router", "rondo_router", "ROUTERS"),
    Service("gateway", "rondo_gateway", "GATEWAYS"),
)

STEPS = (
    Step("create-topics", ("rondo_common", "create-topics")),
    Step("migrate", ("rondo_history", "migrate")),
)


@dataclass(frozen=True)
class Instance:
    """One process of a service: `router`, `router-2`, and so on."""

    name: str
    service: Service

    @property
    def internal_port_name(self) -> str | None:
        """What the port is called that only those inside may reach; None: all of its ports are such."""
        return internal_port_name(self.name) if self.service.name == PUBLIC_SERVICE else None

    @property
    def port_names(self) -> tuple[str, ...]:
        """Every port it listens on."""
        return (self.name,) if self.internal_port_name is None else (self.name, self.internal_port_name)


def internal_port_name(instance: str) -> str:
    """What the internal port of a public process is called."""
    return f"{instance}-internal"


def instances(
    services: Iterable[Service], environ: Mapping[str, str], recorded: Iterable[str]
) -> list[Instance]:
    """Every instance that should run: as many as asked for, and those recorded already.

    A recorded one has been started before and not been stopped by `down`, so that it comes
    back when it died, even if fewer are asked for now. Raises CannotRun for a count that is none.
    """
    earlier = set(recorded)
    wanted: list[Instance] = []
    for service in services:
        count = _count(service, environ)
        for number in range(1, INSTANCES_MAX + 1):
            name = service.name if number == 1 else f"{service.name}-{number}"
            if number <= count or name in earlier:
                wanted.append(Instance(name, service))
    return wanted


def _count(service: Service, environ: Mapping[str, str]) -> int:
    text = environ.get(service.count_variable) or "1"
    if not (text.isdecimal() and 1 <= int(text) <= INSTANCES_MAX):
        raise CannotRun(f"{service.count_variable}={text!r} is not a count: set 1 to {INSTANCES_MAX}")
    return int(text)


_OF_SERVERS = tuple(
    f"RONDO_{server}_{what}"
    for server in ("KAFKA", "REDIS", "POSTGRES")
    for what in (
        "SECURITY_",
        "CA_",
        "CERTIFICATE_",
        "KEY_",
        "SASL_",
        "USERNAME",
        "PASSWORD",
        "DSN",
        "RUN_ROLE",
    )
)


@dataclass(frozen=True)
class Surroundings:
    """What the stack's own processes are told, each as the user it is to the servers."""

    environ: Mapping[str, str]
    state: State
    servers: Servers

    def of(self, user: str) -> dict[str, str]:
        """The environment of a step or service: the caller's, then how `user` is let in here."""
        return {
            "RONDO_LOG_FORMAT": "json",
            "RONDO_DEMO_PAGES": "true",
            **self._public(),
            # What the caller may have sourced for other servers, or as another user, would mix with ours.
            **{name: value for name, value in self.environ.items() if not name.startswith(_OF_SERVERS)},
            "RONDO_ROOT_KEY": self.state.root_key,
            "RONDO_TOKEN_SECRET": self.state.token_secret,
            "RONDO_VAPID_PRIVATE_KEY": self.state.vapid_private_key,
            **self.servers.told(user),
            "RONDO_HISTORY_URL": self.url("history"),
            "RONDO_HTTP_HOST": HOST,
        }

    def _public(self) -> dict[str, str]:
        """Where browsers find the inbox, once the gateway has a port."""
        return {"RONDO_PUBLIC_URL": self.url("gateway")} if "gateway" in self.state.ports else {}

    def program(self, instance: Instance, layout: Layout) -> Program:
        """How to start one instance."""
        env = {
            **self.of(instance.service.name),
            "RONDO_HTTP_PORT": str(self.state.ports[instance.name]),
            "RONDO_INSTANCE": instance.name,
        }
        if instance.internal_port_name is not None:
            env["RONDO_INTERNAL_PORT"] = str(self.state.ports[instance.internal_port_name])
        argv = (sys.executable, "-m", instance.service.module)
        # `-m` searches the working directory first: in this one there are only pid files.
        return Program(instance.name, argv, layout.run, env)

    def url(self, name: str) -> str:
        """The address of a process of ours, without a path."""
        return f"http://{HOST}:{self.state.ports[name]}"
