"""Webhooks: the words that the gateway, which provisions and shows them, and the notifier share.

What an endpoint is stands in the directory; what is to be delivered to it and what was, in Redis. The
endpoints are spread over shares, as many as ``rondo.conversations`` has partitions: the notifier that
reads partition *n* delivers to the endpoints of share *n*.
"""

from __future__ import annotations

import zlib
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from rondo_common.conversation import Value
from rondo_common.events import EVENT_TYPES
from rondo_common.ids import ConversationId, EventId, WebhookId, WorkspaceId
from rondo_common.mailbox import stream_type
from rondo_common.redis.keys import workspace_key
from rondo_common.topics import AGENTS, CONVERSATIONS

SOURCES = (CONVERSATIONS, AGENTS)
"""The topics whose events are sent."""
EVERY_TYPE = "*"
TEST_TYPE = "webhook.test"
"""What a test sends; it reaches an endpoint whatever that asked for."""
KNOWN_TYPES = tuple(
    sorted(stream_type(each.TYPE) for each in EVENT_TYPES.values() if each.TOPIC in SOURCES)
)
"""What an endpoint can ask for, by the names of the live streams."""

SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with
OLD_SECRET_VALID_S = 24 * 60 * 60
"""How long what was signed by the secret before the last rotation still counts."""

LOG_ENTRIES_MAX = 1000
"""Deliveries that came to their end, of one endpoint, of which the log tells."""
LOG_KEPT_S = 7 * 24 * 60 * 60
SHOWN_BYTES_MAX = 4 * 1024
"""What the log keeps of a request's and of an answer's body, each."""

TEST_ASKED = "test:"
"""Before the id of a test that was asked for, in :func:`asked_key`."""
REPLAY_ASKED = "replay"


class DeliveryState(StrEnum):
    """Where a delivery stands. The last two are final."""

    PENDING = "pending"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookAnswer(Value):
    """What the receiver answered; the body cut."""

    status: int
    headers: dict[str, str]
    body: str


class Attempt(Value):
    """One request. ``status`` is None when no answer came; ``error`` None when it counts as delivered."""

    at: datetime
    status: int | None
    duration_ms: int
    error: str | None
    request_headers: dict[str, str]
    """Without the signature."""
    answer: WebhookAnswer | None


class DeliveryRecord(Value):
    """One event on its way to one endpoint, as the log keeps it."""

    id: EventId
    event_type: str
    conversation_id: ConversationId | None
    state: DeliveryState = DeliveryState.PENDING
    created_at: datetime
    attempts: tuple[Attempt, ...] = ()
    next_attempt_at: datetime | None = None
    body: str
    """What is sent, cut."""


class Reread(Value):
    """Events that are to be read again from the topics, from ``since`` until ``until``."""

    since: datetime
    until: datetime
    positions: dict[str, int] = Field(default_factory=dict)
    """How far each ``topic/partition`` was read again: the next offset."""


def share_of(workspace_id: WorkspaceId, webhook_id: WebhookId) -> int:
    """The share an endpoint belongs to."""
    return zlib.crc32(f"{workspace_id}/{webhook_id}".encode()) % CONVERSATIONS.partitions


def share_key(share: int, *parts: str) -> str:
    """A key of one share."""
    return ":".join((f"rondo:webhooks:{{{share}}}", *parts))


def touched_key(share: int) -> str:
    """The endpoints of a share that have something new: a set of ``workspace/webhook``. Rings."""
    return share_key(share, "touched")


def endpoint_key(workspace_id: WorkspaceId, webhook_id: WebhookId, *parts: str) -> str:
    """A key of one endpoint."""
    return workspace_key(workspace_id, "webhook", webhook_id, *parts)


def asked_key(workspace_id: WorkspaceId, webhook_id: WebhookId) -> str:
    """What the notifier is asked to do for an endpoint, until it is done: a hash. Written by both."""
    return endpoint_key(workspace_id, webhook_id, "asked")


def state_key(workspace_id: WorkspaceId, webhook_id: WebhookId) -> str:
    """Whether an endpoint fails (``failing_since``, in ms) and was given up (``given_up``: which
    activation): a hash. Written by the notifier, as all that follows."""
    return endpoint_key(workspace_id, webhook_id, "state")


def order_key(workspace_id: WorkspaceId, webhook_id: WebhookId) -> str:
    """The ids of an endpoint's deliveries by number, in the order of their scheduling: a sorted set."""
    return endpoint_key(workspace_id, webhook_id, "order")


def records_key(workspace_id: WorkspaceId, webhook_id: WebhookId) -> str:
    """Each delivery's :class:`DeliveryRecord` in JSON, by its id: a hash."""
    return endpoint_key(workspace_id, webhook_id, "records")


def given_up(activation: EventId, given_up_activation: str | None) -> bool:
    """Whether the notifier gave an endpoint up, as it stands now, after days of failure."""
    return given_up_activation == activation


def cut(text: str) -> str:
    """As much of ``text`` as the log keeps: whole characters within :data:`SHOWN_BYTES_MAX`."""
    return text.encode()[:SHOWN_BYTES_MAX].decode(errors="ignore")
