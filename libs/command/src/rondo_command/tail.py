"""``rondo tail``: what happens in every conversation, as it happens."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from rondo_command.moments import parse_since
from rondo_command.story import agents_in, reasons, sentence
from rondo_command.surroundings import kafka
from rondo_command.topic_reader import Heard, open_topics, read_events
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.system_clock import utc_now
from rondo_common.topics import CHAT_REQUESTS, CONVERSATIONS

IDS_KNOWN_MAX = 10_000
"""So many events are remembered, to tell those that stand on a topic twice only once."""
_COLOURS = ("cyan", "green", "yellow", "blue", "magenta", "red")


def tail(
    workspace: Annotated[str | None, typer.Option(help="Only this workspace.")] = None,
    conversation: Annotated[str | None, typer.Option(help="Only this conversation.")] = None,
    agent: Annotated[str | None, typer.Option(help="Only what this agent has part in.")] = None,
    since: Annotated[str | None, typer.Option(help="Begin at 10m, 2h or 7d ago, or at a time.")] = None,
    follow: Annotated[bool, typer.Option(help="Go on with what comes; Ctrl-C ends it.")] = True,
    why: Annotated[bool, typer.Option(help="Say why each agent is rung.")] = False,
) -> None:
    """Tell what happens in every conversation, from the topics, as it happens."""
    begin = None if since is None else parse_since(since, utc_now())
    wanted = Filter(workspace, conversation, agent)
    asyncio.run(_tail(kafka(), wanted, begin, follow=follow, with_why=why))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events to tell; None lets everything through."""

    workspace: str | None
    conversation: str | None
    agent: str | None

    def lets_through(self, heard: Heard) -> bool:
        """Whether to tell it."""
        envelope = heard.envelope
        return (
            envelope.subject is not None
            and self.workspace in {None, envelope.workspace_id}
            and self.conversation in {None, envelope.subject}
            and (self.agent is None or self.agent in agents_in(envelope.event))
        )


async def _tail(
    connection: KafkaConnection, wanted: Filter, begin: datetime | None, *, follow: bool, with_why: bool
) -> None:
    console = Console(highlight=False)
    known: dict[str, None] = {}
    async with open_topics(connection, (CHAT_REQUESTS, CONVERSATIONS), since=begin) as reader:
        async for records in reader.batches(follow=follow):
            for heard in read_events(records):
                if wanted.lets_through(heard) and _is_new(heard.envelope.id, known):
                    for text in lines_of(heard, with_why=with_why):
                        console.print(text, soft_wrap=True)


def lines_of(heard: Heard, *, with_why: bool = False) -> list[str]:
    """An event as it is told, with markup: when, where, in which conversation, what."""
    envelope = heard.envelope
    subject = envelope.subject or ""
    colour = _COLOURS[sum(subject.encode()) % len(_COLOURS)]
    clock = envelope.time.strftime("%H:%M:%S.%f")[:-3]
    where = f"[dim]{clock}[/] {escape(envelope.workspace_id)} [{colour}]{escape(subject)}[/]"
    told = [f"{where}  {sentence(envelope.event)}"]
    if with_why:
        told += [f"[dim]{'':<13}{line}[/]" for line in reasons(envelope.event)]
    return told


def _is_new(event_id: str, known: dict[str, None]) -> bool:
    if event_id in known:
        return False
    known[event_id] = None
    if len(known) > IDS_KNOWN_MAX:
        del known[next(iter(known))]
    return True
