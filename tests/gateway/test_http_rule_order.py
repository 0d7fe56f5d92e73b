"""The order of rules over HTTP."""

from __future__ import annotations

import httpx

from tests.gateway.fake_world import ACME_KEY, GLOBEX_KEY, FakeWorld, bearer, json_of

ORDER = "/v1/rules/order"
KEY = bearer(ACME_KEY)


async def put_rules(http: httpx.AsyncClient, **priorities: int) -> dict[str, str]:
    """Rules with these priorities; the ``ETag`` of each."""
    tags = {}
    for rule_id, priority in priorities.items():
        body = {"name": rule_id, "priority": priority, "conditions": {"all": []}, "agent_ids": ["grace"]}
        answer = await http.put(f"/v1/rules/{rule_id}", headers=KEY, json=body)
        assert answer.status_code in {200, 201}, answer.text
        tags[rule_id] = answer.headers["etag"]
    return tags


async def test_rules_are_numbered_in_the_order_named(http: httpx.AsyncClient) -> None:
    await put_rules(http, first=10, second=10, third=7)
    ordered = json_of(
        await http.post(ORDER, headers=KEY, json={"rule_ids": ["second", "third", "first"]}), 200
    )
    assert [(each["id"], each["priority"]) for each in ordered["data"]] == [
        ("second", 1),
        ("third", 2),
        ("first", 3),
    ]
    listed = json_of(await http.get("/v1/rules", headers=KEY), 200)["data"]
    assert {each["id"]: each["priority"] for each in listed} == {"first": 3, "second": 1, "third": 2}
    assert all(each["agent_ids"] == ["grace"] for each in listed)


async def test_a_rule_that_keeps_its_number_keeps_its_version(http: httpx.AsyncClient) -> None:
    tags = await put_rules(http, first=1, second=2, third=3)
    await http.post(ORDER, headers=KEY, json={"rule_ids": ["first", "third", "second"]})
    now = {each: (await http.get(f"/v1/rules/{each}", headers=KEY)).headers["etag"] for each in tags}
    assert now["first"] == tags["first"]
    assert now["second"] != tags["second"]
    assert now["third"] != tags["third"]


async def test_an_order_of_other_rules_than_there_are_is_refused_and_changes_nothing(
    http: httpx.AsyncClient,
) -> None:
    await put_rules(http, first=5, second=6)
    for rule_ids in (
        ["first"],
        ["first", "second", "third"],
        ["first", "first"],
        ["second", "second", "first"],
    ):
        answer = await http.post(ORDER, headers=KEY, json={"rule_ids": rule_ids})
        assert json_of(answer, 409)["type"] == "urn:rondo:error:rules-changed"
    listed = json_of(await http.get("/v1/rules", headers=KEY), 200)["data"]
    assert [each["priority"] for each in listed] == [5, 6]


async def test_another_workspaces_rules_cannot_be_ordered(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await put_rules(http, first=5)
    answer = await http.post(ORDER, headers=bearer(GLOBEX_KEY), json={"rule_ids": ["first"]})
    assert answer.status_code == 409
    assert (
        await http.post(ORDER, headers=bearer(world.agent_token()), json={"rule_ids": []})
    ).status_code == 403
