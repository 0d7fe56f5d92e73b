"""Handing a conversation over, and who may do what while it is under way."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rondo_common.answers import Answer
from rondo_common.directory.entries import AgentEntry, Kind, TeamEntry
from rondo_common.events import AcceptChat, AgentDefined, EndChat, MessagePosted, TeamDefined, TransferChat
from rondo_common.ids import AgentId, CommandId, TeamId
from rondo_gateway.ports import Definition
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    BOB,
    CNV,
    GRACE,
    FakeWorld,
    active,
    bearer,
    ended,
    json_of,
    offered,
    requested,
    transferring,
)

PATH = f"/v1/conversations/{CNV}"
TRANSFER = f"{PATH}/transfer"
SALES = TeamId("sales")
TO_BOB = {"agent_id": BOB}
EVE = AgentId("eve")


async def define_sales(world: FakeWorld) -> None:
    team = TeamEntry(id=SALES, name="Sales", agent_ids=(GRACE, BOB))
    await world.directory.write(ACME, [Definition(Kind.TEAM, SALES, TeamDefined(team=team))])


async def define_eve(world: FakeWorld) -> str:
    """A third agent's token."""
    eve = AgentEntry(id=EVE, name="Eve", email="eve@example.com")
    await world.directory.write(ACME, [Definition(Kind.AGENT, EVE, AgentDefined(agent=eve))])
    await world.presence.renew(ACME, EVE, world.now, 75)
    await world.presence.note_announced(ACME, EVE, world.now, 75)
    return world.agent_token(EVE)


@pytest.mark.parametrize("body", [TO_BOB, {"team_id": SALES}])
async def test_its_agent_hands_it_over_and_keeps_it_until_it_is_accepted(
    http: httpx.AsyncClient, world: FakeWorld, body: dict[str, str]
) -> None:
    await define_sales(world)
    await world.conversations.show(ACME, active())

    async def decide(command_id: CommandId) -> Answer:
        assert world.log.envelopes[-1].id == command_id
        await world.conversations.show(ACME, transferring())
        return Answer()

    world.answers.decide = decide
    answer = await http.post(TRANSFER, headers=bearer(world.agent_token()), json=body)
    shown = json_of(answer, 200)
    assert (shown["status"], shown["agent"]["id"], shown["offer"]["agent_id"]) == ("active", GRACE, BOB)
    (asked,) = world.log.events
    assert asked == TransferChat(
        conversation_id=CNV,
        by=GRACE,
        directory_offset=await world.directory.newest_offset(ACME),
        **{"agent_id": None, "team_id": None, **body},
    )


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/team_id"),
        ({"agent_id": None, "team_id": None}, "/team_id"),
        ({"agent_id": BOB, "team_id": SALES}, "/team_id"),
        ({"agent_id": "ghost"}, "/agent_id"),
        ({"team_id": "ghosts"}, "/team_id"),
        ({"agent_id": GRACE}, "/agent_id"),
        ({"agent_id": "no id"}, "/agent_id"),
        ({"agent_id": 5, "team_id": SALES}, "/agent_id"),
        ({"agent_id": BOB, "note": "x"}, "/note"),
    ],
)
async def test_a_transfer_that_leads_nowhere_is_refused_by_its_field(
    http: httpx.AsyncClient, world: FakeWorld, body: dict[str, Any], pointer: str
) -> None:
    await define_sales(world)
    await world.conversations.show(ACME, active())
    answer = await http.post(TRANSFER, headers=bearer(world.agent_token()), json=body)
    assert [each["pointer"] for each in json_of(answer, 422)["errors"]] == [pointer]
    assert world.log.events == []


async def test_a_team_made_at_another_gateway_just_now_can_be_handed_over_to(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    team = TeamEntry(id=SALES, name="Sales", agent_ids=(BOB,))
    world.directory.unread.append((ACME, Definition(Kind.TEAM, SALES, TeamDefined(team=team))))
    await world.conversations.show(ACME, active())
    answer = await http.post(TRANSFER, headers=bearer(world.agent_token()), json={"team_id": SALES})
    assert answer.status_code == 202
    assert len(world.log.events) == 1


async def test_only_its_agent_hands_it_over(http: httpx.AsyncClient, world: FakeWorld) -> None:
    bob = world.agent_token(BOB)
    for view in (requested(), offered(BOB), active(), transferring(to=BOB)):
        await world.conversations.show(ACME, view)
        for credential in (bob, ACME_KEY, world.visitor_token()):
            answer = await http.post(TRANSFER, headers=bearer(credential), json={"agent_id": GRACE})
            assert answer.status_code == 403, view
    answer = await http.post("/v1/conversations/ghost/transfer", headers=bearer(bob), json=TO_BOB)
    assert answer.status_code == 404
    assert world.log.events == []


@pytest.mark.parametrize(
    "refusal",
    ["conversation-not-active", "not-your-conversation", "transfer-under-way", "nobody-available"],
)
async def test_the_routers_refusal_of_a_transfer_is_a_conflict(
    http: httpx.AsyncClient, world: FakeWorld, refusal: str
) -> None:
    async def refuse(_: CommandId) -> Answer:
        return Answer(refusal=refusal, detail="No.")

    world.answers.decide = refuse
    await world.conversations.show(ACME, ended())
    answer = await http.post(TRANSFER, headers=bearer(world.agent_token()), json=TO_BOB)
    assert json_of(answer, 409)["type"] == f"urn:rondo:error:{refusal}"


async def test_while_it_is_under_way_both_agents_see_it_and_nobody_else(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    eve = await define_eve(world)
    await world.conversations.show(ACME, transferring(to=BOB))
    for token in (world.agent_token(GRACE), world.agent_token(BOB)):
        shown = json_of(await http.get(PATH, headers=bearer(token)), 200)
        assert shown["offer"]["agent_id"] == BOB
        assert (await http.get(f"{PATH}/messages", headers=bearer(token))).status_code == 200
    assert (await http.get(PATH, headers=bearer(eve))).status_code == 403


async def test_until_it_is_accepted_only_its_agent_talks_and_ends(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, transferring(to=BOB))
    said = {"client_message_id": "m", "text": "Hello"}
    bob, grace = bearer(world.agent_token(BOB)), bearer(world.agent_token(GRACE))
    assert (await http.post(f"{PATH}/messages", headers=bob, json=said)).status_code == 403
    assert (await http.post(f"{PATH}/end", headers=bob)).status_code == 403
    assert world.log.events == []
    assert (await http.post(f"{PATH}/messages", headers=grace, json=said)).status_code == 201
    assert (await http.post(f"{PATH}/end", headers=grace)).status_code == 202
    assert (await http.post(f"{PATH}/accept", headers=bob)).status_code == 202
    assert [type(event) for event in world.log.events] == [MessagePosted, EndChat, AcceptChat]


async def test_a_visitor_hears_of_a_transfer_only_once_it_is_accepted(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    visitor = bearer(world.visitor_token())
    await world.conversations.show(ACME, transferring(to=BOB))
    shown = json_of(await http.get(PATH, headers=visitor), 200)
    assert (shown["agent"]["id"], shown["offer"]) == (GRACE, None)
    await world.conversations.show(ACME, active(BOB))
    assert json_of(await http.get(PATH, headers=visitor), 200)["agent"]["id"] == BOB
    assert (await http.get(PATH, headers=bearer(world.agent_token(GRACE)))).status_code == 403
