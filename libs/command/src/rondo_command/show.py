"""``rondo show``: one conversation's whole story, with why."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from ulid import ULID

from rondo_command.failures import CommandFailed
from rondo_command.story import FINAL, reasons, sentence
from rondo_command.surroundings import kafka
from rondo_command.topic_reader import Heard, open_topics, read_events
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.topics import CHAT_REQUESTS, CONVERSATIONS

ID_PREFIX = "cnv_"
CLOCK_MARGIN = timedelta(minutes=5)
"""How far the clock that made an id may be from that of the brokers."""


def show(conversation: Annotated[str, typer.Argument(help="The conversation's id.")]) -> None:
    """Tell one conversation's whole story as a timeline, from the topics, with why."""
    heard = asyncio.run(_story_of(kafka(), conversation))
    if not heard:
        raise CommandFailed(
            f"there is no conversation {conversation} on the topics: check the id; they are kept for "
            f"{CHAT_REQUESTS.retention_ms // 86_400_000 if CHAT_REQUESTS.retention_ms else '?'} days"
        )
    console = Console(highlight=False)
    for line in timeline(heard):
        console.print(line, soft_wrap=True)


async def _story_of(connection: KafkaConnection, conversation_id: str) -> list[Heard]:
    """Its events, each once, by time."""
    begin = begun_after(conversation_id)
    found: dict[str, Heard] = {}
    topics = (CHAT_REQUESTS, CONVERSATIONS)
    async with open_topics(connection, topics, since=begin, from_beginning=begin is None) as reader:
        async for records in reader.batches(follow=False):
            for heard in read_events(records):
                if heard.envelope.subject == conversation_id:
                    found.setdefault(heard.envelope.id, heard)
    return sorted(found.values(), key=lambda each: each.envelope.time)


def begun_after(conversation_id: str) -> datetime | None:
    """A moment before the conversation began, from its id; None when that does not say.

    An id that was derived from an ``Idempotency-Key`` says the beginning of its day.
    """
    try:
        made_at = ULID.from_str(conversation_id.removeprefix(ID_PREFIX).upper()).datetime
    except ValueError:
        return None
    return made_at - CLOCK_MARGIN


def timeline(heard: list[Heard]) -> list[str]:
    """The lines of a story, with markup."""
    first, last = heard[0].envelope, heard[-1].envelope
    head = f"[bold]{escape(first.subject or '')}[/] in workspace {escape(first.workspace_id)}"
    lines = [head, f"[dim]began {first.time:%Y-%m-%d %H:%M:%S} UTC[/]", ""]
    for each in heard:
        envelope = each.envelope
        after_s = (envelope.time - first.time).total_seconds()
        topic = each.topic.removeprefix("rondo.")
        lines.append(f"[dim]{after_s:>+9.3f} s  {topic:<14}[/] {sentence(envelope.event)}")
        lines += [f"[dim]{'':<28}{line}[/]" for line in reasons(envelope.event)]
    over = any(isinstance(each.envelope.event, FINAL) for each in heard)
    took_s = (last.time - first.time).total_seconds()
    lines += ["", f"{'over' if over else '[bold]still open[/]'}; {len(heard)} events in {took_s:.1f} s"]
    return lines
