"""Which port each process listens on: set by its variable, else chosen once and remembered."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Collection, Mapping, Sequence

from rondo_local.failures import PortMoved, PortTaken

HOST = "127.0.0.1"

AUTOMATIC_PORTS = range(20_000, 30_000)
"""Below the range that systems hand out to outgoing connections: such a connection could
otherwise sit on the port of a process that is just being restarted."""

_CHOICES_MAX = 1_000


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections that linger after a stop do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def choose(taken: Collection[int], chance: random.Random) -> int:
    """A free loopback port that is not in `taken`. Raises PortTaken when none is found."""
    for _ in range(_CHOICES_MAX):
        port = chance.choice(AUTOMATIC_PORTS)
        if port not in taken and is_free(port):
            return port
    raise PortTaken(
        f"no free port between {AUTOMATIC_PORTS.start} and {AUTOMATIC_PORTS.stop - 1}: "
        "stop some programs that listen on loopback"
    )


def settle(
    names: Sequence[str],
    *,
    remembered: Mapping[str, int],
    wanted: Mapping[str, int],
    alive: Collection[str],
    variables: Mapping[str, str],
    free: Callable[[int], bool],
    pick: Callable[[Collection[int]], int],
) -> dict[str, int]:
    """The port of every name, keeping those remembered.

    `wanted` are the ports that the caller set, `alive` the processes that run now, and
    `variables` the name of each port's variable. While anything runs no port moves, because
    what runs knows the old one.

    Raises PortTaken and PortMoved.
    """
    settled = {name: port for name, port in remembered.items() if name not in wanted}
    for name in names:
        port = wanted.get(name, remembered.get(name))
        if alive and name in remembered and port != remembered[name]:
            raise PortMoved(
                f"{variables[name]}={port}, but the running stack has {name} at port "
                f"{remembered[name]}: run `make down` first"
            )
        if port is not None and name not in alive and not free(port):
            if name in wanted or alive:
                raise _taken(name, port, variables)
            port = None
        reserved = {*settled.values(), *wanted.values()}
        settled[name] = pick(reserved) if port is None else port
    return settled


def from_environment(environ: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, int]:
    """The ports set in `environ`, by process name. Raises PortTaken for what is no port."""
    ports: dict[str, int] = {}
    for name, variable in variables.items():
        text = environ.get(variable, "")
        if not text:
            continue
        if not (text.isdecimal() and 0 < int(text) < 2**16):
            raise PortTaken(f"{variable}={text!r} is not a port: set a number from 1 to 65535")
        ports[name] = int(text)
    return ports


def _taken(name: str, port: int, variables: Mapping[str, str]) -> PortTaken:
    remedy = f"set {variables[name]} to a free one" if name in variables else "run `make down`"
    return PortTaken(f"port {port} for {name} is taken by another program: stop that program, or {remedy}")
