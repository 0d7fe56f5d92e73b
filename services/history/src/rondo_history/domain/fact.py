"""Facts: what the history keeps of the log, each with its place there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rondo_common.envelope import Envelope
from rondo_common.errors import Rejected
from rondo_common.events import ConversationEvent
from rondo_common.ids import ConversationId, EventId, WorkspaceId
from rondo_common.topics import CHAT_REQUESTS

_NUL_IN_JSON = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""The escape of U+0000, but not a backslash that somebody wrote followed by ``u0000``."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in the log. ``offset`` counts within (``topic``, ``partition``)."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened in a conversation. ``id`` is the same however often it was told."""

    id: EventId
    workspace_id: WorkspaceId
    occurred_at: datetime
    place: Place
    event: ConversationEvent

    @property
    def conversation_id(self) -> ConversationId:
        """The conversation it happened in."""
        return self.event.conversation_id


def fact_of(envelope: Envelope[ConversationEvent], place: Place) -> Fact:
    """The fact an event on the log tells.

    Raises:
        Rejected: it holds the character U+0000, which PostgreSQL can keep in no text.
    """
    event = envelope.event
    named = (envelope.id, envelope.workspace_id)
    if any("\x00" in name for name in named) or _NUL_IN_JSON.search(event.model_dump_json()):
        raise Rejected("it holds the character U+0000, which cannot be kept")
    return Fact(envelope.id, envelope.workspace_id, envelope.time, place, event)


def in_log_order(facts: Iterable[Fact]) -> list[Fact]:
    """One conversation's facts in the order they happened, whatever the clocks said.

    Its request is all that the topic of chat requests tells of it, and came before everything else.
    The rest is in one partition, ordered by offset.
    """
    return sorted(facts, key=lambda fact: (fact.place.topic != CHAT_REQUESTS.name, fact.place.offset))
