"""What the directory holds: workspaces with their settings, API keys, agents, and how they are grouped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from rondo_common.alerts import ChannelName
from rondo_common.availability import ScheduleBlock, TimeZone, Toggle
from rondo_common.conditions import Condition
from rondo_common.conversation import AgentCard, Value
from rondo_common.directory.sites import (
    ORIGINS_MAX,
    AllowedOrigin,
    RateLimits,
    WidgetSettings,
    site_key_of,
)
from rondo_common.ids import (
    AccountId,
    AgentId,
    ApiKeyId,
    EventId,
    ProfileId,
    PushSubscriptionId,
    RuleId,
    SavedReplyId,
    TeamId,
    WebhookId,
    WorkspaceId,
)
from rondo_common.permissions import LIVE_AGENT, Permission

EmailDomain = Annotated[
    str,
    StringConstraints(
        max_length=253, to_lower=True, pattern=r"(?i)^([^\s@.\x00]{1,63}\.)+[^\s@.\x00]{1,63}$"
    ),
]
"""The part of an e-mail address behind the ``@``, in lower case."""


ChatHookUrl = Annotated[
    str, StringConstraints(max_length=2_000, pattern=r"^https?://[^\s/@\x00]+(/[^\s\x00]*)?$")
]
"""Whoever knows it may write into the room behind it, so it is a secret."""


class Kind(StrEnum):
    """The kinds of directory entries, as they stand in the middle of a record's key."""

    WORKSPACE = "workspace"
    API_KEY = "api_key"
    AGENT = "agent"
    TOGGLE = "toggle"
    """An agent's availability toggle; its id is the agent's."""
    TEAM = "team"
    RULE = "rule"
    ACCOUNT = "account"
    PROFILE = "profile"
    IDENTITY = "identity"
    """Whence the secrets come that a workspace's website signs visitors with; its id is the workspace's."""
    WEBHOOK = "webhook"
    PUSH_SUBSCRIPTION = "push_subscription"
    """A browser in which an agent wants to be told of chats."""
    SAVED_REPLY = "saved_reply"


class OfferAttempts(Value):
    """How many agents a route may ring for one conversation."""

    round_robin: int = Field(default=1, ge=1, le=100)
    agent: int = Field(default=1, ge=1, le=100)
    custom_rules: int = Field(default=1, ge=1, le=100)
    team: int = Field(default=2, ge=1, le=100)


class QueueSettings(Value):
    """Whether a visitor waits when nobody is free, how long at most, and how many of them."""

    enabled: bool = False
    max_wait_s: int = Field(default=300, ge=1, le=86_400)
    size_max: int = Field(default=100, ge=1, le=10_000)


class FallbackSettings(Value):
    """What a visitor sees when nobody can be connected."""

    message: str = Field(
        default="Nobody is available right now. Please leave us a message.",
        min_length=1,
        max_length=4000,
        pattern=r"^[^\x00]*$",  # PostgreSQL's text cannot hold NUL.
    )
    offer_meeting: bool = False


class AlertSettings(Value):
    """How agents are told of offers, and people of what needs them. Durations in seconds."""

    escalation: tuple[ChannelName, ...] = Field(
        default=(ChannelName.INBOX, ChannelName.WEB_PUSH, ChannelName.EMAIL), max_length=len(ChannelName)
    )
    """The channels in the order they are turned to while nobody answers. Those that an agent does not
    want, or cannot be reached by, are left out."""
    ack_timeout_s: float = Field(default=5, ge=0.1, le=600)
    """How long an open inbox has to answer before the next channel is turned to."""
    mail_interval_s: int = Field(default=600, ge=0, le=86_400)
    """An agent gets an email so often at most; what happens meanwhile is gathered in the next one."""
    queue_wait_s: int | None = Field(default=None, ge=1, le=86_400)
    """Whoever waits longer than this in the queue raises an alarm; None: nobody does."""
    coverage_grace_s: int = Field(default=60, ge=0, le=86_400)
    """How long nobody may be there, in the hours of some agent's schedule, before that is an alarm."""
    chat_hooks: tuple[ChatHookUrl, ...] = Field(default=(), max_length=10)
    """Incoming webhooks of chat systems that take ``{"text": …}``, as Slack's do. Shown in part only."""


class WorkspaceSettings(Value):
    """A workspace's settings. Durations in seconds."""

    live_chat_enabled: bool = True
    time_zone: TimeZone = "UTC"
    """In which the workspace's months begin and its people read times."""
    agent_capacity: int = Field(default=10, ge=1, le=10_000)
    """The capacity of agents whose own is not set."""
    offer_timeout_s: int = Field(default=100, ge=1, le=600)
    offer_attempts: OfferAttempts = OfferAttempts()
    presence_required: bool = False
    """Whether only agents with an inbox open are offered chats."""
    queue: QueueSettings = QueueSettings()
    fallback: FallbackSettings = FallbackSettings()
    blocked_email_domains: tuple[EmailDomain, ...] = Field(default=(), max_length=10_000)
    """Visitors with an address there fall back at once. A subdomain is a domain of its own."""
    engagements_per_month_max: int | None = Field(default=None, ge=0, le=10**9)
    """How many chat requests a calendar month are routed; None: all of them."""
    retention_days: int = Field(default=90, ge=1, le=3650)
    """How long conversations are kept after their last event."""
    idle_timeout_s: int = Field(default=600, ge=5, le=86_400)
    """A chat in which nobody writes for so long is over."""
    visitor_lease_s: int = Field(default=60, ge=0, le=86_400)
    """A visitor who waits, and whose last stream closed so long ago, is taken to have left; 0: never."""
    allowed_origins: tuple[AllowedOrigin, ...] = Field(default=(), max_length=ORIGINS_MAX)
    """The websites whose pages may call from a browser."""
    rate_limits: RateLimits = RateLimits()
    widget: WidgetSettings = WidgetSettings()
    alerts: AlertSettings = AlertSettings()


