"""Typed ids, and how they come to be.

Integrators name what they provision (workspaces, agents, visitors) with ids of their own. Rondo names
the rest: ``cnv_…`` and ``msg_…`` sort by time, event ids are derived from their cause, so that an
event told twice has the same id both times.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Annotated, NewType

from pydantic import StringConstraints
from ulid import ULID

WorkspaceId = NewType("WorkspaceId", str)
AgentId = NewType("AgentId", str)
VisitorId = NewType("VisitorId", str)
ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", str)
ApiKeyId = NewType("ApiKeyId", str)
TeamId = NewType("TeamId", str)
RuleId = NewType("RuleId", str)
AccountId = NewType("AccountId", str)
ProfileId = NewType("ProfileId", str)
WebhookId = NewType("WebhookId", str)
SavedReplyId = NewType("SavedReplyId", str)
AlertId = NewType("AlertId", str)
PushSubscriptionId = NewType("PushSubscriptionId", str)
EventId = NewType("EventId", str)
"""Unique per fact; equal for two records of the same fact."""
CommandId = EventId
"""A command's event id: its answer and everything it causes are named after it."""

ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
ExternalId = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
"""An id an integrator chose: 1 to 64 of letters, digits, ``_`` and ``-``."""

_EVENTS = uuid.UUID("5d0c8f1e-6f0b-5c58-9d35-3f0f5b6d9a11")


def derived_event_id(cause: str, step: str) -> EventId:
    """The id of the event that ``cause`` (an event id or a timer's name) leads to in ``step``.

    The same cause and step give the same id on every machine and every retry.
    """
    return EventId(str(uuid.uuid5(_EVENTS, f"{cause}/{step}")))


def new_event_id() -> EventId:
    """A fresh random event id, for facts that have no earlier cause (a command from outside)."""
    return EventId(str(uuid.uuid4()))


def new_conversation_id(now: datetime) -> ConversationId:
    """A fresh conversation id that sorts by ``now``."""
    return ConversationId(f"cnv_{ULID.from_datetime(now)}".lower())


def keyed_conversation_id(workspace_id: WorkspaceId, idempotency_key: str, now: datetime) -> ConversationId:
    """The conversation id that an ``Idempotency-Key`` stands for, on the UTC day of ``now``.

    Derived, not drawn: fifty retries at once agree on it without a lock, and a lost reservation does
    not lead to a second conversation. Its time part is the day's start, so it still sorts by day.
    """
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    digest = hashlib.sha256(f"{workspace_id}\x00{idempotency_key}".encode()).digest()
    milliseconds = int(day.timestamp() * 1000).to_bytes(6, "big")
    return ConversationId(f"cnv_{ULID.from_bytes(milliseconds + digest[:10])}".lower())


def new_message_id(now: datetime) -> MessageId:
    """A fresh message id that sorts by ``now``."""
    return MessageId(f"msg_{ULID.from_datetime(now)}".lower())


def new_api_key_id(now: datetime) -> ApiKeyId:
    """A fresh id that names an API key without revealing it."""
    return ApiKeyId(f"key_{ULID.from_datetime(now)}".lower())
