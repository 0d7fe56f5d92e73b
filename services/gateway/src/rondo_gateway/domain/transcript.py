"""Transcripts, and how they look as plain text. Both sides read the same: history tells no secrets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rondo_common.conversation import Author, Visitor
from rondo_common.ids import AgentId, ConversationId, MessageId


class _Read(BaseModel):
    """What history answers; a newer one may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class TranscriptLine(_Read):
    """A message, or what happened between messages."""

    type: Literal["message", "system"]
    at: datetime
    text: str
    id: MessageId | None = None
    author: Author | None = None
    event: str | None = None


class Transcript(_Read):
    """A conversation from its request to now, in order. `agent_ids` are those who accepted it."""

    conversation_id: ConversationId
    visitor: Visitor
    agent_ids: list[AgentId]
    requested_at: datetime
    lines: list[TranscriptLine]


def as_text(transcript: Transcript) -> str:
    """The transcript for people: one line a message, UTC times, what happened between asterisks."""
    head = f"Conversation {transcript.conversation_id}, requested at {_time(transcript.requested_at)}"
    return "\n".join([head, "", *map(_line, transcript.lines), ""])


def _line(line: TranscriptLine) -> str:
    # Indented, so that nobody can write a message that looks like several lines.
    text = "\n    ".join(line.text.splitlines())
    if line.author is None:
        return f"[{_time(line.at)}] * {text} *"
    return f"[{_time(line.at)}] {_name(line.author)}: {text}"


def _name(author: Author) -> str:
    return " ".join((author.name or author.type.capitalize()).split())


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
