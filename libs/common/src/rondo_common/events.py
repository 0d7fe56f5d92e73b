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

from pydantic import Field

from rondo_common.alerts import AlarmKind, AlertRecord, ChannelName, ClosingReason
from rondo_common.availability import Availability
from rondo_common.conversation import (
    AgentCard,
    EndReason,
    Fallback,
    FallbackReason,
    Message,
    Party,
    Queue,
    Rating,
    Request,
    RescindReason,
    Value,
    Why,
)
from rondo_common.directory.entries import (
    AccountEntry,
    AgentEntry,
    ApiKeyEntry,
    ProfileEntry,
    PushSubscriptionEntry,
    RuleEntry,
    SavedReplyEntry,
    TeamEntry,
    ToggleEntry,
    WebhookEntry,
    WorkspaceEntry,
)
from rondo_common.directory.sites import IdentityEntry
from rondo_common.ids import (
    AgentId,
    AlertId,
    ConversationId,
    EventId,
    MessageId,
    TeamId,
    VisitorId,
    WebhookId,
)
from rondo_common.topics import AGENTS, ALERTS, CHAT_REQUESTS, CONVERSATIONS, DIRECTORY, METRICS, Topic
from rondo_common.waits import Waits


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


class TakeChat(ConversationEvent):
    """The agent takes the chat out of the queue, whoever's turn it would be."""

    TYPE = "rondo.chat.take.v1"
    TOPIC = CHAT_REQUESTS
    agent_id: AgentId
    directory_offset: int = 0
    """As in :class:`ChatRequested`."""


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


class TransferChat(ConversationEvent):
    """The agent of an active conversation hands it to another agent or to a team: exactly one of them."""

    TYPE = "rondo.chat.transfer.v1"
    TOPIC = CHAT_REQUESTS
    by: AgentId
    agent_id: AgentId | None = None
    team_id: TeamId | None = None
    directory_offset: int = 0
    """As in :class:`ChatRequested`."""


class VisitorErased(Event):
    """A visitor's personal data is to be erased: from every conversation that they asked for earlier in
    this topic. By then all of those are over."""

    TYPE = "rondo.visitor.erased.v1"
    TOPIC = CHAT_REQUESTS
    visitor_id: VisitorId
    by: Party


class ConnectAgent(Event):
    """An agent opened an inbox, with none open before. From here on they are present."""

    TYPE = "rondo.agent.connect.v1"
    TOPIC = CHAT_REQUESTS
    agent_id: AgentId
    directory_offset: int = 0
    """As in :class:`ChatRequested`."""


class PlanRoute(Event):
    """Asks who would be offered such a request now. Changes nothing; only the answer comes of it."""

    TYPE = "rondo.route.plan.v1"
    TOPIC = CHAT_REQUESTS
    request: Request
    directory_offset: int = 0
    """As in :class:`ChatRequested`."""


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
    transferred_by: AgentCard | None = None
    """The agent who hands the conversation over and keeps it until it is accepted; None: a new chat."""


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
    """The offer was taken back: nobody waits for an answer any more, or the agent cannot give one."""

    TYPE = "rondo.assignment.rescinded.v1"
    TOPIC = CONVERSATIONS
    agent_id: AgentId
    attempt: int
    reason: RescindReason = RescindReason.WITHDRAWN


class ChatQueued(ConversationEvent):
    """Everybody who may take the chat is busy: the visitor waits, until ``expires_at`` at the latest."""

    TYPE = "rondo.conversation.queued.v1"
    TOPIC = CONVERSATIONS
    queue: Queue
    """As it was at that moment; it moves on without an event."""
    order: int = 0
    """Counts everybody who ever waited in the workspace: of equal priority, lower is first."""
    queued_at: datetime
    expires_at: datetime
    why: Why
    request: Request


class ChatTransferred(ConversationEvent):
    """Another agent accepted a conversation that was handed over: it is theirs now."""

    TYPE = "rondo.conversation.transferred.v1"
    TOPIC = CONVERSATIONS
    from_agent: AgentCard
    to_agent: AgentCard


class TransferReturned(ConversationEvent):
    """Nobody took a conversation that was handed over: it stays with its agent."""

    TYPE = "rondo.conversation.transfer_returned.v1"
    TOPIC = CONVERSATIONS
    agent_id: AgentId


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


class MessagesRead(ConversationEvent):
    """One side has read up to and with this message."""

    TYPE = "rondo.messages.read.v1"
    TOPIC = CONVERSATIONS
    reader: Party
    message_id: MessageId
    read_at: datetime
    agent_id: AgentId
    """The agent of the conversation when it was read."""


class TranscriptRequested(ConversationEvent):
    """Somebody wants the transcript by email. Asked of the history, in the conversation's own order, so
    that the email tells all that was said before."""

    TYPE = "rondo.transcript.requested.v1"
    TOPIC = CONVERSATIONS
    to: str
    by: Party
    time_zone: str
    """The IANA zone the email tells its times in."""


