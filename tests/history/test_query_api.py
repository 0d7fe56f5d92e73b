"""The internal query API, asked over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter

from rondo_history.entrypoints.http import history_app
from tests.history.conversations import GRACE, Conversation
from tests.history.fake_archive import FakeArchive


@pytest.fixture
def archive() -> FakeArchive:
    return FakeArchive()


@pytest.fixture
async def client(archive: FakeArchive) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(history_app(archive, APIRouter()))
    async with httpx.AsyncClient(transport=transport, base_url="http://history") as client:
        yield client


def path(chat: Conversation, what: str) -> str:
    return f"/internal/v1/workspaces/{chat.workspace_id}/conversations/{chat.id}/{what}"


async def test_a_transcript_is_whole_and_in_order(client: httpx.AsyncClient, archive: FakeArchive) -> None:
    chat = Conversation()
    await archive.keep([chat.requested(), chat.accepted(), chat.said("Hello"), chat.ended()])
    answer = await client.get(path(chat, "transcript"))
    body = answer.json()
    assert answer.status_code == 200
    assert (body["conversation_id"], body["workspace_id"]) == (chat.id, chat.workspace_id)
    assert (body["visitor"]["first_name"], body["agent_ids"]) == ("Ada", [GRACE.id])
    assert body["requested_at"] == "2026-01-01T12:00:00Z"
    assert body["lines"][0] == {
        "type": "system",
        "at": "2026-01-01T12:00:00Z",
        "text": "Ada asked for a chat.",
        "event": "chat.requested",
    }
    assert body["lines"][2] == {
        "type": "message",
        "at": "2026-01-01T12:00:02Z",
        "text": "Hello",
        "id": "msg_2",
        "author": {"type": "visitor", "id": "u-17", "name": "Ada"},
    }
    assert len(body["lines"]) == 4


async def test_a_caller_who_knows_of_more_is_let_wait_for_it(
    client: httpx.AsyncClient, archive: FakeArchive
) -> None:
    chat = Conversation()
    said = chat.said("Hello")
    await archive.keep([chat.requested()])
    query = {"at_least": str(said.place.offset)}
    asking = asyncio.create_task(client.get(path(chat, "messages"), params=query))
    while not archive.was_asked_how_far:
        await asyncio.sleep(0)
    await archive.keep([said])
    assert [each["text"] for each in (await asking).json()["data"]] == ["Hello"]


async def test_a_caller_who_knows_of_more_than_comes_gets_what_there_is(
    client: httpx.AsyncClient, archive: FakeArchive
) -> None:
    chat = Conversation()
    await archive.keep([chat.requested(), chat.said("Hello")])
    answer = await client.get(path(chat, "messages"), params={"at_least": "1000000"})
    assert len(answer.json()["data"]) == 1


async def test_an_unknown_conversation_is_404_and_so_is_another_workspaces(
    client: httpx.AsyncClient, archive: FakeArchive
) -> None:
    chat = Conversation()
    await archive.keep([chat.requested()])
    for unknown in (Conversation("cnv_2", chat.workspace_id), Conversation("cnv_1")):
        answer = await client.get(path(unknown, "transcript"))
        assert answer.status_code == 404
        assert answer.json()["type"] == "urn:rondo:error:conversation-not-found"


async def test_messages_are_read_page_by_page(client: httpx.AsyncClient, archive: FakeArchive) -> None:
    chat = Conversation()
    await archive.keep([chat.requested(), *(chat.said(f"line {n}") for n in range(5))])
    said: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        page = (await client.get(path(chat, "messages"), params=query)).json()
        said += [message["text"] for message in page["data"]]
        if page["next_cursor"] is None:
            break
        query["after"] = page["next_cursor"]
    assert said == [f"line {n}" for n in range(5)]


async def test_messages_are_read_page_by_page_from_the_end(
    client: httpx.AsyncClient, archive: FakeArchive
) -> None:
    chat = Conversation()
    await archive.keep([chat.requested(), *(chat.said(f"line {n}") for n in range(5))])
    said: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        page = (await client.get(path(chat, "messages/latest"), params=query)).json()
        said += [message["text"] for message in page["data"]]
        if page["next_cursor"] is None:
            break
        query["before"] = page["next_cursor"]
    assert said == [f"line {n}" for n in reversed(range(5))]


async def test_a_message_is_as_the_public_api_shows_it(
    client: httpx.AsyncClient, archive: FakeArchive
) -> None:
    chat = Conversation()
    await archive.keep([chat.said("Hello", by="agent")])
    assert (await client.get(path(chat, "messages"))).json() == {
        "data": [
            {
                "id": "msg_0",
                "conversation_id": chat.id,
                "author": {"type": "agent", "id": "grace", "name": "Grace Hopper"},
                "text": "Hello",
                "sent_at": "2026-01-01T12:00:00Z",
                "client_message_id": "m-0",
            }
        ],
        "next_cursor": None,
    }


async def test_questions_are_503_while_postgresql_is_away(
    client: httpx.AsyncClient, archive: FakeArchive
) -> None:
    archive.down = True
    for what in ("transcript", "messages"):
        answer = await client.get(path(Conversation(), what))
        assert answer.status_code == 503
        assert "retry-after" in answer.headers


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "after=x", f"after={2**63}", "after=-2"])
async def test_a_page_that_cannot_be_is_422(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"{path(Conversation(), 'messages')}?{query}")
    assert answer.status_code == 422


async def test_an_id_that_cannot_be_is_422(client: httpx.AsyncClient) -> None:
    answer = await client.get("/internal/v1/workspaces/a%00b/conversations/c/transcript")
    assert answer.status_code == 422


async def test_assignments_are_told_in_order_with_why(
    client: httpx.AsyncClient, archive: FakeArchive
) -> None:
    chat = Conversation()
    await archive.keep([chat.requested(), chat.offered(), chat.accepted()])
    answer = await client.get(path(chat, "assignments"))
    assert answer.status_code == 200
    body = answer.json()
    (attempt,) = body["data"]
    assert attempt["agent"] == {"id": "grace", "name": "Grace Hopper", "avatar_url": None}
    assert (attempt["outcome"], attempt["outcome_at"]) == ("accepted", "2026-01-01T12:00:03Z")
    assert attempt["why"]["stage"] == attempt["stage"] == "round_robin"
    assert (body["queued"], body["fell_back"]) == ([], None)


async def test_assignments_of_what_is_not_known_are_404(client: httpx.AsyncClient) -> None:
    answer = await client.get(path(Conversation(), "assignments"))
    assert answer.status_code == 404


async def test_who_knows_of_an_offer_is_let_wait_for_it(
    client: httpx.AsyncClient, archive: FakeArchive
) -> None:
    chat = Conversation()
    await archive.keep([chat.requested()])
    offered = chat.offered()
    query = {"at_least": str(offered.place.offset)}
    asking = asyncio.create_task(client.get(path(chat, "assignments"), params=query))
    while not archive.was_asked_how_far:
        await asyncio.sleep(0)
    await archive.keep([offered])
    assert len((await asking).json()["data"]) == 1
