"""Mailboxes: what each recipient is told, in order, kept long enough to resume a stream.

A mailbox is a Redis Stream; an entry's id is the cursor of the live stream (the SSE ``id:``). The
notifier delivers, the gateway reads.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rondo_common.conversation import Value
from rondo_common.ids import ConversationId, EventId

ENTRY_FIELD = "event"
OFFSET_FIELD = "log_offset"
"""Where ``rondo.conversations`` has the event, so that a reader can tell whether a view has it too.

An entry from another topic is without.
"""
MAILBOX_ENTRIES_MAX = 1000
MAILBOX_KEPT_S = 24 * 60 * 60


class StreamEvent(Value):
    """An event as a live stream carries it (and as an entry's field ``event`` holds it, in JSON)."""

    id: EventId
    type: str
    conversation_id: ConversationId | None
    """None where it is about an agent, not about one of their conversations."""
    occurred_at: datetime
    data: dict[str, Any]


def stream_type(event_type: str) -> str:
    """The name a live stream gives an event type: ``rondo.message.posted.v1`` → ``message.posted``."""
    return event_type.removeprefix("rondo.").rsplit(".", 1)[0]
