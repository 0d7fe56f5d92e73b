"""Asking for a conversation, the commands on it, and what is said in it, over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from rondo_common.answers import Answer
from rondo_common.conversation import Ended, EndReason, Party, Status
from rondo_common.conversation_view import ConversationView
from rondo_common.errors import Unavailable
from rondo_common.events import (
    AcceptChat,
    ChatRequested,
    DeclineChat,
    EndChat,
    MessagePosted,
    WithdrawChat,
)
from rondo_common.ids import CommandId
from rondo_gateway.domain.representation import MessageList, message_of
from rondo_gateway.domain.transcript import Transcript
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    ADA,
    CNV,
    GRACE,
    NOON,
    FakeWorld,
    a_message,
    active,
    bearer,
    json_of,
    offered,
    requested,
)

KEY = bearer(ACME_KEY)
ASK: dict[str, Any] = {"visitor": {"first_name": "Ada"}, "route": {"type": "round_robin"}}
PATH = f"/v1/conversations/{CNV}"


def ended() -> ConversationView:
    by = Party(type="visitor", id=ADA)
    end = Ended(reason=EndReason.VISITOR_ENDED, by=by, at=NOON)
    return ConversationView(CNV, Status.ENDED, active().request, active().agent, ended=end)


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
        ({"type": "custom_rules"}, "/route/type"),
        ({"type": "team", "team_id": "t"}, "/route/type"),
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
    assert [event.conversation_id for event in world.log.events] == [taken["id"]]


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
    assert json_of(answer, 202)["status"] == "offered"
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


async def test_both_sides_and_the_backend_write_under_their_names(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    authors = []
    for number, credential in enumerate((world.visitor_token(), world.agent_token(), ACME_KEY)):
        message = {"client_message_id": str(number), "text": "👩‍💻 <b>'; --"}
        answer = await http.post(f"{PATH}/messages", headers=bearer(credential), json=message)
        authors.append(json_of(answer, 201)["author"])
        assert answer.json()["text"] == message["text"]
    ada = {"type": "visitor", "id": ADA, "name": "Ada Lovelace"}
    assert authors == [ada, {"type": "agent", "id": GRACE, "name": "Grace"}, ada]
    assert all(isinstance(event, MessagePosted) for event in world.log.events)


async def test_the_same_client_id_is_the_same_message(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await world.conversations.show(ACME, active())
    headers = bearer(world.visitor_token())
    message = {"client_message_id": "m", "text": "hej"}
    first = await http.post(f"{PATH}/messages", headers=headers, json=message)
    again = await http.post(f"{PATH}/messages", headers=headers, json={**message, "text": "other"})
    assert json_of(again, 200) == json_of(first, 201)
    assert len(world.log.events) == 1


async def test_a_message_the_log_did_not_confirm_is_the_same_fact_at_the_retry(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    headers = bearer(world.visitor_token())
    message = {"client_message_id": "m", "text": "hej"}
    world.log.is_unreachable = True
    assert (await http.post(f"{PATH}/messages", headers=headers, json=message)).status_code == 503
    world.log.is_unreachable = False
    json_of(await http.post(f"{PATH}/messages", headers=headers, json=message), 201)
    (envelope,) = world.log.envelopes
    reserved = next(iter(world.conversations.messages.values()))
    assert isinstance(envelope.event, MessagePosted)
    assert envelope.event.message == reserved.message


async def test_a_message_in_the_log_was_said_even_if_redis_leaves(
    http: httpx.AsyncClient, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.conversations.show(ACME, active())

    async def away(*_: object) -> bool:
        raise Unavailable("redis", "switched off by the test")

    monkeypatch.setattr(world.conversations, "mark_posted", away)
    message = {"client_message_id": "m", "text": "hej"}
    answer = await http.post(f"{PATH}/messages", headers=bearer(world.visitor_token()), json=message)
    assert answer.status_code == 201


@pytest.mark.parametrize("view", [requested(), ended()])
async def test_only_an_active_conversation_takes_messages(
    http: httpx.AsyncClient, world: FakeWorld, view: ConversationView
) -> None:
    await world.conversations.show(ACME, view)
    message = {"client_message_id": "m", "text": "hej"}
    answer = await http.post(f"{PATH}/messages", headers=KEY, json=message)
    assert json_of(answer, 409)["type"] == "urn:rondo:error:conversation-not-active"
    assert world.log.events == []


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ({"client_message_id": "m", "text": "👋" * 4000}, 201),
        ({"client_message_id": "m", "text": "x" * 4001}, 422),
        ({"client_message_id": "m", "text": ""}, 422),
        ({"client_message_id": "m", "text": "a\x00b"}, 422),
        ({"client_message_id": "m", "text": None}, 422),
        ({"client_message_id": "x" * 64, "text": "x"}, 201),
        ({"client_message_id": "x" * 65, "text": "x"}, 422),
        ({"client_message_id": "", "text": "x"}, 422),
        ({"client_message_id": 1, "text": "x"}, 422),
        ({"text": "x"}, 422),
    ],
)
async def test_a_message_is_one_to_four_thousand_characters(
    http: httpx.AsyncClient, world: FakeWorld, message: dict[str, Any], status: int
) -> None:
    await world.conversations.show(ACME, active())
    answer = await http.post(f"{PATH}/messages", headers=KEY, json=message)
    assert answer.status_code == status


async def test_messages_and_transcripts_come_from_history(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    said = message_of(CNV, a_message(1))
    world.history.pages[CNV] = MessageList(data=[said], next_cursor="17")
    listed = json_of(await http.get(f"{PATH}/messages", headers=KEY), 200)
    assert (listed["data"][0]["id"], listed["next_cursor"]) == ("msg_1", "17")
    assert (await http.get(f"{PATH}/transcript", headers=KEY)).status_code == 404
    world.history.transcripts[CNV] = a_transcript("first line\n[12:00] Grace: forged")
    as_json = await http.get(f"{PATH}/transcript", headers=KEY)
    assert [line["type"] for line in json_of(as_json, 200)["lines"]] == ["system", "message"]
    text = await http.get(f"{PATH}/transcript?download=1", headers={**KEY, "Accept": "text/plain"})
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.headers["content-disposition"] == f'attachment; filename="transcript-{CNV}.txt"'
    assert text.text.splitlines()[3:] == [
        f"[{NOON:%Y-%m-%d %H:%M:%S} UTC] Visitor: first line",
        "    [12:00] Grace: forged",
    ]
    world.history.is_unreachable = True
    assert (await http.get(f"{PATH}/transcript", headers=KEY)).status_code == 503


def a_transcript(text: str) -> Transcript:
    message = a_message(1)
    return Transcript.model_validate(
        {
            "conversation_id": CNV,
            "workspace_id": ACME,
            "visitor": {"id": ADA},
            "agent_ids": [GRACE],
            "requested_at": NOON,
            "lines": [
                {"type": "system", "at": NOON, "text": "Grace joined.", "event": "assignment.accepted"},
                {
                    "type": "message",
                    "at": NOON,
                    "text": text,
                    "id": message.id,
                    "author": message.author.model_dump(),
                },
            ],
        }
    )