class ConversationRated(ConversationEvent):
    """The visitor says how good it was, once it is over. The latest stands."""

    TYPE = "rondo.conversation.rated.v1"
    TOPIC = CONVERSATIONS
    rating: Rating
    by: Party
    agent_id: AgentId
    """The agent who had the conversation when it ended."""


class ConversationErased(ConversationEvent):
    """What was kept of a visitor's conversation is gone from the history; whoever holds some of it too
    forgets it as well. Final, and after every other event of the conversation."""

    TYPE = "rondo.conversation.erased.v1"
    TOPIC = CONVERSATIONS
    agent_ids: tuple[AgentId, ...]
    """Everybody who was rung for it."""


class ConversationIdleWarned(ConversationEvent):
    """Nobody has written for long: unless somebody does, the conversation ends at ``ends_at``."""

    TYPE = "rondo.conversation.idle_warning.v1"
    TOPIC = CONVERSATIONS
    agent_id: AgentId
    ends_at: datetime


class AcknowledgeAlert(ConversationEvent):
    """The agent has seen an alert. Asked of the notifier, in the conversation's own order."""

    TYPE = "rondo.alert.acknowledge.v1"
    TOPIC = CONVERSATIONS
    alert_id: AlertId
    agent_id: AgentId
    by: Party


# --- agents: who is there -----------------------------------------------------------------------


class AgentEvent(Event):
    """About one agent."""

    agent_id: AgentId


class AgentAvailabilityChanged(AgentEvent):
    """The agent came, or went, by schedule or toggle; or what comes next changed."""

    TYPE = "rondo.agent.availability_changed.v1"
    TOPIC = AGENTS
    availability: Availability


class AgentConnected(AgentEvent):
    """The agent has an inbox open, after having none."""

    TYPE = "rondo.agent.connected.v1"
    TOPIC = AGENTS


class AgentDisconnected(AgentEvent):
    """The agent's last inbox is gone, and so is the lease that outlived it."""

    TYPE = "rondo.agent.disconnected.v1"
    TOPIC = AGENTS


class CoverageLost(AgentEvent):
    """Visitors talk with an agent who has no inbox open any more."""

    TYPE = "rondo.agent.coverage_lost.v1"
    TOPIC = AGENTS
    conversation_ids: tuple[ConversationId, ...]


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


class AvailabilityToggled(Event):
    """An agent switched their availability by hand."""

    TYPE = "rondo.availability_toggle.defined.v1"
    TOPIC = DIRECTORY
    toggle: ToggleEntry


class TeamDefined(Event):
    """A team as last provisioned."""

    TYPE = "rondo.team.defined.v1"
    TOPIC = DIRECTORY
    team: TeamEntry


class RuleDefined(Event):
    """A rule as last provisioned."""

    TYPE = "rondo.rule.defined.v1"
    TOPIC = DIRECTORY
    rule: RuleEntry


class AccountDefined(Event):
    """A target account as last provisioned."""

    TYPE = "rondo.account.defined.v1"
    TOPIC = DIRECTORY
    account: AccountEntry


class ProfileDefined(Event):
    """A profile as last provisioned."""

    TYPE = "rondo.profile.defined.v1"
    TOPIC = DIRECTORY
    profile: ProfileEntry


class IdentitySecretRotated(Event):
    """The secrets with which a website signs who its visitors are, as last rotated."""

    TYPE = "rondo.identity_secret.defined.v1"
    TOPIC = DIRECTORY
    identity: IdentityEntry


class WebhookDefined(Event):
    """A webhook endpoint as last provisioned, with its secrets."""

    TYPE = "rondo.webhook.defined.v1"
    TOPIC = DIRECTORY
    webhook: WebhookEntry


class PushSubscribed(Event):
    """An agent wants to be told of chats in a browser."""

    TYPE = "rondo.push_subscription.defined.v1"
    TOPIC = DIRECTORY
    subscription: PushSubscriptionEntry


class SavedReplyDefined(Event):
    """A text that agents write often, as last provisioned."""

    TYPE = "rondo.saved_reply.defined.v1"
    TOPIC = DIRECTORY
    saved_reply: SavedReplyEntry


# --- metrics: what live metrics count -----------------------------------------------------------


