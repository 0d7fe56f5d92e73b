"""What is special about each kind of thing that a workspace provisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from rondo_common.directory.defined import Defined
from rondo_common.directory.entries import (
    AccountEntry,
    AgentEntry,
    Kind,
    ProfileEntry,
    RuleEntry,
    TeamEntry,
)
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.errors import Conflict
from rondo_common.events import (
    AccountDefined,
    AgentDefined,
    Event,
    ProfileDefined,
    RuleDefined,
    TeamDefined,
)
from rondo_common.ids import AccountId, AgentId, ProfileId, RuleId, TeamId
from rondo_common.permissions import DEFAULT_PROFILES, Permission
from rondo_gateway.domain.permissions import require_no_escalation
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.provisioned import (
    Account,
    Agent,
    Profile,
    Rule,
    Team,
    account_of,
    agent_of,
    profile_of,
    rule_of,
    team_of,
)
from rondo_gateway.domain.provisioning import (
    AccountBody,
    AgentBody,
    ProfileBody,
    RuleBody,
    TeamBody,
    in_order,
)
from rondo_gateway.domain.refusals import Invalid
from rondo_gateway.handlers.own_workspace import entry_of
from rondo_gateway.handlers.provisioned import ProvisionedKind, TabledKind
from rondo_gateway.ports import Definition, DirectoryView, Places

DEFAULT_VERSION = -1
"""Of a profile that no record defines."""
NAMED_USERS_MAX = 5
"""How many of a profile's users a refusal names."""

GroupT = TypeVar("GroupT", TeamEntry, RuleEntry)


class AgentKind(TabledKind[AgentBody, AgentEntry, Agent]):
    """Agents. A new one joins at the end of the workspace's sequence, and keeps their place."""

    kind = Kind.AGENT
    name = "agent"
    permission = Permission.ADMIN_AGENTS
    is_put_in_turn = False

    def __init__(self, directory: DirectoryView, places: Places) -> None:
        self._directory = directory
        self._places = places

    def table(self, found: WorkspaceDirectory) -> Mapping[AgentId, Defined[AgentEntry]]:
        """See :class:`TabledKind`."""
        return found.agents

    async def define(
        self, caller: Principal, found: WorkspaceDirectory, entry_id: str, body: AgentBody
    ) -> AgentEntry:
        """See :class:`ProvisionedKind`."""
        profile = ProfileId(body.profile)
        if profile not in found.profiles and profile not in DEFAULT_PROFILES:
            raise Invalid("/profile", f"there is no profile {profile} in this workspace")
        present = self.find(found, entry_id)
        # An address can be what somebody signs in with: changing it is giving what the profile permits.
        if present is None or (present.entry.profile, present.entry.email) != (profile, body.email):
            require_no_escalation(caller, found, found.permissions_of(profile))
        place = 0 if present is None else present.entry.place
        return body.entry(AgentId(entry_id), place or await self._new_place(found))

    def event(self, entry: AgentEntry) -> Event:
        """See :class:`ProvisionedKind`."""
        return AgentDefined(agent=entry)

    def show(self, found: WorkspaceDirectory, entry: AgentEntry) -> Agent:
        """See :class:`ProvisionedKind`."""
        return agent_of(entry, entry_of(found).settings)

    def is_settled(self, found: WorkspaceDirectory, defined: Defined[AgentEntry]) -> bool:
        """The workspace's capacity shows where they have none of their own."""
        return defined.entry.capacity is not None or found.workspace_offset < defined.offset

    def removal(self, caller: Principal, found: WorkspaceDirectory, entry_id: str) -> Sequence[Definition]:  # noqa: ARG002 - the kinds' common form
        """Teams and rules come first: should it break off, there is still somebody to delete."""
        agent_id = AgentId(entry_id)
        teams = [_without(each.entry, agent_id) for each in found.teams.values()]
        rules = [_without(each.entry, agent_id) for each in found.rules.values()]
        return [
            *(Definition(Kind.TEAM, each.id, TeamDefined(team=each)) for each in teams if each),
            *(Definition(Kind.RULE, each.id, RuleDefined(rule=each)) for each in rules if each),
            Definition(Kind.TOGGLE, agent_id, None),
            *(
                Definition(Kind.PUSH_SUBSCRIPTION, each.id, None)
                for each in found.push_subscriptions_of(agent_id)
            ),
            Definition(Kind.AGENT, agent_id, None),
        ]

    async def _new_place(self, found: WorkspaceDirectory) -> int:
        workspace_id = entry_of(found).id
        place = await self._places.next(workspace_id, found.place_last)
        if place is None:
            await self._directory.refresh()  # The log knows what was given before.
            place = await self._places.begin(workspace_id, found.place_last)
        return place


