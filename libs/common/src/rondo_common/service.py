"""The start of a service, alike for all: settings from the environment, logs, then its life."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from rondo_common.logs import configure_logs
from rondo_common.process import run_process
from rondo_common.settings import ProcessSettings
from rondo_common.traces import traces_of

Settings = TypeVar("Settings", bound=BaseSettings)
Running = TypeVar("Running", bound=ProcessSettings)

WRONG_SETTINGS = 2


def read_settings(kind: type[Settings]) -> Settings:
    """The settings the environment gives.

    Raises:
        SystemExit: some are missing or wrong; a line on stderr names each variable and what is wrong.
    """
    try:
        return kind()
    except ValidationError as error:
        for problem in problems(error):
            print(f"{problem}; see docs/settings.md", file=sys.stderr)
        raise SystemExit(WRONG_SETTINGS) from None


def problems(error: ValidationError) -> list[str]:
    """What is wrong with settings: a line each, which names the variable and never its value."""
    found = []
    for each in error.errors(include_input=False):
        name = f"RONDO_{'_'.join(str(part) for part in each['loc'])}: ".upper()
        # What several settings do not have right together has no place: its text names them.
        found.append(f"{name if each['loc'] else ''}{each['msg'].removeprefix('Value error, ')}")
    return found


def run_service(
    name: str, kind: type[Running], run: Callable[[Running, asyncio.Event], Awaitable[None]]
) -> int:
    """Run a service until it is told to stop; the exit status of its process."""
    settings = read_settings(kind)
    configure_logs(
        log_format=settings.log_format,
        level=settings.log_level,
        service=name,
        instance=settings.instance,
    )
    with traces_of(name, settings.instance, os.environ):
        return run_process(lambda stop: run(settings, stop))
