"""The command line: `python -m rondo_local up|down|clean|status|demo|images`."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from rondo_local.compose import Compose
from rondo_local.failures import LocalFailure, explained
from rondo_local.images import Images
from rondo_local.layout import Layout
from rondo_local.pages import Pages
from rondo_local.stack import Stack
from rondo_local.state import SECURE_VARIABLE

Result = TypeVar("Result")

INTERRUPTED = 130

app = typer.Typer(
    help="Rondo's local stack: Kafka, Valkey, PostgreSQL and the services, on loopback.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    no_args_is_help=True,
)

Count = Annotated[int | None, typer.Option(help="How many; 1 unless set, or as its variable says.")]
BrokerCount = Annotated[
    int | None, typer.Option(help="How many Kafka nodes: 1, 3 or 5, and for good; BROKERS unless set.")
]


@app.command()
def up(
    routers: Count = None,
    gateways: Count = None,
    notifiers: Count = None,
    histories: Count = None,
    live_metrics: Count = None,
    brokers: BrokerCount = None,
    secure: Annotated[
        bool | None,
        typer.Option("--secure/--plain", help="TLS, passwords and ACLs; else as it was, at first plain."),
    ] = None,
) -> None:
    """Start what is down and wait until all is ready. Never stops a process."""
    counts = {
        "ROUTERS": routers,
        "GATEWAYS": gateways,
        "NOTIFIERS": notifiers,
        "HISTORIES": histories,
        "LIVE_METRICS": live_metrics,
        "BROKERS": brokers,
    }
    given = {name: str(count) for name, count in counts.items() if count is not None}
    if secure is not None:
        given[SECURE_VARIABLE] = "1" if secure else "0"
    began = time.monotonic()
    stack = _stack(given)
    values = _run(stack.up())
    print(f"\nRondo is up at {values['RONDO_URL']} ({time.monotonic() - began:.1f} s)")
    print(f"  addresses and keys   source {_short(stack.layout.env_file)}")
    print(f"  logs                 {_short(stack.layout.logs)}")
    print("  stop it              make down")


@app.command()
def down() -> None:
    """Stop everything that runs; the data stays."""
    _run(_stack({}).down())
    print("Rondo is down")


@app.command()
def clean() -> None:
    """Stop everything and delete data, logs, keys and ports. Downloads stay."""
    stack = _stack({})
    _run(stack.clean())
    print(f"Data deleted; the Kafka download in {_short(stack.layout.jars)} is kept")


@app.command()
def status() -> None:
    """Show every process: running or dead, its pid and its port."""
    standings = _guarded(_stack({}).status)
    if not standings:
        print("Rondo is down")
    for one in standings:
        pid = f"running, pid {one.pid}" if one.pid else "dead: `make up` restarts it"
        print(f"{one.name:<14} port {one.port or '?':<6} {pid}")


class PagesWork(StrEnum):
    """What to do with the pages."""

    BUILD = "build"
    CHECK = "check"
    FORMAT = "format"


@app.command()
def pages(work: Annotated[PagesWork, typer.Argument()] = PagesWork.BUILD) -> None:
    """Build the pages for browsers if they changed, check them, or format their code."""
    of_checkout = _guarded(lambda: Pages.of_checkout(_say))
    works = {
        PagesWork.BUILD: of_checkout.build,
        PagesWork.CHECK: of_checkout.check,
        PagesWork.FORMAT: of_checkout.format,
    }
    _run(works[work]())


@app.command()
def images() -> None:
    """Build the image of every service, with docker, podman or buildah."""
    _guarded(lambda: Images.of_checkout(os.environ, _say).build())


class ComposeWork(StrEnum):
    """What to do with the composed installation."""

    UP = "up"
    DOWN = "down"


@app.command()
def compose(work: Annotated[ComposeWork, typer.Argument()] = ComposeWork.UP) -> None:
    """Run all of Rondo in containers, or stop it; the data stays."""
    installation = _guarded(lambda: Compose.of_checkout(os.environ))
    works = {ComposeWork.UP: installation.up, ComposeWork.DOWN: installation.down}
    _guarded(works[work])
    if work is ComposeWork.UP:
        port = os.environ.get("RONDO_PORT") or "8080"
        print(f"\nRondo is up at http://localhost:{port}")
        print(f"  keys      source {_short(installation.keys_file)}")
        print("  stop it   make compose-down")


@app.command()
def demo() -> None:
    """Play one conversation on the running stack."""
    # Imported when it is asked for: the story needs more than starting and stopping does.
    _guarded(importlib.import_module("rondo_local.demo").main)


def _stack(counts: dict[str, str]) -> Stack:
    chosen = os.environ.get("RONDO_LOCAL_DIR")
    layout = Layout.under(Path(chosen)) if chosen else _guarded(Layout.of_checkout)
    return Stack(layout, {**os.environ, **counts}, _say)


def _say(name: str, line: str) -> None:
    try:
        print(f"{name:<14} {line}", flush=True)
    except BrokenPipeError:
        # Nobody reads on (`make up | head`): the work, and cleaning up after it, goes on.
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _run(work: Coroutine[object, object, Result]) -> Result:
    return _guarded(lambda: asyncio.run(_interruptible(work)))


async def _interruptible(work: Coroutine[object, object, Result]) -> Result:
    """Let Ctrl-C and termination cancel the work once, so that it can clean up undisturbed."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()

    def cancel() -> None:
        for number in signals:
            loop.add_signal_handler(number, lambda: None)
        print("\ninterrupted: cleaning up", file=sys.stderr, flush=True)
        if task is not None:
            task.cancel()

    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    # Under nohup a hang-up is ignored, and stays so.
    signals = [number for number in wanted if signal.getsignal(number) is not signal.SIG_IGN]
    for number in signals:
        loop.add_signal_handler(number, cancel)
    try:
        return await work
    except asyncio.CancelledError:
        raise typer.Exit(INTERRUPTED) from None


def _guarded(action: Callable[[], Result]) -> Result:
    """Do it; a failure becomes one line on stderr and exit status 1."""
    try:
        return action()
    except LocalFailure as failure:
        print(f"rondo: {failure}", file=sys.stderr)
    except OSError as error:
        print(f"rondo: {explained(error)}", file=sys.stderr)
    raise typer.Exit(1)


if __name__ == "__main__":
    # Clients complain while a server is not there yet; what matters of it is said in one line.
    for client in ("aiokafka", "kafka", "asyncio"):
        logging.getLogger(client).setLevel(logging.CRITICAL)
    app(prog_name="rondo_local")
