"""The router's share of the command line ``rondo``: replaying recorded chats."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from rondo_common.ids import WorkspaceId
from rondo_router import bootstrap
from rondo_router.domain.changed_directory import BadChanges, read_changes
from rondo_router.domain.replay import Outcome
from rondo_router.handlers.replaying import Compared, UnknownWorkspace
from rondo_router.settings import ReplaySettings

MISUSED = 2

Moment = Annotated[str, typer.Option(help="A time such as 2026-01-31T09:00:00Z")]


def replay(
    workspace: Annotated[str, typer.Option(help="The workspace's id")],
    since: Annotated[str, typer.Option("--from", help="From when: 2026-01-31T09:00:00Z")],
    until: Annotated[str, typer.Option("--to", help="Until when, exclusive")],
    directory: Annotated[
        Path | None, typer.Option(help="A JSON file of changes: {kind: {id: fields or null}}")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines")] = False,
) -> None:
    """Run the recorded chats of a time span again: who would have got what, and what differs.

    Under the workspace's present directory and, with --directory, under a changed one. Nothing changes.
    """
    try:
        span = (_moment(since), _moment(until))
        changes = None if directory is None else read_changes(directory.read_text(encoding="utf-8"))
        settings = ReplaySettings()
        compared = asyncio.run(bootstrap.replay(settings, WorkspaceId(workspace), span, changes))
    except (BadChanges, OSError, UnicodeDecodeError, ValueError) as error:
        raise _misused(_told(error)) from None
    except UnknownWorkspace:
        raise _misused(f"there is no workspace {workspace}") from None
    if as_json:
        typer.echo(json.dumps(_as_json(compared), indent=2))
    else:
        Console().print(_table(compared), _summary(compared))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset from UTC: end it with Z")
    return moment


def _told(error: Exception) -> str:
    if isinstance(error, ValidationError):
        missing = ", ".join(f"RONDO_{str(each['loc'][0]).upper()}" for each in error.errors())
        return f"settings are missing or wrong: {missing}; source .local/env"
    return str(error)


def _misused(text: str) -> typer.Exit:
    typer.echo(f"rondo replay: {text}", err=True)
    return typer.Exit(MISUSED)


def _table(compared: Sequence[Compared]) -> Table:
    table = Table("asked at", "recorded", "today", "changed", "")
    table.add_column("conversation", no_wrap=True)
    for each in compared:
        table.add_row(
            f"{each.story.request.requested_at:%m-%d %H:%M:%S}",
            _shortly(each.story.outcome),
            _shortly(each.present),
            "" if each.changed is None else _shortly(each.changed),
            "≠" if each.differs else "",
            each.story.conversation_id,
        )
    return table


def _shortly(outcome: Outcome) -> str:
    rung = " → ".join(outcome.offered)
    end = outcome.accepted_by and "accepted"
    return f"{rung} {end or outcome.fell_back or 'open'}".strip()


def _summary(compared: Sequence[Compared]) -> str:
    differing = sum(each.differs for each in compared)
    lines = [f"{len(compared)} chats, {differing} differ"]
    for name, outcomes in (
        ("recorded", [each.story.outcome for each in compared]),
        ("today", [each.present for each in compared]),
        ("changed", [each.changed for each in compared if each.changed is not None]),
    ):
        if outcomes:
            lines.append(f"{name:>9}: {_counts(outcomes)}")
    return "\n".join(lines)


def _counts(outcomes: Sequence[Outcome]) -> str:
    accepted = Counter(each.accepted_by for each in outcomes if each.accepted_by is not None)
    fell_back = Counter(str(each.fell_back) for each in outcomes if each.fell_back is not None)
    counts = [*sorted(accepted.items()), *sorted(fell_back.items())]
    return ", ".join(f"{name} {count}" for name, count in counts)


def _as_json(compared: Sequence[Compared]) -> list[dict[str, Any]]:
    return [
        {
            "conversation_id": each.story.conversation_id,
            "requested_at": each.story.request.requested_at.isoformat(),
            "recorded": _plain(each.story.outcome),
            "present": _plain(each.present),
            "changed": None if each.changed is None else _plain(each.changed),
            "differs": each.differs,
        }
        for each in compared
    ]


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        "offered": list(outcome.offered),
        "accepted_by": outcome.accepted_by,
        "fell_back": outcome.fell_back,
    }
