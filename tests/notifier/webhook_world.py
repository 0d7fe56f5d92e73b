"""Endpoints, events and attempts, as the tests of webhooks tell of them."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta

from rondo_common.conversation import Author, Message
from rondo_common.directory.entries import Kind, WebhookEntry, WebhookSecret, WorkspaceEntry
from rondo_common.directory.view import Directory, DirectoryChange
from rondo_common.envelope import Envelope
from rondo_common.events import MessagePosted, WebhookDefined, WorkspaceDefined
from rondo_common.ids import AgentId, ConversationId, EventId, MessageId, WebhookId, WorkspaceId
from rondo_common.webhooks import Attempt, DeliveryRecord
from rondo_notifier.domain.webhooks import EndpointKey, Plan

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"a secret of the tests, 32 bytes.").decode()
OLDER_SECRET = "whsec_" + base64.b64encode(b"the secret before, also 32 bytes").decode()
ACTIVATION = EventId("activation-1")


def new_endpoint(workspace: str = "") -> EndpointKey:
    """An endpoint that no other test uses."""
    workspace_id = WorkspaceId(workspace or f"w-{uuid.uuid4().hex[:12]}")
    return EndpointKey(workspace_id, WebhookId(f"hook-{uuid.uuid4().hex[:8]}"))


def entry(
    webhook_id: str = "crm",
    url: str = "http://127.0.0.1:9/",
    *,
    event_types: tuple[str, ...] = ("*",),
    enabled: bool = True,
    secrets: tuple[WebhookSecret, ...] = (WebhookSecret(secret=SECRET),),
    active_since: datetime = NOON - timedelta(days=1),
    activation: EventId = ACTIVATION,
) -> WebhookEntry:
    return WebhookEntry(
        id=WebhookId(webhook_id),
        url=url,
        event_types=event_types,
        enabled=enabled,
        secrets=secrets,
        active_since=active_since,
        activation=activation,
    )


def message(
    workspace_id: WorkspaceId, conversation: str, text: str, *, event_id: str = "", at: datetime = NOON
) -> Envelope[MessagePosted]:
    """A message in a conversation, as it stands in the log."""
    posted = Message(
        id=MessageId(f"msg_{uuid.uuid4().hex}"),
        author=Author(type="visitor", id="ada", name="Ada"),
        text=text,
        sent_at=at,
    )
    event = MessagePosted(
        conversation_id=ConversationId(conversation),
        message=posted,
        client_message_id="c",
        agent_id=AgentId("grace"),
    )
    return Envelope(EventId(event_id or uuid.uuid4().hex), "/tests", at, workspace_id, event)


def a_plan(endpoint: EndpointKey, lane: str, delivery: str, *, activation: EventId = ACTIVATION) -> Plan:
    record = DeliveryRecord(
        id=EventId(delivery),
        event_type="message.posted",
        conversation_id=ConversationId(lane),
        created_at=NOON,
        body=f"body of {delivery}",
    )
    return Plan(endpoint, activation, lane, f"body of {delivery}", record)


def attempt(error: str | None = None, at: datetime = NOON) -> Attempt:
    status = 200 if error is None else 500
    return Attempt(at=at, status=status, duration_ms=3, error=error, request_headers={}, answer=None)


def directory_of(*defined: tuple[WorkspaceId, WebhookEntry]) -> Directory:
    """A directory in which there are these endpoints."""
    directory = Directory()
    for offset, (workspace_id, webhook) in enumerate(defined):
        define(directory, workspace_id, webhook, offset)
    return directory


def define(directory: Directory, workspace_id: WorkspaceId, webhook: WebhookEntry, offset: int) -> None:
    workspace = WorkspaceDefined(workspace=WorkspaceEntry(id=workspace_id, name="W", created_at=NOON))
    directory.apply(DirectoryChange(workspace_id, Kind.WORKSPACE, workspace_id, workspace, 0, offset))
    event = WebhookDefined(webhook=webhook)
    directory.apply(DirectoryChange(workspace_id, Kind.WEBHOOK, webhook.id, event, 0, offset))
