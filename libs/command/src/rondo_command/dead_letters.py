"""``rondo dead-letters``: what no service could handle, and putting it back where it belongs."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Annotated

import typer
from aiokafka import ConsumerRecord
from rich.console import Console
from rich.table import Table

from rondo_command.failures import CommandFailed, WrongUse
from rondo_command.surroundings import kafka
from rondo_command.topic_reader import open_topics
from rondo_common.clock import from_milliseconds
from rondo_common.errors import Unavailable
from rondo_common.ids import WorkspaceId
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.kafka.group import make_publisher
from rondo_common.kafka.partitioning import partition_of
from rondo_common.kafka.publisher import Outgoing
from rondo_common.kafka.refusals import is_forbidden
from rondo_common.topics import DEAD_LETTERS, TOPICS, Partitioner

OWN_HEADERS = "rondo_"
"""What begins so was added when the record was put aside."""
REASON_WIDTH = 60

app = typer.Typer(help="Records that no service could handle, as they were.", no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record that was put aside."""

    record: ConsumerRecord

    @property
    def offset(self) -> int:
        """Its name here."""
        return int(self.record.offset)

    @property
    def key(self) -> str:
        """Its key; what is no UTF-8 in it comes through unharmed."""
        return (self.record.key or b"").decode(errors="surrogateescape")

    def header(self, name: str) -> str:
        """A header's text; empty where there is none."""
        value: bytes | None = dict(self.record.headers).get(name)
        return (value or b"").decode(errors="replace")

    def original(self) -> Outgoing:
        """The record as it was, for the topic and the partition it belongs in.

        Raises:
            CommandFailed: it cannot be put back.
        """
        topic = next((each for each in TOPICS if each.name == self.header("rondo_topic")), None)
        if topic is None or topic is DEAD_LETTERS:
            raise CommandFailed(
                f"{self.offset} is from {self.header('rondo_topic')!r}, no topic of Rondo's"
            )
        if self.header("rondo_cut_from"):
            raise CommandFailed(f"{self.offset} was too large and was cut: it cannot be put back")
        workspace_id = self.header("ce_rondoworkspace")
        if topic.partitioner is Partitioner.WORKSPACE and not workspace_id:
            raise CommandFailed(f"{self.offset} names no workspace, so it belongs in no partition")
        return Outgoing(
            topic=topic,
            partition=partition_of(topic, WorkspaceId(workspace_id), self.key),
            key=self.key,
            value=self.record.value,
            headers=[each for each in self.record.headers if not each[0].startswith(OWN_HEADERS)],
        )


@app.command("list")
def list_dead_letters(
    workspace: Annotated[str | None, typer.Option(help="Only this workspace.")] = None,
) -> None:
    """List what lies there, oldest first. The first column names a record to the other commands."""
    table = Table("offset", "put aside", "from", "by", "type", "why", box=None)
    for each in asyncio.run(_dead_letters(kafka())):
        if workspace in {None, each.header("ce_rondoworkspace")}:
            when = f"{from_milliseconds(each.record.timestamp):%Y-%m-%d %H:%M:%S}"
            why = " ".join(each.header("rondo_reason").split())
            table.add_row(
                str(each.offset),
                when,
                each.header("rondo_topic"),
                each.header("rondo_reader"),
                each.header("ce_type") or "-",
                why if len(why) <= REASON_WIDTH else f"{why[: REASON_WIDTH - 1]}…",
            )
    Console(highlight=False, markup=False, soft_wrap=True).print(table)


@app.command()
def show(offset: Annotated[int, typer.Argument(help="Its offset, from the list.")]) -> None:
    """Show a record: why it lies there, its headers, its value."""
    letter = _only(asyncio.run(_dead_letters(kafka())), offset)
    typer.echo(f"key: {letter.key.encode(errors='replace').decode()}")
    for name, value in letter.record.headers:
        typer.echo(f"{name}: {(value or b'').decode(errors='replace')}")
    typer.echo()
    typer.echo(_readable(letter.record.value))


@app.command()
def retry(
    offsets: Annotated[list[int] | None, typer.Argument(help="Their offsets, from the list.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that lie there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put records back at the end of the topics they are from, for every reader of those.

    A reader that had handled one knows its event id and passes it by. They stay listed: the topic of
    dead letters keeps what it has for as long as any.
    """
    if every == bool(offsets):
        raise WrongUse("name the offsets to put back, or --all of them")
    letters = asyncio.run(_dead_letters(kafka()))
    chosen = letters if offsets is None or every else [_only(letters, each) for each in offsets]
    if not chosen:
        raise CommandFailed("no dead letter lies there")
    originals = [each.original() for each in chosen]
    if not yes:
        for each, record in zip(chosen, originals, strict=True):
            typer.echo(f"{each.offset}: {each.header('ce_type') or 'a record'} to {record.topic.name}")
        typer.confirm(f"Put {len(originals)} back?", abort=True)
    asyncio.run(put_back(kafka(), originals))
    typer.echo(f"put back: {', '.join(str(each.offset) for each in chosen)}")


async def _dead_letters(connection: KafkaConnection) -> list[DeadLetter]:
    found: list[DeadLetter] = []
    async with open_topics(connection, [DEAD_LETTERS], since=None, from_beginning=True) as reader:
        async for records in reader.batches(follow=False):
            found += [DeadLetter(record) for record in records]
    return found


async def put_back(connection: KafkaConnection, records: list[Outgoing]) -> None:
    """Write records as they were. Raises ``CommandFailed`` where that is not allowed, ``Unavailable``."""
    publisher = make_publisher(connection)
    try:
        await publisher.publish(records)
    except Unavailable as error:
        if not is_forbidden(error.__cause__):
            raise
        user = connection.security.username or "this user"
        topics = ", ".join(sorted({each.topic.name for each in records}))
        raise CommandFailed(
            f"{user} may not write {topics}: come with the credentials of a service that writes it "
            "(docs/operations/kafka-access.md)"
        ) from error
    finally:
        await publisher.stop()


def _only(letters: list[DeadLetter], offset: int) -> DeadLetter:
    found = next((each for each in letters if each.offset == offset), None)
    if found is None:
        raise CommandFailed(f"no dead letter has the offset {offset}: see `rondo dead-letters list`")
    return found


def _readable(value: bytes | None) -> str:
    if value is None:
        return "(a tombstone: no value)"
    try:
        return json.dumps(json.loads(value), indent=2, ensure_ascii=False)
    except ValueError:
        return value.decode(errors="replace")
