"""How what was provisioned looks on the public surface. Field names are promises; see the API reference."""

from __future__ import annotations

from pydantic import Field

from rondo_common.availability import ScheduleBlock
from rondo_common.conditions import Condition
from rondo_common.conversation import Value
from rondo_common.directory.entries import (
    AccountEntry,
    AgentEntry,
    Notifications,
    ProfileEntry,
    RuleEntry,
    SavedReplyEntry,
    TeamEntry,
    WorkspaceSettings,
)
from rondo_common.ids import AccountId, AgentId, ProfileId, RuleId, SavedReplyId, TeamId
from rondo_common.permissions import Permission


class Agent(Value):
    """An agent. `capacity` is the one that applies: their own (`own_capacity`), or the workspace's."""

    id: AgentId
    name: str
    email: str
    avatar_url: str | None
    time_zone: str | None
    capacity: int
    own_capacity: int | None
    profile: ProfileId
    live_chat: bool
    schedule: tuple[ScheduleBlock, ...] | None
    notifications: Notifications


class AgentList(Value):
    """Agents, by id."""

    data: list[Agent]
    next_cursor: str | None


class Team(Value):
    """Agents who are asked for together."""

    id: TeamId
    name: str
    agent_ids: tuple[AgentId, ...]


class TeamList(Value):
    """Teams, by id."""

    data: list[Team]
    next_cursor: str | None


class Rule(Value):
    """Which visitors go to which agents. Rules are tried by `priority` (1 first), then by id."""

    id: RuleId
    name: str
    priority: int
    conditions: Condition
    agent_ids: tuple[AgentId, ...]
    enabled: bool


class RuleList(Value):
    """Rules, by id."""

    data: list[Rule]
    next_cursor: str | None


class Account(Value):
    """A target account. Domains are in lower case."""

    id: AccountId
    company: str
    domains: tuple[str, ...]
    owner_id: AgentId


class AccountList(Value):
    """Accounts, by id."""

    data: list[Account]
    next_cursor: str | None


class Profile(Value):
    """A named set of permissions."""

    id: ProfileId
    name: str
    permissions: tuple[Permission, ...]


class ProfileList(Value):
    """Profiles, by id, those that every workspace has included."""

    data: list[Profile]
    next_cursor: str | None


class SavedReply(Value):
    """A text that agents write often, found by its `shortcut`."""

    id: SavedReplyId
    shortcut: str
    title: str
    text: str


class SavedReplyList(Value):
    """Saved replies, by id."""

    data: list[SavedReply]
    next_cursor: str | None


class RejectedLine(Value):
    """A line that was not taken. The header is line 1; a record over several lines has its first."""

    line: int
    reason: str


class ImportReport(Value):
    """What became of each line: how many were taken, and why the others were not."""

    imported: int = Field(ge=0)
    rejected: list[RejectedLine]


def agent_of(agent: AgentEntry, settings: WorkspaceSettings) -> Agent:
    """The agent as the API shows them."""
    return Agent(
        id=agent.id,
        name=agent.name,
        email=agent.email,
        avatar_url=agent.avatar_url,
        time_zone=agent.time_zone,
        capacity=settings.agent_capacity if agent.capacity is None else agent.capacity,
        own_capacity=agent.capacity,
        profile=agent.profile,
        live_chat=agent.live_chat,
        schedule=agent.schedule,
        notifications=agent.notifications,
    )


def team_of(team: TeamEntry) -> Team:
    """The team as the API shows it."""
    return Team(id=team.id, name=team.name, agent_ids=team.agent_ids)


def rule_of(rule: RuleEntry) -> Rule:
    """The rule as the API shows it."""
    return Rule(
        id=rule.id,
        name=rule.name,
        priority=rule.priority,
        conditions=rule.conditions,
        agent_ids=rule.agent_ids,
        enabled=rule.enabled,
    )


def account_of(account: AccountEntry) -> Account:
    """The account as the API shows it."""
    return Account(**dict(account))


def profile_of(profile: ProfileEntry) -> Profile:
    """The profile as the API shows it."""
    return Profile(**dict(profile))


def saved_reply_of(saved_reply: SavedReplyEntry) -> SavedReply:
    """The reply as the API shows it."""
    return SavedReply(**dict(saved_reply))
