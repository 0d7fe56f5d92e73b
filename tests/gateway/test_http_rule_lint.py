"""The rule linter over HTTP."""

from __future__ import annotations

import httpx

from rondo_common.conditions import All
from rondo_common.directory.entries import Kind, RuleEntry
from rondo_common.events import RuleDefined
from rondo_common.ids import RuleId
from rondo_gateway.ports import Definition
from tests.common.conditioned import compare
from tests.gateway.fake_world import ACME, ACME_KEY, GLOBEX_KEY, GRACE, ROOT_KEY, FakeWorld, bearer, json_of

LINT = "/v1/rules/lint"


async def put_contradiction(world: FakeWorld) -> None:
    both = All(all=(compare("is", "SE", "visitor.country"), compare("is", "NO", "visitor.country")))
    rule = RuleEntry(id=RuleId("nordic"), name="Nordic", priority=1, conditions=both, agent_ids=(GRACE,))
    await world.directory.write(ACME, [Definition(Kind.RULE, rule.id, RuleDefined(rule=rule))])


async def test_findings_name_subject_problem_and_what_to_do(
    world: FakeWorld, http: httpx.AsyncClient
) -> None:
    await put_contradiction(world)
    answer = json_of(await http.get(LINT, headers=bearer(ACME_KEY)), 200)
    assert list(answer) == ["data"]
    (finding,) = answer["data"]
    assert set(finding) == {"subject", "problem", "detail"}
    assert (finding["subject"], finding["problem"]) == ("rule/nordic", "never_met")
    assert "visitor.country" in finding["detail"]


async def test_another_workspaces_rules_are_not_looked_at(
    world: FakeWorld, http: httpx.AsyncClient
) -> None:
    await put_contradiction(world)
    assert json_of(await http.get(LINT, headers=bearer(GLOBEX_KEY)), 200) == {"data": []}


async def test_visitors_and_the_operator_may_not_lint(world: FakeWorld, http: httpx.AsyncClient) -> None:
    for credential in (world.visitor_token(), world.agent_token(), ROOT_KEY):
        assert (await http.get(LINT, headers=bearer(credential))).status_code == 403
    assert (await http.get(LINT)).status_code == 401


async def test_a_directory_out_of_reach_is_503(world: FakeWorld, http: httpx.AsyncClient) -> None:
    world.directory.is_unreachable = True
    assert (await http.get(LINT, headers=bearer(ACME_KEY))).status_code == 503