class WorkspaceMetrics(Event):
    """What happened in a workspace in one window, and how it stood at the window's end.

    Of several records about one window, the last stands: an event that came late corrects the first.
    """

    TYPE = "rondo.workspace.metrics.v1"
    TOPIC = METRICS
    window_start: datetime
    window_end: datetime
    """Exclusive: what happens at this moment is in the next window."""
    requested: int = 0
    offered: int = 0
    """Offers, those of transfers included."""
    accepted: int = 0
    missed: int = 0
    declined: int = 0
    withdrawn: int = 0
    queued: int = 0
    fell_back: dict[FallbackReason, int] = Field(default_factory=dict)
    """Fallbacks by reason."""
    ended: int = 0
    offer_wait: Waits = Waits()
    """From the request to the chat's first offer, of the chats first offered in this window."""
    accept_wait: Waits = Waits()
    """From the request to the chat's first acceptance, of the chats first accepted in this window."""
    service_level_s: float
    """The wait that is still good."""
    service_level_breaches: int = 0
    """Chats whose wait for an agent passed ``service_level_s`` in this window."""
    waiting: int = 0
    """Chats that nobody had accepted at the window's end, those in the queue included."""
    queue_length: int = 0
    """Chats in the queue at the window's end."""
    active: int = 0
    """Conversations under way at the window's end."""


# --- alerts: what people are to be told of ------------------------------------------------------


class AlertEvent(ConversationEvent):
    """About one alert, with all that became of it so far."""

    agent_id: AgentId
    alert: AlertRecord


class AlertSent(AlertEvent):
    """An agent is told of an offer, on this channel first."""

    TYPE = "rondo.alert.sent.v1"
    TOPIC = ALERTS
    channel: ChannelName
    offer_event_id: EventId
    """The offer, as ``rondo.conversations`` has it."""


class AlertDelivered(AlertEvent):
    """The push service, the mail server or the chat system has taken it."""

    TYPE = "rondo.alert.delivered.v1"
    TOPIC = ALERTS
    channel: ChannelName


class AlertAcknowledged(AlertEvent):
    """The agent answered the offer, or said that they have seen the alert: then ``answer`` is None."""

    TYPE = "rondo.alert.acknowledged.v1"
    TOPIC = ALERTS
    answer: ClosingReason | None = None


class AlertEscalated(AlertEvent):
    """Nobody answered, or a channel failed: this one is turned to next."""

    TYPE = "rondo.alert.escalated.v1"
    TOPIC = ALERTS
    channel: ChannelName


class AlertWithdrawn(AlertEvent):
    """There is nothing to answer any more; every channel that was used is told."""

    TYPE = "rondo.alert.withdrawn.v1"
    TOPIC = ALERTS
    reason: ClosingReason


class AlertFailed(AlertEvent):
    """No channel could be told."""

    TYPE = "rondo.alert.failed.v1"
    TOPIC = ALERTS
    error: str


class CoverageAlarm(Event):
    """About an alarm of a workspace."""

    alarm_id: str
    alarm: AlarmKind


class CoverageAlarmRaised(CoverageAlarm):
    """Nobody can be reached in the workspace's hours, or somebody waits for too long."""

    TYPE = "rondo.coverage_alarm.raised.v1"
    TOPIC = ALERTS
    detail: str


class CoverageAlarmResolved(CoverageAlarm):
    """What raised the alarm is over."""

    TYPE = "rondo.coverage_alarm.resolved.v1"
    TOPIC = ALERTS
    raised_at: datetime


class WebhookDisabled(Event):
    """An endpoint failed for so long, or said that it is gone (410), that nothing is sent to it any more,
    until it is defined anew."""

    TYPE = "rondo.webhook.disabled.v1"
    TOPIC = ALERTS
    webhook_id: WebhookId
    url: str
    failing_since: datetime
    error: str
    """Why its last attempt failed."""


EVENT_TYPES: dict[str, type[Event]] = {
    event.TYPE: event
    for event in (
        ChatRequested,
        AcceptChat,
        DeclineChat,
        TakeChat,
        WithdrawChat,
        EndChat,
        TransferChat,
        VisitorErased,
        ConnectAgent,
        PlanRoute,
        AssignmentOffered,
        AssignmentAccepted,
        AssignmentDeclined,
        AssignmentTimedOut,
        AssignmentRescinded,
        ChatQueued,
        ChatTransferred,
        TransferReturned,
        ChatFellBack,
        ChatWithdrawn,
        ChatEnded,
        MessagePosted,
        MessagesRead,
        TranscriptRequested,
        ConversationRated,
        ConversationErased,
        ConversationIdleWarned,
        AgentAvailabilityChanged,
        AgentConnected,
        AgentDisconnected,
        CoverageLost,
        WorkspaceDefined,
        ApiKeyDefined,
        AgentDefined,
        AvailabilityToggled,
        TeamDefined,
        RuleDefined,
        AccountDefined,
        ProfileDefined,
        WorkspaceMetrics,
        IdentitySecretRotated,
        WebhookDefined,
        WebhookDisabled,
        PushSubscribed,
        SavedReplyDefined,
        AcknowledgeAlert,
        AlertSent,
        AlertDelivered,
        AlertAcknowledged,
        AlertEscalated,
        AlertWithdrawn,
        AlertFailed,
        CoverageAlarmRaised,
        CoverageAlarmResolved,
    )
}
