"""What the linter finds in a workspace, and what it leaves alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rondo_common import conditions
from rondo_common.availability import ScheduleBlock, Weekday
from rondo_common.conditions import All, Condition, is_met
from rondo_common.directory.entries import (
    AccountEntry,
    AgentEntry,
    Kind,
    ProfileEntry,
    RuleEntry,
    TeamEntry,
    WorkspaceEntry,
    WorkspaceSettings,
)
from rondo_common.directory.view import Directory, DirectoryChange, WorkspaceDirectory
from rondo_common.events import (
    AccountDefined,
    AgentDefined,
    Event,
    ProfileDefined,
    RuleDefined,
    TeamDefined,
    WorkspaceDefined,
)
from rondo_common.ids import AccountId, AgentId, ProfileId, RuleId, TeamId, WorkspaceId
from rondo_common.permissions import Permission
from rondo_gateway.domain.findings import Finding, enumerated
from rondo_gateway.domain.rule_lint import lint
from tests.common.conditioned import asked, compare

NOW = datetime(2026, 7, 1, 10, tzinfo=UTC)
ACME = WorkspaceId("acme")
SWEDEN, NORWAY = compare("is", "SE", "visitor.country"), compare("is", "NO", "visitor.country")
ANYBODY = All(all=())


class Workspace:
    """A workspace with an agent who is always there, furnished step by step."""

    def __init__(self, **settings: Any) -> None:
        self._directory = Directory()
        self._offset = 0
        entry = WorkspaceEntry(
            id=ACME, name="Acme", created_at=NOW, settings=WorkspaceSettings.model_validate(settings)
        )
        self._put(Kind.WORKSPACE, ACME, WorkspaceDefined(workspace=entry))
        self.agent("alan")

    def agent(self, name: str, **fields: Any) -> None:
        entry = AgentEntry(id=AgentId(name), name=name, email=f"{name}@example.com", **fields)
        self._put(Kind.AGENT, name, AgentDefined(agent=entry))

    def rule(
        self,
        name: str,
        priority: int,
        when: Condition,
        agents: tuple[str, ...] = ("alan",),
        *,
        enabled: bool = True,
    ) -> None:
        entry = RuleEntry(
            id=RuleId(name),
            name=name,
            priority=priority,
            conditions=when,
            agent_ids=tuple(map(AgentId, agents)),
            enabled=enabled,
        )
        self._put(Kind.RULE, name, RuleDefined(rule=entry))

    def team(self, name: str, *agents: str) -> None:
        entry = TeamEntry(id=TeamId(name), name=name, agent_ids=tuple(map(AgentId, agents)))
        self._put(Kind.TEAM, name, TeamDefined(team=entry))

    def account(self, name: str, owner: str) -> None:
        entry = AccountEntry(id=AccountId(name), company=name, owner_id=AgentId(owner))
        self._put(Kind.ACCOUNT, name, AccountDefined(account=entry))

    def profile(self, name: str, *permissions: Permission) -> None:
        entry = ProfileEntry(id=ProfileId(name), name=name, permissions=permissions)
        self._put(Kind.PROFILE, name, ProfileDefined(profile=entry))

    def remove_agent(self, name: str) -> None:
        self._put(Kind.AGENT, name, None)

    @property
    def directory(self) -> WorkspaceDirectory:
        found = self._directory.find(ACME)
        assert found is not None
        return found

    def findings(self) -> list[Finding]:
        return [finding for part in lint(self.directory, NOW) for finding in part]

    def found(self) -> list[tuple[str, str]]:
        return [(each.subject, each.problem) for each in self.findings()]

    def detail(self) -> str:
        (finding,) = self.findings()
        return finding.detail

    def _put(self, kind: Kind, entry_id: str, event: Event | None) -> None:
        self._directory.apply(DirectoryChange(ACME, kind, entry_id, event, 0, self._offset))
        self._offset += 1


@pytest.fixture
def workspace() -> Workspace:
    return Workspace()


def test_a_workspace_that_works_has_no_findings(workspace: Workspace) -> None:
    workspace.rule("nordic", 1, SWEDEN)
    workspace.rule("rest", 2, ANYBODY)
    workspace.team("sales", "alan")
    workspace.account("globex", "alan")
    assert workspace.findings() == []


# --- conditions --------------------------------------------------------------------------------


def test_conditions_that_contradict_each_other_are_found_with_their_attribute(workspace: Workspace) -> None:
    workspace.rule("both", 1, All(all=(SWEDEN, NORWAY)))
    assert workspace.found() == [("rule/both", "never_met")]
    assert "visitor.country contradicts itself" in workspace.detail()


def test_conditions_that_no_number_meets_are_found_with_their_proviso(workspace: Workspace) -> None:
    size = "visitor.company_size"
    workspace.rule("size", 1, All(all=(compare("greater_than", 100, size), compare("less_than", 50, size))))
    assert workspace.found() == [("rule/size", "never_met")]
    assert "as long as what is compared with a number is a number" in workspace.detail()


def test_a_choice_of_nothing_is_never_met(workspace: Workspace) -> None:
    workspace.rule("nothing", 1, conditions.Any(any=()))
    assert workspace.found() == [("rule/nothing", "never_met")]


def test_a_rule_whose_visitors_all_meet_an_earlier_one_is_shadowed_by_it(workspace: Workspace) -> None:
    workspace.rule("nordic", 1, compare("in", ("SE", "NO"), "visitor.country"))
    workspace.rule("sweden", 2, All(all=(SWEDEN, compare("is", "pro", "visitor.attributes.plan"))))
    assert workspace.found() == [("rule/sweden", "shadowed")]
    assert "meets rule/nordic (priority 1) first" in workspace.detail()


def test_of_two_rules_with_one_priority_the_smaller_id_is_first(workspace: Workspace) -> None:
    workspace.rule("b", 1, SWEDEN)
    workspace.rule("a", 1, SWEDEN)
    assert workspace.found() == [("rule/b", "shadowed")]


def test_a_rule_before_a_wider_one_is_not_shadowed(workspace: Workspace) -> None:
    workspace.rule("sweden", 1, SWEDEN)
    workspace.rule("rest", 2, ANYBODY)
    assert workspace.findings() == []


def test_disabled_rules_neither_shadow_nor_are_shadowed(workspace: Workspace) -> None:
    workspace.rule("off", 1, ANYBODY, enabled=False)
    workspace.rule("sweden", 2, SWEDEN)
    workspace.rule("sweden-too", 3, SWEDEN, enabled=False)
    assert workspace.findings() == []


def test_a_rule_that_is_never_met_is_not_called_shadowed_too(workspace: Workspace) -> None:
    workspace.rule("rest", 1, ANYBODY)
    workspace.rule("both", 2, All(all=(SWEDEN, NORWAY)))
    assert workspace.found() == [("rule/both", "never_met")]


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (("alan",), ("eve",), "only while none of that rule's can take the chat"),
        (("alan", "eve"), ("eve",), "it changes nothing"),
    ],
)
def test_what_is_left_for_a_shadowed_rules_agents_is_told(
    workspace: Workspace, first: tuple[str, ...], second: tuple[str, ...], told: str
) -> None:
    workspace.agent("eve")
    workspace.rule("nordic", 1, SWEDEN, first)
    workspace.rule("sweden", 2, SWEDEN, second)
    assert workspace.found() == [("rule/sweden", "shadowed")]
    assert told in workspace.detail()


def test_agents_behind_a_rule_that_reaches_nobody_are_said_to_be_rung(workspace: Workspace) -> None:
    workspace.rule("nordic", 1, SWEDEN, ("gone",))
    workspace.rule("sweden", 2, SWEDEN)
    workspace.rule("swedish", 3, SWEDEN, ("gone",))
    by_subject = {(each.subject, str(each.problem)): each.detail for each in workspace.findings()}
    assert "so its own still are" in by_subject["rule/sweden", "shadowed"]
    assert "None of its own agents can be rung either" in by_subject["rule/swedish", "shadowed"]


def test_rules_too_many_to_compare_are_said_not_to_be_examined(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rondo_gateway.domain.rule_lint.STEPS_MAX", 10)
    for number in range(12):
        workspace.rule(f"r{number:02}", number + 1, compare("is", str(number), "visitor.country"))
    workspace.rule("z", 99, compare("is", "0", "visitor.country"))
    assert workspace.found() == [("workspace", "not_examined")]
    assert "rule/r03 and those after it" in workspace.detail()


COUNTRIES = st.sampled_from(["SE", "NO", "DK"])
TREES: st.SearchStrategy[Condition] = st.recursive(
    st.builds(
        compare,
        st.sampled_from(["is", "is_not", "starts_with", "is_empty", "greater_than"]),
        COUNTRIES,
        st.sampled_from(["visitor.country", "visitor.state"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda members: All(all=tuple(members)))
        | st.lists(inner, max_size=3).map(lambda members: conditions.Any(any=tuple(members)))
    ),
    max_leaves=4,
)


@given(st.lists(TREES, min_size=2, max_size=4))
@settings(deadline=None)
def test_no_visitor_ever_comes_to_a_shadowed_rule_first(trees: list[Condition]) -> None:
    workspace = Workspace()
    for number, tree in enumerate(trees):
        workspace.rule(f"r{number}", number + 1, tree)
    found = dict(workspace.found())
    values = [None, "SE", "no", "DK", "other"]
    for request in (asked(country=one, state=other) for one in values for other in values):
        met = [f"rule/r{number}" for number, tree in enumerate(trees) if is_met(tree, request)]
        assert not met or met[0] not in found
        assert "never_met" not in {found.get(each) for each in met}


# --- agents ------------------------------------------------------------------------------------


def test_rules_and_teams_without_members_are_found(workspace: Workspace) -> None:
    workspace.rule("nordic", 1, SWEDEN, ())
    workspace.team("sales")
    assert workspace.found() == [("rule/nordic", "no_agents"), ("team/sales", "no_agents")]


def test_members_who_can_never_be_rung_are_found_with_the_reason_of_each(workspace: Workspace) -> None:
    workspace.profile("readers", Permission.ANALYTICS_VIEW)
    workspace.agent("no-schedule", schedule=())
    workspace.agent("no-chat", live_chat=False)
    workspace.agent("no-permission", profile=ProfileId("readers"))
    workspace.agent("no-profile", profile=ProfileId("gone"))
    everybody = ("no-schedule", "no-chat", "no-permission", "no-profile", "gone")
    workspace.rule("nordic", 1, SWEDEN, everybody)
    workspace.team("sales", *everybody)
    assert workspace.found() == [
        ("rule/nordic", "no_reachable_agents"),
        ("team/sales", "no_reachable_agents"),
    ]
    for finding in workspace.findings():
        assert "no-schedule (has an empty schedule)" in finding.detail
        assert "gone (does not exist)" in finding.detail
        for name in ("no-chat", "no-permission", "no-profile"):
            assert f"{name} (may not chat)" in finding.detail


def test_one_member_who_can_be_rung_some_day_is_enough(workspace: Workspace) -> None:
    monday = ScheduleBlock(weekday=Weekday.MON, from_="09:00", to="09:30")
    workspace.agent("eve", schedule=(monday,))
    workspace.rule("nordic", 1, SWEDEN, ("gone", "eve"))
    workspace.team("sales", "eve", "gone")
    assert workspace.findings() == []


def test_a_profile_that_loses_live_chat_makes_its_agents_unreachable(workspace: Workspace) -> None:
    workspace.team("sales", "alan")
    workspace.agent("eve", profile=ProfileId("marketing_admin"))
    workspace.profile("live_agent", Permission.MEETINGS)
    assert workspace.found() == [("team/sales", "no_reachable_agents")]


def test_accounts_whose_owner_is_gone_or_may_not_chat_are_found(workspace: Workspace) -> None:
    workspace.agent("eve", live_chat=False)
    workspace.account("initech", "eve")
    workspace.account("globex", "gone")
    workspace.account("hooli", "alan")
    assert workspace.found() == [("account/globex", "unknown_owner"), ("account/initech", "unknown_owner")]


def test_of_very_many_accounts_without_an_owner_the_rest_is_counted(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rondo_gateway.domain.reachability.ACCOUNTS_SHOWN_MAX", 2)
    for number in range(5):
        workspace.account(f"a{number}", "gone")
    assert workspace.found() == [
        (each, "unknown_owner") for each in ("account/a0", "account/a1", "workspace")
    ]
    assert "3 more accounts" in workspace.findings()[-1].detail


# --- hours -------------------------------------------------------------------------------------


def test_hours_that_nobody_covers_are_told_in_the_workspaces_time_zone() -> None:
    workspace = Workspace(time_zone="Europe/Stockholm")
    blocks = tuple(ScheduleBlock(weekday=each, from_="06:00", to="22:00") for each in Weekday)
    workspace.agent("alan", schedule=blocks)  # In UTC: 08:00 to 24:00 in Stockholm in summer.
    assert workspace.found() == [("workspace", "hours_not_covered")]
    assert "mon 00:00–08:00, tue 00:00–08:00" in workspace.detail()
    assert "Europe/Stockholm" in workspace.detail()


def test_agents_who_may_not_chat_cover_nothing(workspace: Workspace) -> None:
    workspace.agent("alan", live_chat=False)
    assert workspace.found() == [("workspace", "hours_not_covered")]
    assert "at all" in workspace.detail()
    workspace.remove_agent("alan")
    assert workspace.found() == [("workspace", "hours_not_covered")]


def test_the_rest_of_a_long_list_is_counted() -> None:
    assert enumerated(["a", "b", "c"], 3) == "a, b, c"
    assert enumerated(["a", "b", "c", "d"], 2) == "a, b and 2 more"
