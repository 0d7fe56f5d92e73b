"""How things look on the public surface. Field names are promises; see the API reference."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from rondo_common import conversation as talk
from rondo_common.availability import Availability
from rondo_common.conversation import (
    AgentCard,
    Author,
    Ended,
    Fallback,
    Page,
    Queue,
    Rating,
    Route,
    Status,
    Value,
    Visitor,
)
from rondo_common.conversation_view import ConversationView
from rondo_common.directory.entries import ApiKeyEntry, WorkspaceEntry, WorkspaceSettings
from rondo_common.directory.sites import WidgetSettings
from rondo_common.ids import AgentId, ApiKeyId, ConversationId, MessageId, VisitorId, WorkspaceId
from rondo_common.mailbox import StreamEvent
from rondo_gateway.domain.chat_hooks import masked_settings
from rondo_gateway.domain.principals import AgentCaller, Member, VisitorCaller


class Offer(Value):
    """An open offer. A visitor is not told whom it was made to."""

    agent_id: AgentId | None
    attempt: int
    offered_at: datetime
    expires_at: datetime


class Conversation(Value):
    """A conversation, as far as it came."""

    id: ConversationId
    status: Status
    route: Route
    visitor: Visitor
    page: Page | None
    answers: dict[str, Any]
    requested_at: datetime
    agent: AgentCard | None
    offer: Offer | None
    queue: Queue | None
    ended: Ended | None
    fallback: Fallback | None
    rating: Rating | None


class ConversationList(Value):
    """Conversations, newest first. The cursor leads to the next ones."""

    data: list[Conversation]
    next_cursor: str | None


class RequestedConversation(Conversation):
    """A conversation just asked for, with the token for its visitor."""

    visitor_token: str


class Message(Value):
    """One line of the talk. The text is as given and never markup."""

    id: MessageId
    conversation_id: ConversationId
    author: Author
    text: str
    sent_at: datetime
    client_message_id: Annotated[
        str | None, Field(exclude_if=lambda value: value is None, description="To its own author only")
    ] = None


class MessageList(Value):
    """Messages in the order they were said. The cursor leads to the next ones."""

    data: list[Message]
    next_cursor: str | None


class AgentToken(Value):
    """A bearer token of one agent."""

    token: str
    expires_at: datetime


class Workspace(Value):
    """A workspace."""

    id: WorkspaceId
    name: str
    created_at: datetime


class NewWorkspace(Workspace):
    """A workspace just created. Its first API key is shown here and never again."""

    api_key: str


class WorkspaceList(Value):
    """Workspaces, by id."""

    data: list[Workspace]
    next_cursor: str | None


class OwnWorkspace(WorkspaceSettings):
    """The caller's workspace with its settings. Durations in seconds."""

    id: WorkspaceId
    name: str
    site_key: str
    """By which the widget on a website names the workspace. Public."""


class ApiKey(Value):
    """An API key, without its secret: only a hash of that is kept."""

    id: ApiKeyId
    name: str | None
    created_at: datetime


class NewApiKey(ApiKey):
    """An API key just created. The key itself is shown here and never again."""

    api_key: str


class ApiKeyList(Value):
    """API keys, by id."""

    data: list[ApiKey]
    next_cursor: str | None


class VisitorSession(Value):
    """A visitor's session in the widget, with what the widget shows and asks."""

    visitor_id: VisitorId
    visitor_token: str
    expires_at: datetime
    config: WidgetSettings


class IdentitySecret(Value):
    """A secret to sign visitors' identities with. It is shown here and never again."""

    identity_secret: str
    created_at: datetime


class ConversationSnapshot(Value):
    """The conversation and its last messages."""

    conversation: Conversation
    messages: list[Message]
    resumed: Annotated[Literal[False] | None, Field(exclude_if=lambda value: value is None)] = None
    """False when the stream was to go on after an event that is no longer kept; else absent."""


class ActiveConversation(Conversation):
    """A conversation on an agent's desk, with how many of the visitor's messages they have not read."""

    unread: int


class UnreadCount(Value):
    """How many of the visitor's messages the agent has not read."""

    conversation_id: ConversationId
    unread: int


class UnreadCounts(Value):
    """Of each active conversation of an agent, the one asked for first at the front."""

    data: list[UnreadCount]


class AgentSnapshot(Value):
    """What is on an agent's desk."""

    availability: Availability
    open_offers: list[Conversation]
    active_conversations: list[ActiveConversation]
    resumed: Annotated[Literal[False] | None, Field(exclude_if=lambda value: value is None)] = None
    """As in a conversation's snapshot."""


class Snapshot(Value):
    """The first event of a stream that does not resume: the present state."""

    id: str
    type: Literal["snapshot"] = "snapshot"
    conversation_id: ConversationId | None
    occurred_at: datetime
    data: ConversationSnapshot | AgentSnapshot


def conversation_of(view: ConversationView, viewer: Member) -> Conversation:
    """The conversation as ``viewer`` may see it."""
    return Conversation(
        id=view.id,
        status=view.status,
        route=view.request.route,
        visitor=view.request.visitor,
        page=view.request.page,
        answers=view.request.answers,
        requested_at=view.request.requested_at,
        agent=view.agent,
        offer=_offer(view, viewer),
        queue=view.queue if view.status is Status.QUEUED else None,
        ended=view.ended,
        fallback=view.fallback,
        rating=view.rating,
    )


def message_of(
    conversation_id: ConversationId, message: talk.Message, client_message_id: str | None = None
) -> Message:
    """The message as the API shows it to whoever gave it that id."""
    return Message(
        id=message.id,
        conversation_id=conversation_id,
        author=message.author,
        text=message.text,
        sent_at=message.sent_at,
        client_message_id=client_message_id,
    )


def message_of_event(event: StreamEvent) -> Message:
    """The message that a mailbox's ``message.posted`` tells of."""
    told = ("id", "author", "text", "sent_at", "client_message_id")
    known = {name: event.data[name] for name in told if name in event.data}
    return Message.model_validate({**known, "conversation_id": event.conversation_id})


def message_to(viewer: Member, message: Message) -> Message:
    """The message as ``viewer`` may see it: the id their own page gave it, and nobody else's."""
    if isinstance(viewer, AgentCaller):
        is_own = message.author.type == "agent" and message.author.id == viewer.agent_id
    else:
        is_own = message.author.type == "visitor"  # Whom the website's backend speaks for.
    return message if is_own else message.model_copy(update={"client_message_id": None})


def workspace_of(workspace: WorkspaceEntry) -> Workspace:
    """The workspace as the operator sees it."""
    return Workspace(id=workspace.id, name=workspace.name, created_at=workspace.created_at)


def own_workspace_of(workspace: WorkspaceEntry) -> OwnWorkspace:
    """The workspace as its own backend sees it."""
    settings = dict(workspace.settings) | {"alerts": masked_settings(workspace.settings.alerts)}
    return OwnWorkspace(id=workspace.id, name=workspace.name, site_key=workspace.site_key, **settings)


def api_key_of(api_key: ApiKeyEntry) -> ApiKey:
    """The key without its hash."""
    return ApiKey(id=api_key.id, name=api_key.name, created_at=api_key.created_at)


def _offer(view: ConversationView, viewer: Member) -> Offer | None:
    offer, is_visitor = view.offer, isinstance(viewer, VisitorCaller)
    if offer is None or (is_visitor and view.agent is not None):
        return None  # Handed over, it stays with its agent until another one accepts.
    return Offer(
        agent_id=None if is_visitor else offer.agent_id,
        attempt=offer.attempt,
        offered_at=offer.offered_at,
        expires_at=offer.expires_at,
    )
