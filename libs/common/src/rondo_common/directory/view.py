"""The directory in memory: a pure view that changes one record at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from rondo_common.availability import Availability, Toggle, availability_at
from rondo_common.directory.accounts import Accounts
from rondo_common.directory.defined import Defined
from rondo_common.directory.entries import (
    AgentEntry,
    ApiKeyEntry,
    Kind,
    ProfileEntry,
    PushSubscriptionEntry,
    RuleEntry,
    SavedReplyEntry,
    TeamEntry,
    WebhookEntry,
    WorkspaceEntry,
)
from rondo_common.directory.sites import IdentityEntry, patterns_for
from rondo_common.events import (
    AccountDefined,
    AgentDefined,
    ApiKeyDefined,
    AvailabilityToggled,
    Event,
    IdentitySecretRotated,
    ProfileDefined,
    PushSubscribed,
    RuleDefined,
    SavedReplyDefined,
    TeamDefined,
    WebhookDefined,
    WorkspaceDefined,
)
from rondo_common.ids import (
    AccountId,
    AgentId,
    ApiKeyId,
    ProfileId,
    PushSubscriptionId,
    RuleId,
    SavedReplyId,
    TeamId,
    WebhookId,
    WorkspaceId,
)
from rondo_common.permissions import DEFAULT_PROFILES, Permission


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """One record of the directory topic. ``event`` None means that the entry was removed."""

    workspace_id: WorkspaceId
    kind: Kind
    entry_id: str
    event: Event | None
    partition: int
    offset: int


@dataclass(slots=True)
class WorkspaceDirectory:
    """What one workspace has provisioned."""

    workspace: WorkspaceEntry | None = None
    agents: dict[AgentId, Defined[AgentEntry]] = field(default_factory=dict)
    api_keys: dict[ApiKeyId, ApiKeyEntry] = field(default_factory=dict)
    toggles: dict[AgentId, Toggle] = field(default_factory=dict)
    teams: dict[TeamId, Defined[TeamEntry]] = field(default_factory=dict)
    rules: dict[RuleId, Defined[RuleEntry]] = field(default_factory=dict)
    accounts: Accounts = field(default_factory=Accounts)
    profiles: dict[ProfileId, Defined[ProfileEntry]] = field(default_factory=dict)
    identity: IdentityEntry | None = None
    """Whence its identity secrets come, if it has any."""
    webhooks: dict[WebhookId, Defined[WebhookEntry]] = field(default_factory=dict)
    push_subscriptions: dict[PushSubscriptionId, PushSubscriptionEntry] = field(default_factory=dict)
    saved_replies: dict[SavedReplyId, Defined[SavedReplyEntry]] = field(default_factory=dict)
    workspace_offset: int = -1
    """The version of ``workspace``."""
    place_last: int = 0
    """The greatest place in the sequence of all agents that was ever given here."""

    def permissions_of(self, profile_id: ProfileId) -> frozenset[Permission]:
        """What a profile permits; nothing when there is no such profile."""
        defined = self.profiles.get(profile_id)
        if defined is not None:
            return frozenset(defined.entry.permissions)
        _, permissions = DEFAULT_PROFILES.get(profile_id, ("", frozenset[Permission]()))
        return permissions

    def may_chat(self, agent: AgentEntry) -> bool:
        """Whether the agent holds the live chat permission, and it is switched on for them."""
        return agent.live_chat and Permission.LIVE_CHAT_VIEW_MY in self.permissions_of(agent.profile)

    def push_subscriptions_of(self, agent_id: AgentId) -> list[PushSubscriptionEntry]:
        """The browsers in which an agent wants to be told, the oldest first."""
        found = [each for each in self.push_subscriptions.values() if each.agent_id == agent_id]
        return sorted(found, key=lambda each: (each.created_at, each.id))

    def agents_with(self, permission: Permission) -> list[AgentEntry]:
        """The agents who hold a permission."""
        entries = (each.entry for each in self.agents.values())
        return [each for each in entries if permission in self.permissions_of(each.profile)]

    def availability_of(self, agent: AgentEntry, now: datetime) -> Availability:
        """Whether the agent is available at ``now``, by schedule and toggle; permitted or not."""
        return availability_at(agent.schedule, agent.time_zone, self.toggles.get(agent.id), now)


class Directory:
    """All workspaces, as far as the log was read."""

    def __init__(self) -> None:
        self._workspaces: dict[WorkspaceId, WorkspaceDirectory] = {}
        self._partitions: dict[WorkspaceId, int] = {}
        self._keys: dict[str, tuple[WorkspaceId, ApiKeyId]] = {}
        self._sites: dict[str, WorkspaceId] = {}
        self._origins: dict[str, set[WorkspaceId]] = {}

    def find(self, workspace_id: WorkspaceId) -> WorkspaceDirectory | None:
        """A workspace that exists, or None."""
        found = self._workspaces.get(workspace_id)
        return found if found is not None and found.workspace is not None else None

    def workspaces(self) -> Iterable[WorkspaceEntry]:
        """Every workspace that exists, in no particular order."""
        return [each.workspace for each in self._workspaces.values() if each.workspace is not None]

    def workspaces_of(self, partition: int) -> list[WorkspaceId]:
        """The ids of every workspace the partition speaks of, removed ones included."""
        return [each for each, where in self._partitions.items() if where == partition]

    def agents_of(self, workspace_id: WorkspaceId) -> list[Defined[AgentEntry]]:
        """The workspace's agents in the order they joined; none once it is removed."""
        found = self.find(workspace_id)
        return [] if found is None else list(found.agents.values())

    def find_api_key(self, sha256: str) -> tuple[WorkspaceId, ApiKeyId] | None:
        """Whose key has this hash, if its workspace still exists."""
        found = self._keys.get(sha256)
        return found if found is not None and self.find(found[0]) is not None else None

    def find_site(self, site_key: str) -> WorkspaceId | None:
        """The workspace that has this site key, if it still exists."""
        return self._sites.get(site_key)

    def is_origin_known(self, origin: str) -> bool:
        """Whether any workspace lets pages of ``origin`` call."""
        return any(pattern in self._origins for pattern in patterns_for(origin))

    def apply(self, change: DirectoryChange) -> None:  # noqa: C901, PLR0912 - one case a kind
        """Take in the next record."""
        self._partitions[change.workspace_id] = change.partition
        of_workspace = self._workspaces.setdefault(change.workspace_id, WorkspaceDirectory())
        match change.event:
            case WorkspaceDefined(workspace=workspace):
                self._forget_site(of_workspace)
                of_workspace.workspace = workspace
                self._learn_site(workspace)
                of_workspace.workspace_offset = change.offset
            case AgentDefined(agent=agent):
                of_workspace.agents[agent.id] = Defined(agent, change.offset)
                of_workspace.place_last = max(of_workspace.place_last, agent.place)
            case AvailabilityToggled(toggle=toggle):
                of_workspace.toggles[toggle.agent_id] = toggle.toggle
            case TeamDefined(team=team):
                of_workspace.teams[team.id] = Defined(team, change.offset)
            case RuleDefined(rule=rule):
                of_workspace.rules[rule.id] = Defined(rule, change.offset)
            case AccountDefined(account=account):
                of_workspace.accounts.put(account, change.offset)
            case ProfileDefined(profile=profile):
                of_workspace.profiles[profile.id] = Defined(profile, change.offset)
            case IdentitySecretRotated(identity=identity):
                of_workspace.identity = identity
            case WebhookDefined(webhook=webhook):
                of_workspace.webhooks[webhook.id] = Defined(webhook, change.offset)
            case SavedReplyDefined(saved_reply=saved_reply):
                of_workspace.saved_replies[saved_reply.id] = Defined(saved_reply, change.offset)
            case PushSubscribed(subscription=subscription):
                of_workspace.push_subscriptions[subscription.id] = subscription
            case ApiKeyDefined(api_key=api_key):
                self._forget_api_key(of_workspace, api_key.id)
                of_workspace.api_keys[api_key.id] = api_key
                self._keys[api_key.sha256] = (change.workspace_id, api_key.id)
            case None:
                self._remove(of_workspace, change)
            case _:
                pass  # A kind this version does not know; a later one will.

    def _remove(self, of_workspace: WorkspaceDirectory, change: DirectoryChange) -> None:  # noqa: C901 - one case a kind
        match change.kind:
            case Kind.WORKSPACE:
                self._forget_site(of_workspace)
                of_workspace.workspace = None
            case Kind.IDENTITY:
                of_workspace.identity = None
            case Kind.AGENT:
                of_workspace.agents.pop(AgentId(change.entry_id), None)
            case Kind.API_KEY:
                self._forget_api_key(of_workspace, ApiKeyId(change.entry_id))
            case Kind.TOGGLE:
                of_workspace.toggles.pop(AgentId(change.entry_id), None)
            case Kind.TEAM:
                of_workspace.teams.pop(TeamId(change.entry_id), None)
            case Kind.RULE:
                of_workspace.rules.pop(RuleId(change.entry_id), None)
            case Kind.ACCOUNT:
                of_workspace.accounts.remove(AccountId(change.entry_id))
            case Kind.PROFILE:
                of_workspace.profiles.pop(ProfileId(change.entry_id), None)
            case Kind.PUSH_SUBSCRIPTION:
                of_workspace.push_subscriptions.pop(PushSubscriptionId(change.entry_id), None)
            case Kind.SAVED_REPLY:
                of_workspace.saved_replies.pop(SavedReplyId(change.entry_id), None)
            case Kind.WEBHOOK:
                of_workspace.webhooks.pop(WebhookId(change.entry_id), None)

    def _forget_api_key(self, of_workspace: WorkspaceDirectory, api_key_id: ApiKeyId) -> None:
        api_key = of_workspace.api_keys.pop(api_key_id, None)
        if api_key is not None:
            self._keys.pop(api_key.sha256, None)

    def _learn_site(self, workspace: WorkspaceEntry) -> None:
        self._sites[workspace.site_key] = workspace.id
        for origin in workspace.settings.allowed_origins:
            self._origins.setdefault(origin, set()).add(workspace.id)

    def _forget_site(self, of_workspace: WorkspaceDirectory) -> None:
        workspace = of_workspace.workspace
        if workspace is None:
            return
        self._sites.pop(workspace.site_key, None)
        for origin in workspace.settings.allowed_origins:
            allowing = self._origins.get(origin, set())
            allowing.discard(workspace.id)
            if not allowing:
                self._origins.pop(origin, None)
