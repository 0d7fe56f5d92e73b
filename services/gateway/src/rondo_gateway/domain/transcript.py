"""Transcripts, and how they look as plain text. Both sides read the same: history tells no secrets."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, EmailStr

from rondo_common.conversation import Author, Rating, Visitor
from rondo_common.ids import AgentId, ConversationId, MessageId
from rondo_gateway.domain.limits import Body


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
    time_zone: str = "UTC"
    """The zone its reader is in; times here are UTC all the same."""
    rating: Rating | None = None
    lines: list[TranscriptLine]


class TranscriptEmail(Body):
    """Where a transcript is to be sent."""

    to: EmailStr


def as_text(transcript: Transcript) -> str:
    """The transcript for people: one line a message, what happened between asterisks, and times as they
    are in the reader's time zone."""
    zone = ZoneInfo(transcript.time_zone)
    asked = _time(transcript.requested_at, zone)
    head = f"Conversation {transcript.conversation_id}, requested at {asked}"
    times = f"Times are those of {transcript.time_zone}."
    return "\n".join([head, times, "", *(_line(line, zone) for line in transcript.lines), ""])


def _line(line: TranscriptLine, zone: ZoneInfo) -> str:
    # Indented, so that nobody can write a message that looks like several lines.
    text = "\n    ".join(line.text.splitlines())
    if line.author is None:
        return f"[{_time(line.at, zone)}] * {text} *"
    return f"[{_time(line.at, zone)}] {_name(line.author)}: {text}"


def _name(author: Author) -> str:
    return " ".join((author.name or author.type.capitalize()).split())


def _time(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
