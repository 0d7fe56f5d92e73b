"""What is said in a conversation, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rondo_common.conversation_view import ConversationView
from rondo_common.errors import Unavailable
from rondo_common.events import MessagePosted
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
    ended,
    json_of,
    offered,
    requested,
)

KEY = bearer(ACME_KEY)
PATH = f"/v1/conversations/{CNV}"


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
    assert answer.json()["client_message_id"] == "2"
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


@pytest.mark.parametrize("view", [requested(), offered(), ended()])
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


TEXTS = [
    "👩\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈 🇸🇪",
    "مرحبا بالعالم",
    "\u202eabc\u202c \u2066x\u2069 \u200f\u200e",
    "\u200b\u200c\u200d\u2060\ufeff",
    "e\u0301\u0302\u0303" * 10,
    "\t\n\r\x01\x07\x1b[31m\x7f\x85\u2028\u2029",
    "日本語 中文 한국어 ไทย",
    "\U0010ffff\ufffe\ue000",
    " ",
    "<script>alert(1)</script>&amp;{{7*7}}",
    "'; DROP TABLE conversations; -- \\x00 %s {0}",
    "👩\u200d💻" * 1333 + "x",
]


@pytest.mark.parametrize("text", TEXTS)
async def test_any_text_is_kept_as_given(http: httpx.AsyncClient, world: FakeWorld, text: str) -> None:
    await world.conversations.show(ACME, active())
    message = {"client_message_id": "m", "text": text}
    answer = await http.post(f"{PATH}/messages", headers=bearer(world.visitor_token()), json=message)
    assert json_of(answer, 201)["text"] == text
    (event,) = world.log.events
    assert isinstance(event, MessagePosted)
    assert MessagePosted.model_validate_json(event.model_dump_json()).message.text == text


@pytest.mark.parametrize("escape", ["\\ud83d", "\\udc69", "\\udc69\\ud83d", "a\\ud800b"])
async def test_half_of_a_surrogate_pair_is_no_text(
    http: httpx.AsyncClient, world: FakeWorld, escape: str
) -> None:
    await world.conversations.show(ACME, active())
    body = '{"client_message_id": "m", "text": "' + escape + '"}'
    headers = {**KEY, "Content-Type": "application/json"}
    answer = await http.post(f"{PATH}/messages", headers=headers, content=body.encode())
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert world.log.events == []


async def test_a_whole_surrogate_pair_is_one_character(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await world.conversations.show(ACME, active())
    body = '{"client_message_id": "m", "text": "' + "\\ud83d\\udc4b" * 4000 + '"}'
    headers = {**KEY, "Content-Type": "application/json"}
    answer = await http.post(f"{PATH}/messages", headers=headers, content=body.encode())
    assert json_of(answer, 201)["text"] == "👋" * 4000


async def test_a_page_scrolling_back_reads_messages_from_the_last_one_on(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    said = [message_of(CNV, a_message(number)) for number in (1, 2, 3)]
    world.history.pages[CNV] = MessageList(data=said, next_cursor="17")
    listed = json_of(await http.get(f"{PATH}/messages?order=newest_first&limit=2", headers=KEY), 200)
    assert [each["id"] for each in listed["data"]] == ["msg_3", "msg_2"]
    assert (await http.get(f"{PATH}/messages?order=sideways", headers=KEY)).status_code == 422


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
    assert text.text.splitlines()[4:] == [
        f"[{NOON:%Y-%m-%d %H:%M:%S} UTC] Visitor: first line",
        "    [12:00] Grace: forged",
    ]
    world.history.asked_for.clear()
    draft = {"client_message_id": "m", "text": "one more"}
    assert (await http.post(f"{PATH}/messages", headers=KEY, json=draft)).status_code == 201
    await http.get(f"{PATH}/messages", headers=KEY)
    await http.get(f"{PATH}/transcript", headers=KEY)
    assert world.history.asked_for == [0, 0]  # As far as the log has what was just said.
    world.history.is_unreachable = True
    assert (await http.get(f"{PATH}/transcript", headers=KEY)).status_code == 503


async def test_only_its_author_is_told_the_id_that_their_page_gave_a_message(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active())
    hers, his = a_message(1), a_message(2, by="agent", author_id=GRACE)
    both = [message_of(CNV, each, each.text) for each in (hers, his)]
    world.history.pages[CNV] = MessageList(data=both, next_cursor=None)

    async def told(credential: str) -> list[str | None]:
        page = json_of(await http.get(f"{PATH}/messages", headers=bearer(credential)), 200)
        return [each.get("client_message_id") for each in page["data"]]

    assert await told(world.visitor_token()) == await told(ACME_KEY) == ["message 1", None]
    assert await told(world.agent_token()) == [None, "message 2"]


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
