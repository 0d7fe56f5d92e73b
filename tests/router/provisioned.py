"""A workspace's directory, written by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rondo_common.availability import ScheduleBlock, Toggle
from rondo_common.conditions import All, Comparison, Condition, Operator
from rondo_common.directory.entries import (
    AccountEntry,
    AgentEntry,
    Kind,
    ProfileEntry,
    RuleEntry,
    TeamEntry,
    ToggleEntry,
    WorkspaceEntry,
    WorkspaceSettings,
    places_after,
)
from rondo_common.directory.view import Directory, DirectoryChange, WorkspaceDirectory
from rondo_common.events import (
    AccountDefined,
    AgentDefined,
    AvailabilityToggled,
    Event,
    ProfileDefined,
    RuleDefined,
    TeamDefined,
    WorkspaceDefined,
)
from rondo_common.ids import AccountId, AgentId, ProfileId, RuleId, TeamId, WorkspaceId
from rondo_common.permissions import Permission

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EVERYBODY: Condition = All(all=())
"""The condition that every visitor meets."""
FROM_SWEDEN: Condition = Comparison(attribute="visitor.country", operator=Operator.IS, value="Sweden")
NEVER: tuple[ScheduleBlock, ...] = ()
"""The schedule of one who is away."""


LONG_LIVED = {"visitor_lease_s": 0, "idle_timeout_s": 86_400}
"""Settings under which nobody is gone or silent for too long, where a test does not say otherwise."""


class Provisioned:
    """One workspace in a directory. Every change is applied at once, and given back as its record."""

    def __init__(
        self, workspace_id: str, directory: Directory | None = None, partition: int = 0, **settings: Any
    ) -> None:
        self.workspace_id = WorkspaceId(workspace_id)
        self.partition = partition
        self.directory = directory or Directory()
        self.offset = -1
        self._place = 0
        self.settings(**settings)

    @property
    def found(self) -> WorkspaceDirectory:
        found = self.directory.find(self.workspace_id)
        assert found is not None
        return found

    def settings(self, **fields: Any) -> DirectoryChange:
        entry = WorkspaceEntry(
            id=self.workspace_id,
            name="Acme",
            settings=WorkspaceSettings.model_validate(LONG_LIVED | fields),
            created_at=NOON,
        )
        return self._change(Kind.WORKSPACE, self.workspace_id, WorkspaceDefined(workspace=entry))

    def agent(self, name: str, **fields: Any) -> DirectoryChange:
        """Define the agent; whoever is there keeps their place, a new one joins at the end."""
        known = self.found.agents.get(AgentId(name))
        self._place += known is None
        place = self._place if known is None else known.entry.place
        entry = AgentEntry.model_validate(
            {"id": name, "name": name.title(), "email": f"{name}@acme.example", "place": place} | fields
        )
        return self._change(Kind.AGENT, name, AgentDefined(agent=entry))

    def agents(self, *names: str, **fields: Any) -> list[DirectoryChange]:
        return [self.agent(name, **fields) for name in names]

    def toggle(self, name: str, *, available: bool, at: datetime) -> DirectoryChange:
        entry = ToggleEntry(agent_id=AgentId(name), toggle=Toggle(available=available, set_at=at))
        return self._change(Kind.TOGGLE, name, AvailabilityToggled(toggle=entry))

    def team(self, name: str, *members: str) -> DirectoryChange:
        known = self.found.teams.get(TeamId(name))
        ids = tuple(AgentId(each) for each in members)
        places = places_after(known.entry.places if known else {}, ids)
        entry = TeamEntry(id=TeamId(name), name=name, agent_ids=ids, places=places)
        return self._change(Kind.TEAM, name, TeamDefined(team=entry))

    def rule(
        self, name: str, *members: str, conditions: Condition = EVERYBODY, **fields: Any
    ) -> DirectoryChange:
        known = self.found.rules.get(RuleId(name))
        ids = tuple(AgentId(each) for each in members)
        places = places_after(known.entry.places if known else {}, ids)
        entry = RuleEntry.model_validate(
            {
                "id": name,
                "name": name,
                "priority": 1,
                "conditions": conditions,
                "agent_ids": ids,
                "places": places,
            }
            | fields
        )
        return self._change(Kind.RULE, name, RuleDefined(rule=entry))

    def account(self, name: str, owner: str, *domains: str, company: str = "Zeta") -> DirectoryChange:
        entry = AccountEntry(id=AccountId(name), company=company, domains=domains, owner_id=AgentId(owner))
        return self._change(Kind.ACCOUNT, name, AccountDefined(account=entry))

    def profile(self, name: str, *permissions: Permission) -> DirectoryChange:
        entry = ProfileEntry(id=ProfileId(name), name=name, permissions=permissions)
        return self._change(Kind.PROFILE, name, ProfileDefined(profile=entry))

    def remove(self, kind: Kind, entry_id: str) -> DirectoryChange:
        return self._change(kind, entry_id, None)

    def _change(self, kind: Kind, entry_id: str, event: Event | None) -> DirectoryChange:
        self.offset += 1
        change = DirectoryChange(self.workspace_id, kind, entry_id, event, self.partition, self.offset)
        self.directory.apply(change)
        return change
