"""Asking for a conversation, and the commands on it, over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from rondo_common.answers import Answer
from rondo_common.events import (
    AcceptChat,
    ChatRequested,
    DeclineChat,
    EndChat,
    WithdrawChat,
)
from rondo_common.ids import CommandId
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
)

KEY = bearer(ACME_KEY)
ASK: dict[str, Any] = {"visitor": {"first_name": "Ada"}, "route": {"type": "round_robin"}}
PATH = f"/v1/conversations/{CNV}"


async def test_what_is_asked_is_in_the_log_and_shown(http: httpx.AsyncClient, world: FakeWorld) -> None:
    answer = await http.post("/v1/conversations", headers=KEY, json=ASK)
    conversation = json_of(answer, 202)
    assert conversation["status"] == "requested"
    assert answer.headers["location"] == f"/v1/conversations/{conversation['id']}"
    (event,) = world.log.events
    assert isinstance(event, ChatRequested)
    assert event.conversation_id == conversation["id"]
    assert event.directory_offset == 8  # All that was written before: two furnished workspaces.
    visitor = bearer(conversation["visitor_token"])
    shown = json_of(await http.get(answer.headers["location"], headers=visitor), 200)
    assert shown == {name: conversation[name] for name in conversation if name != "visitor_token"}


async def test_fifty_retries_at_once_are_one_fact(http: httpx.AsyncClient, world: FakeWorld) -> None:
    headers = {**KEY, "Idempotency-Key": "k"}
    answers = await asyncio.gather(
        *(http.post("/v1/conversations", headers=headers, json=ASK) for _ in range(50))
    )
    bodies = [json_of(answer, 202) for answer in answers]
    for body in bodies:
        body.pop("visitor_token")
    assert all(body == bodies[0] for body in bodies)
    assert len({envelope.id for envelope in world.log.envelopes}) == 1
    assert len({envelope.event.model_dump_json() for envelope in world.log.envelopes}) == 1
    fresh = [each for each in answers if "idempotency-replayed" not in each.headers]
    assert len(fresh) == 1


async def test_a_retry_is_answered_as_at_first_whatever_happened_since(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    headers = {**KEY, "Idempotency-Key": "k"}
    first = json_of(await http.post("/v1/conversations", headers=headers, json=ASK), 202)
    await world.conversations.show(ACME, active(conversation_id=first["id"]))
    again = await http.post("/v1/conversations", headers=headers, json=ASK)
    assert again.headers["idempotency-replayed"] == "true"
    assert json_of(again, 202)["status"] == "requested"
    assert len(world.log.events) == 1
    other = {**ASK, "visitor": {"first_name": "Eve"}}
    refused = await http.post("/v1/conversations", headers=headers, json=other)
    assert json_of(refused, 422)["type"] == "urn:rondo:error:idempotency-key-reused"


@pytest.mark.parametrize(
    ("route", "pointer"),
    [
        ({"type": "agent", "agent_id": "ghost"}, "/route/agent_id"),
        ({"type": "team", "team_id": "ghosts"}, "/route/team_id"),
        ({"type": "nearest"}, "/route/type"),
    ],
)
async def test_a_route_that_leads_nowhere_is_refused_here(
    http: httpx.AsyncClient, world: FakeWorld, route: dict[str, str], pointer: str
) -> None:
    answer = await http.post("/v1/conversations", headers=KEY, json={"route": route})
    assert pointer in {each["pointer"] for each in json_of(answer, 422)["errors"]}
    assert world.log.events == []


async def test_a_request_the_log_did_not_take_leaves_nothing_behind(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    headers = {**KEY, "Idempotency-Key": "k"}
    world.log.is_unreachable = True
    refused = await http.post("/v1/conversations", headers=headers, json=ASK)
    assert json_of(refused, 503)["type"] == "urn:rondo:error:unavailable"
    assert world.conversations.views == {}
    world.log.is_unreachable = False
    taken = json_of(await http.post("/v1/conversations", headers=headers, json=ASK), 202)
    (event,) = world.log.events
    assert isinstance(event, ChatRequested)
    assert event.conversation_id == taken["id"]


async def test_a_visitor_is_not_told_whom_it_is_offered_to(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, offered())
    for credential, agent_id in (
        (ACME_KEY, GRACE),
        (world.agent_token(), GRACE),
        (world.visitor_token(), None),
    ):
        shown = json_of(await http.get(PATH, headers=bearer(credential)), 200)
        assert shown["offer"]["agent_id"] == agent_id
        assert shown["agent"] is None


async def test_a_visitor_is_told_nothing_of_a_transfer_that_nobody_accepted_yet(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    handed_over = replace(active(GRACE), offer=offered(BOB).offer)
    await world.conversations.show(ACME, handed_over)
    visitors = json_of(await http.get(PATH, headers=bearer(world.visitor_token())), 200)
    assert (visitors["agent"]["id"], visitors["offer"]) == (GRACE, None)
    backends = json_of(await http.get(PATH, headers=KEY), 200)
    assert backends["offer"]["agent_id"] == BOB


@pytest.mark.parametrize(
    ("command", "event", "by"),
    [
        ("accept", AcceptChat, "agent"),
        ("decline", DeclineChat, "agent"),
        ("withdraw", WithdrawChat, "visitor"),
        ("withdraw", WithdrawChat, "key"),
        ("end", EndChat, "visitor"),
        ("end", EndChat, "agent"),
        ("end", EndChat, "key"),
    ],
)
async def test_a_command_is_asked_of_the_router_and_answered_once_decided(
    http: httpx.AsyncClient, world: FakeWorld, command: str, event: type, by: str
) -> None:
    await world.conversations.show(ACME, offered())

    async def decide(command_id: CommandId) -> Answer:
        assert world.log.envelopes[-1].id == command_id
        await world.conversations.show(ACME, active())
        return Answer()

    world.answers.decide = decide
    credentials = {"agent": world.agent_token(), "visitor": world.visitor_token(), "key": ACME_KEY}
    answer = await http.post(f"{PATH}/{command}", headers=bearer(credentials[by]))
    assert json_of(answer, 200)["status"] == "active"
    (asked,) = world.log.events
    assert isinstance(asked, event)
    if isinstance(asked, WithdrawChat | EndChat):
        assert asked.by.type == by


async def test_the_routers_refusal_is_a_conflict_by_its_name(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, offered())

    async def refuse(_: CommandId) -> Answer:
        return Answer(refusal="offer-expired", detail="The offer to you is no longer open.")

    world.answers.decide = refuse
    answer = await http.post(f"{PATH}/accept", headers=bearer(world.agent_token()))
    assert json_of(answer, 409)["type"] == "urn:rondo:error:offer-expired"
    assert answer.json()["detail"] == "The offer to you is no longer open."


async def test_what_is_not_decided_in_time_is_taken_and_can_be_looked_at_later(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, offered())
    answer = await http.post(f"{PATH}/accept", headers=bearer(world.agent_token()))
    assert answer.status_code == 202
    assert answer.headers["location"] == PATH


async def test_a_decided_command_is_no_refusal_even_if_redis_leaves(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, offered())

    async def decide(_: CommandId) -> Answer:
        world.conversations.is_unreachable = True
        return Answer()

    world.answers.decide = decide
    answer = await http.post(f"{PATH}/accept", headers=bearer(world.agent_token()))
    assert answer.status_code == 202


async def test_an_ended_conversation_is_ended_again_without_asking(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, ended())
    answer = await http.post(f"{PATH}/end", headers=bearer(world.visitor_token()))
    assert json_of(answer, 200)["ended"]["reason"] == "visitor_ended"
    assert world.log.events == []


async def test_a_command_on_what_is_not_there_asks_nobody(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    for command in ("accept", "decline", "withdraw", "end"):
        answer = await http.post(f"/v1/conversations/ghost/{command}", headers=KEY)
        assert answer.status_code == 404
    assert world.log.events == []
