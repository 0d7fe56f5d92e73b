"""The command: every examination side by side, then what was found."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import entry_points
from typing import Annotated

import typer
from rich.console import Console

from rondo_command.doctor.kafka import examine_kafka
from rondo_command.doctor.mail import examine_mail
from rondo_command.doctor.redis import examine_redis
from rondo_command.doctor.services import examine_services
from rondo_common.examination import ENTRY_POINTS, Examination, Finding, Level, wrong

EXAMINATION_S_MAX = 30.0
SOMETHING_IS_WRONG = 1

OWN: Mapping[str, Examination] = {
    "kafka": examine_kafka,
    "redis": examine_redis,
    "services": examine_services,
    "mail": examine_mail,
}
"""Packages add theirs: PostgreSQL's is the history's."""

MARKS = {Level.OK: ("✓", "green"), Level.WARNING: ("!", "yellow"), Level.WRONG: ("✗", "red")}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For machines")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only what is not as it should be")] = False,
) -> None:
    """Look at every dependency, topic and service: what is wrong, and how to mend it.

    Changes nothing. The exit status is 1 when anything is wrong.
    """
    found = asyncio.run(examine(os.environ))
    shown = [each for each in found if not quiet or each.level is not Level.OK]
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in shown], indent=2))
    else:
        _print(shown, found)
    if any(each.level is Level.WRONG for each in found):
        raise typer.Exit(SOMETHING_IS_WRONG)


async def examine(environ: Mapping[str, str]) -> list[Finding]:
    """All that can be found, in a steady order."""
    added = {each.name: each.load() for each in entry_points(group=ENTRY_POINTS)}
    examinations: dict[str, Examination] = {**OWN, **dict(sorted(added.items()))}
    found = await asyncio.gather(*(_one(name, each, environ) for name, each in examinations.items()))
    return [finding for findings in found for finding in findings]


async def _one(name: str, examination: Examination, environ: Mapping[str, str]) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(EXAMINATION_S_MAX):
            return await examination(environ)
    except TimeoutError:
        says = f"no answer within {EXAMINATION_S_MAX:.0f} s"
        return [wrong(name, says, "look whether it is overloaded, or something on the way drops packets")]


def _print(shown: Sequence[Finding], found: Sequence[Finding]) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for each in shown:
        mark, colour = MARKS[each.level]
        console.print(f"{mark} {each.subject}: ", style=colour, end="")
        console.print(each.says)
        if each.remedy:
            console.print(f"    → {each.remedy}")
    counts = {level: sum(each.level is level for each in found) for level in Level}
    console.print(f"{counts[Level.WRONG]} wrong, {counts[Level.WARNING]} doubtful, {counts[Level.OK]} fine")