class WorkspaceEntry(Value):
    """One customer of this installation; everything else belongs to exactly one."""

    id: WorkspaceId
    name: str
    settings: WorkspaceSettings = WorkspaceSettings()
    created_at: datetime

    @property
    def site_key(self) -> str:
        """The public key by which a website's widget names this workspace."""
        return site_key_of(self.id, self.created_at)


class ApiKeyEntry(Value):
    """A website backend's key. ``sha256`` is the hash of the key, in hexadecimal."""

    id: ApiKeyId
    name: str | None = None
    sha256: str
    created_at: datetime


class Notifications(Value):
    """How an agent wants to be told of a chat."""

    sound: bool = True
    web_push: bool = True
    email: bool = True


class AgentEntry(Value):
    """A user who may answer chats. ``capacity`` is None where the workspace's applies."""

    id: AgentId
    name: str
    email: str
    avatar_url: str | None = None
    time_zone: TimeZone | None = None
    """Of the schedule and the toggle; None is UTC."""
    capacity: int | None = None
    profile: ProfileId = LIVE_AGENT
    live_chat: bool = True
    schedule: tuple[ScheduleBlock, ...] | None = None
    """None: always available; empty: never."""
    notifications: Notifications = Notifications()
    place: int = 0
    """Their place in the sequence of all agents, given once: greater than any given before it."""

    def card(self) -> AgentCard:
        """What a visitor may see of them."""
        return AgentCard(id=self.id, name=self.name, avatar_url=self.avatar_url)


class ToggleEntry(Value):
    """An agent's availability toggle as last switched. Back to the schedule removes the entry."""

    agent_id: AgentId
    toggle: Toggle


class TeamEntry(Value):
    """Agents who are asked for together. ``places`` gives each their place in the team's sequence."""

    id: TeamId
    name: str
    agent_ids: tuple[AgentId, ...]
    places: dict[AgentId, int] = Field(default_factory=dict)


class RuleEntry(Value):
    """Which visitors go to which agents. Rules are tried by ``priority`` (1 first), then by id."""

    id: RuleId
    name: str
    priority: int
    conditions: Condition
    agent_ids: tuple[AgentId, ...]
    enabled: bool = True
    places: dict[AgentId, int] = Field(default_factory=dict)
    """Each agent's place in the rule's sequence."""


class AccountEntry(Value):
    """A target account: its visitors go to its owner first. Domains are in lower case."""

    id: AccountId
    company: str
    domains: tuple[EmailDomain, ...] = ()
    owner_id: AgentId


class ProfileEntry(Value):
    """A named set of permissions."""

    id: ProfileId
    name: str
    permissions: tuple[Permission, ...]


class SavedReplyEntry(Value):
    """A text that agents write often, by the shortcut they find it with."""

    id: SavedReplyId
    shortcut: str
    title: str
    text: str


class PushSubscriptionEntry(Value):
    """A browser in which an agent wants to be told of chats, as its push service named it."""

    id: PushSubscriptionId
    agent_id: AgentId
    endpoint: str = Field(repr=False)
    """Whoever knows it may push, so it is a secret."""
    p256dh: str = Field(repr=False)
    auth: str = Field(repr=False)
    created_at: datetime


class WebhookSecret(Value):
    """What signs webhooks: ``whsec_`` and base64. ``valid_until`` None: until it is rotated."""

    secret: str = Field(repr=False)
    valid_until: datetime | None = None


class WebhookEntry(Value):
    """An endpoint of a website's backend, with its secrets, for the notifier to sign with."""

    id: WebhookId
    url: str
    event_types: tuple[str, ...]
    """Names of the live streams; ``*`` is all of them."""
    enabled: bool = True
    secrets: tuple[WebhookSecret, ...]
    """The newest first."""
    active_since: datetime
    """When it was last switched on: what happened before is not sent to it."""
    activation: EventId
    """New with every definition by a caller: from then on, one that was given up is tried again."""


def places_after(before: Mapping[AgentId, int], agent_ids: Sequence[AgentId]) -> dict[AgentId, int]:
    """The places of a pool whose members are now ``agent_ids``.

    Whoever was in it keeps their place; the new ones join at the end, in the order given.
    """
    last = max(before.values(), default=0)
    kept = {each: before[each] for each in agent_ids if each in before}
    joining = [each for each in dict.fromkeys(agent_ids) if each not in before]
    return kept | {each: last + number for number, each in enumerate(joining, start=1)}


def directory_key(workspace_id: WorkspaceId, kind: Kind, entry_id: str) -> str:
    """The record key of one entry: ``workspace/kind/id``."""
    return f"{workspace_id}/{kind}/{entry_id}"


def parse_directory_key(key: str) -> tuple[WorkspaceId, Kind, str]:
    """The workspace, kind and id that a record key names.

    Raises:
        ValueError: it is not such a key.
    """
    workspace_id, kind, entry_id = key.split("/")
    return WorkspaceId(workspace_id), Kind(kind), entry_id
