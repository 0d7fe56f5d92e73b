"""Every event and command on the topics, as immutable models.

Events are past participles (``AssignmentOffered``), commands are imperative (``AcceptChat``). The
wire type names the fact and its version: ``rondo.assignment.offered.v1``. Building one forbids unknown
fields, reading ignores them, so that an older reader survives a newer writer.

To add an event: declare the model here, list it in :data:`EVENT_TYPES`, add its golden example under
``tests/schemas``, and handle it in the ``bootstrap.py`` of the services that care.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from rondo_common.conversation import (
    AgentCard,
    EndReason,
    Fallback,
    Message,
    Party,
    Request,
    Value,
    Why,
)
from rondo_common.directory.entries import AgentEntry, ApiKeyEntry, WorkspaceEntry
from rondo_common.ids import AgentId, ConversationId
from rondo_common.topics import CHAT_REQUESTS, CONVERSATIONS, DIRECTORY, Topic


class Event(Value):
    """A fact or a command. The envelope adds its id, time, workspace and conversation."""

    TYPE: ClassVar[str]
    TOPIC: ClassVar[Topic]


class ConversationEvent(Event):
    """About one conversation."""

    conversation_id: ConversationId


# --- chat.requests: what the router decides, in this order -------------------------------------


class ChatRequested(ConversationEvent):
    """A visitor asked for a conversation."""

    TYPE = "rondo.chat.requested.v1"
    TOPIC = CHAT_REQUESTS
    request: Request
    directory_offset: int = 0
    """Decide this only when the workspace's directory partition is handled up to here (exclusive)."""


class AcceptChat(ConversationEvent):
    """The agent takes the offer."""

    TYPE = "rondo.chat.accept.v1"
    TOPIC = CHAT_REQUESTS
    agent_id: AgentId


class DeclineChat(ConversationEvent):
    """The agent refuses the offer."""

    TYPE = "rondo.chat.decline.v1"
    TOPIC = CHAT_REQUESTS
    agent_id: AgentId


class WithdrawChat(ConversationEvent):
    """The visitor (or the website for them) no longer waits."""

    TYPE = "rondo.chat.withdraw.v1"
    TOPIC = CHAT_REQUESTS
    by: Party


class EndChat(ConversationEvent):
    """Either side ends an active conversation."""

    TYPE = "rondo.chat.end.v1"
    TOPIC = CHAT_REQUESTS
    by: Party


# --- conversations: what happened, in this order -----------------------------------------------


class AssignmentOffered(ConversationEvent):
    """This agent is rung. Exactly one offer of a conversation is open at a time."""

    TYPE = "rondo.assignment.offered.v1"
    TOPIC = CONVERSATIONS
    agent: AgentCard
    attempt: int
    offered_at: datetime
    expires_at: datetime
    why: Why
    request: Request


class AssignmentAccepted(ConversationEvent):
    """The agent took the offer; the conversation is active."""

    TYPE = "rondo.assignment.accepted.v1"
    TOPIC = CONVERSATIONS
    agent: AgentCard
    attempt: int


class AssignmentDeclined(ConversationEvent):
    """The agent refused the offer."""

    TYPE = "rondo.assignment.declined.v1"
    TOPIC = CONVERSATIONS
    agent_id: AgentId
    attempt: int


class AssignmentTimedOut(ConversationEvent):
    """The agent missed the offer."""

    TYPE = "rondo.assignment.timed_out.v1"
    TOPIC = CONVERSATIONS
    agent_id: AgentId
    attempt: int


class AssignmentRescinded(ConversationEvent):
    """The offer was taken back because nobody waits for an answer any more."""

    TYPE = "rondo.assignment.rescinded.v1"
    TOPIC = CONVERSATIONS
    agent_id: AgentId
    attempt: int


class ChatFellBack(ConversationEvent):
    """Nobody was connected; the visitor sees the fallback. Final."""

    TYPE = "rondo.conversation.fell_back.v1"
    TOPIC = CONVERSATIONS
    fallback: Fallback
    why: Why
    request: Request


class ChatWithdrawn(ConversationEvent):
    """The visitor left before anybody accepted. Final."""

    TYPE = "rondo.conversation.withdrawn.v1"
    TOPIC = CONVERSATIONS
    by: Party


class ChatEnded(ConversationEvent):
    """An active conversation is over. Final."""

    TYPE = "rondo.conversation.ended.v1"
    TOPIC = CONVERSATIONS
    reason: EndReason
    by: Party
    agent_id: AgentId


class MessagePosted(ConversationEvent):
    """One side said something."""

    TYPE = "rondo.message.posted.v1"
    TOPIC = CONVERSATIONS
    message: Message
    client_message_id: str
    agent_id: AgentId
    """The agent of the conversation when it was said."""


# --- directory: what is, as last defined -------------------------------------------------------


class WorkspaceDefined(Event):
    """A workspace and its settings."""

    TYPE = "rondo.workspace.defined.v1"
    TOPIC = DIRECTORY
    workspace: WorkspaceEntry


class ApiKeyDefined(Event):
    """An API key of a workspace; only its hash is kept."""

    TYPE = "rondo.api_key.defined.v1"
    TOPIC = DIRECTORY
    api_key: ApiKeyEntry


class AgentDefined(Event):
    """An agent as last provisioned."""

    TYPE = "rondo.agent.defined.v1"
    TOPIC = DIRECTORY
    agent: AgentEntry


EVENT_TYPES: dict[str, type[Event]] = {
    event.TYPE: event
    for event in (
        ChatRequested,
        AcceptChat,
        DeclineChat,
        WithdrawChat,
        EndChat,
        AssignmentOffered,
        AssignmentAccepted,
        AssignmentDeclined,
        AssignmentTimedOut,
        AssignmentRescinded,
        ChatFellBack,
        ChatWithdrawn,
        ChatEnded,
        MessagePosted,
        WorkspaceDefined,
        ApiKeyDefined,
        AgentDefined,
    )
}