class TeamKind(TabledKind[TeamBody, TeamEntry, Team]):
    """Teams. Agents keep their places in the team's sequence as long as they are in it."""

    kind = Kind.TEAM
    name = "team"
    permission = Permission.ADMIN_TEAMS
    readers = frozenset({Permission.LIVE_CHAT_VIEW_MY})  # They may hand a conversation over to one.

    def table(self, found: WorkspaceDirectory) -> Mapping[TeamId, Defined[TeamEntry]]:
        """See :class:`TabledKind`."""
        return found.teams

    async def define(
        self,
        caller: Principal,  # noqa: ARG002 - the kinds' common form
        found: WorkspaceDirectory,
        entry_id: str,
        body: TeamBody,
    ) -> TeamEntry:
        """See :class:`ProvisionedKind`."""
        _require_agents(found, body.agent_ids)
        present = self.find(found, entry_id)
        return body.entry(TeamId(entry_id), None if present is None else present.entry)

    def event(self, entry: TeamEntry) -> Event:
        """See :class:`ProvisionedKind`."""
        return TeamDefined(team=entry)

    def show(self, found: WorkspaceDirectory, entry: TeamEntry) -> Team:  # noqa: ARG002 - the kinds' common form
        """See :class:`ProvisionedKind`."""
        return team_of(entry)


class RuleKind(TabledKind[RuleBody, RuleEntry, Rule]):
    """Rules. Agents keep their places in the rule's sequence as long as they are in it."""

    kind = Kind.RULE
    name = "rule"
    permission = Permission.ADMIN_CUSTOM_RULES

    def table(self, found: WorkspaceDirectory) -> Mapping[RuleId, Defined[RuleEntry]]:
        """See :class:`TabledKind`."""
        return found.rules

    async def define(
        self,
        caller: Principal,  # noqa: ARG002 - the kinds' common form
        found: WorkspaceDirectory,
        entry_id: str,
        body: RuleBody,
    ) -> RuleEntry:
        """See :class:`ProvisionedKind`."""
        _require_agents(found, body.agent_ids)
        present = self.find(found, entry_id)
        return body.entry(RuleId(entry_id), None if present is None else present.entry)

    def event(self, entry: RuleEntry) -> Event:
        """See :class:`ProvisionedKind`."""
        return RuleDefined(rule=entry)

    def show(self, found: WorkspaceDirectory, entry: RuleEntry) -> Rule:  # noqa: ARG002 - the kinds' common form
        """See :class:`ProvisionedKind`."""
        return rule_of(entry)


class AccountKind(ProvisionedKind[AccountBody, AccountEntry, Account]):
    """Target accounts. One whose owner was deleted keeps the owner's id, for the linter to report."""

    kind = Kind.ACCOUNT
    name = "account"
    permission = Permission.ADMIN_ACCOUNTS
    # An import adds to what is there; a PUT in the middle of that must not be lost.

    def find(self, found: WorkspaceDirectory, entry_id: str) -> Defined[AccountEntry] | None:
        """See :class:`ProvisionedKind`."""
        return found.accounts.get(AccountId(entry_id))

    def all(self, found: WorkspaceDirectory) -> Iterable[tuple[str, AccountEntry]]:
        """See :class:`ProvisionedKind`."""
        return ((defined.entry.id, defined.entry) for defined in found.accounts)

    async def define(
        self,
        caller: Principal,  # noqa: ARG002 - the kinds' common form
        found: WorkspaceDirectory,
        entry_id: str,
        body: AccountBody,
    ) -> AccountEntry:
        """See :class:`ProvisionedKind`."""
        if body.owner_id not in found.agents:
            raise Invalid("/owner_id", f"there is no agent {body.owner_id} in this workspace")
        return body.entry(AccountId(entry_id))

    def event(self, entry: AccountEntry) -> Event:
        """See :class:`ProvisionedKind`."""
        return AccountDefined(account=entry)

    def show(self, found: WorkspaceDirectory, entry: AccountEntry) -> Account:  # noqa: ARG002 - the kinds' common form
        """See :class:`ProvisionedKind`."""
        return account_of(entry)


