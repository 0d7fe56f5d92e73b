"""The real servers and stand-ins for the services, started and stopped as `make` does it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from rondo_local import process
from rondo_local.failures import DiedAtStart
from rondo_local.layout import Layout
from rondo_local.servers import SERVER_NAMES
from rondo_local.services import Service, Step
from rondo_local.stack import Stack

STANDINS = Path(__file__).parent / "standins"
GATEWAY = Service("gateway", "standin_service", "GATEWAYS")
HISTORY = Service("history", "standin_service", "HISTORIES")
DOOMED = Service("doomed", "standin_service", "DOOMED")


def silently(_name: str, _line: str) -> None:
    """Tell nobody."""


def stack_in(directory: Path) -> Stack:
    return Stack(
        layout=Layout(root=directory / "a place", jars=Layout.of_checkout().jars),
        environ={**clean_environ(), "PYTHONPATH": str(STANDINS), "RONDO_EXTRA": "passed on"},
        say=silently,
        services=(GATEWAY, HISTORY),
        steps=(Step("nothing", ("timeit", "-n", "1", "pass")),),
    )


def clean_environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("RONDO_")}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = stack_in(tmp_path_factory.mktemp("stack"))
    try:
        asyncio.run(stack.up())
        yield stack
    finally:
        asyncio.run(stack.down())


def pids(stack: Stack) -> dict[str, int | None]:
    return {standing.name: standing.pid for standing in stack.status()}


def wait_until_dead(stack: Stack, names: Collection[str]) -> None:
    deadline = time.monotonic() + 20
    while any(pids(stack)[name] for name in names):
        assert time.monotonic() < deadline


def test_all_is_up_and_a_shell_can_source_where(stack: Stack) -> None:
    assert all(pids(stack).values())
    assert set(pids(stack)) == {*SERVER_NAMES, "gateway", "history"}

    script = '. "$0"; printf %s "$RONDO_URL $RONDO_API_KEY"'
    shown = subprocess.run(
        ["sh", "-c", script, stack.layout.env_file], capture_output=True, text=True, check=True
    )
    url, key = shown.stdout.split()
    assert key == "rk_standin"
    told = httpx.get(f"{url}/environ").json()
    assert told["RONDO_INSTANCE"] == "gateway"
    assert told["RONDO_EXTRA"] == "passed on"
    assert url.endswith(told["RONDO_HTTP_PORT"])


def test_a_second_up_starts_nothing_and_finds_the_same_addresses(stack: Stack) -> None:
    before = pids(stack)

    first, second = asyncio.run(stack.up()), asyncio.run(stack.up())

    assert pids(stack) == before
    assert first == second


def test_killed_processes_come_back_at_their_ports(stack: Stack) -> None:
    before = {standing.name: standing for standing in stack.status()}
    killed = {*SERVER_NAMES, "gateway"}
    for name in killed:
        os.kill(before[name].pid or 0, signal.SIGKILL)
    wait_until_dead(stack, killed)

    asyncio.run(stack.up())

    for standing in stack.status():
        assert standing.port == before[standing.name].port
        assert (standing.pid != before[standing.name].pid) == (standing.name in killed)


def test_more_instances_join_and_asking_for_fewer_stops_none(stack: Stack) -> None:
    more = replace(stack, environ={**stack.environ, "GATEWAYS": "2"})

    asyncio.run(more.up())
    asyncio.run(stack.up())

    assert pids(stack)["gateway-2"]
    assert len({standing.port for standing in stack.status()}) == len(stack.status())


def test_a_failed_up_stops_what_it_started_and_leaves_the_rest(stack: Stack) -> None:
    before = pids(stack)

    with pytest.raises(DiedAtStart, match=r"doomed ended at its start.*last words"):
        asyncio.run(replace(stack, services=(*stack.services, DOOMED)).up())

    assert pids(stack) == before


def test_an_interrupted_up_leaves_nothing_running(tmp_path: Path) -> None:
    async def interrupt() -> list[str]:
        valkey_is_ready = asyncio.Event()

        def listen(name: str, line: str) -> None:
            if (name, line.split(maxsplit=1)[0]) == ("valkey", "ready"):
                valkey_is_ready.set()

        up = asyncio.create_task(replace(stack_in(tmp_path), say=listen).up())
        await valkey_is_ready.wait()
        up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await up
        return process.recorded(stack_in(tmp_path).layout)

    assert asyncio.run(interrupt()) == []


def test_a_taken_port_is_one_line_on_stderr_and_nothing_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        environ = clean_environ() | {
            "RONDO_GATEWAY_PORT": port,
            "RONDO_LOCAL_DIR": str(tmp_path),
        }
        done = subprocess.run(
            [sys.executable, "-m", "rondo_local", "up"],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert f"port {port} for gateway is taken" in done.stderr
    assert "RONDO_GATEWAY_PORT" in done.stderr
    assert process.recorded(Layout.under(tmp_path)) == []


def test_down_removes_the_pid_files_and_clean_the_data(stack: Stack) -> None:
    asyncio.run(stack.down())
    assert stack.status() == []
    assert stack.layout.data.exists()

    asyncio.run(stack.clean())
    assert not stack.layout.data.exists()
    assert not stack.layout.env_file.exists()
    assert stack.layout.jars.exists()