class ProfileKind(ProvisionedKind[ProfileBody, ProfileEntry, Profile]):
    """Profiles. The default ones are there until one of the same id is defined, and again after that."""

    kind = Kind.PROFILE
    name = "profile"
    permission = Permission.ADMIN_SECURITY

    def find(self, found: WorkspaceDirectory, entry_id: str) -> Defined[ProfileEntry] | None:
        """See :class:`ProvisionedKind`."""
        profile_id = ProfileId(entry_id)
        if profile_id in found.profiles:
            return found.profiles[profile_id]
        default = _default_profile(profile_id)
        return None if default is None else Defined(default, DEFAULT_VERSION)

    def all(self, found: WorkspaceDirectory) -> Iterable[tuple[str, ProfileEntry]]:
        """See :class:`ProvisionedKind`."""
        for each in {**DEFAULT_PROFILES, **found.profiles}:
            defined = self.find(found, each)
            assert defined is not None  # noqa: S101 - it is one of both
            yield each, defined.entry

    async def define(
        self, caller: Principal, found: WorkspaceDirectory, entry_id: str, body: ProfileBody
    ) -> ProfileEntry:
        """See :class:`ProvisionedKind`."""
        profile_id = ProfileId(entry_id)
        require_no_escalation(caller, found, found.permissions_of(profile_id) | set(body.permissions))
        return body.entry(profile_id)

    def event(self, entry: ProfileEntry) -> Event:
        """See :class:`ProvisionedKind`."""
        return ProfileDefined(profile=entry)

    def show(self, found: WorkspaceDirectory, entry: ProfileEntry) -> Profile:  # noqa: ARG002 - the kinds' common form
        """See :class:`ProvisionedKind`."""
        return profile_of(entry)

    def removal(self, caller: Principal, found: WorkspaceDirectory, entry_id: str) -> Sequence[Definition]:
        """One that agents have goes only where a default of that id takes its place."""
        profile_id = ProfileId(entry_id)
        default = _default_profile(profile_id)
        if profile_id not in found.profiles:
            raise Conflict(
                "default-profile", f"Profile {profile_id} is one that every workspace has; it stays."
            )
        users = sorted(each for each, agent in found.agents.items() if agent.entry.profile == profile_id)
        if users and default is None:
            raise Conflict(
                "profile-in-use",
                f"{len(users)} agents have profile {profile_id} ({', '.join(users[:NAMED_USERS_MAX])}"
                f"{', …' if len(users) > NAMED_USERS_MAX else ''}). Give them another one first.",
            )
        remaining = frozenset(() if default is None else default.permissions)
        require_no_escalation(caller, found, found.permissions_of(profile_id) | remaining)
        return super().removal(caller, found, entry_id)


def _default_profile(profile_id: ProfileId) -> ProfileEntry | None:
    if profile_id not in DEFAULT_PROFILES:
        return None
    name, permissions = DEFAULT_PROFILES[profile_id]
    return ProfileEntry(id=profile_id, name=name, permissions=in_order(permissions))


def _require_agents(found: WorkspaceDirectory, agent_ids: Sequence[str]) -> None:
    for index, agent_id in enumerate(agent_ids):
        if agent_id not in found.agents:
            raise Invalid(f"/agent_ids/{index}", f"there is no agent {agent_id} in this workspace")


def _without(group: GroupT, agent_id: AgentId) -> GroupT | None:
    """The team or rule without the agent; None where they are not in it."""
    if agent_id not in group.agent_ids:
        return None
    places = {each: place for each, place in group.places.items() if each != agent_id}
    agent_ids = tuple(each for each in group.agent_ids if each != agent_id)
    return group.model_copy(update={"agent_ids": agent_ids, "places": places})
