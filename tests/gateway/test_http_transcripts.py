"""Transcripts over HTTP: in the reader's time zone, as a file, by email."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from rondo_common.conversation import Author
from rondo_common.directory.entries import Kind, WorkspaceEntry, WorkspaceSettings
from rondo_common.events import TranscriptRequested, WorkspaceDefined
from rondo_common.ids import MessageId, VisitorId
from rondo_gateway.domain.transcript import Transcript, TranscriptLine
from rondo_gateway.ports import Definition
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    BOB,
    CNV,
    GRACE,
    NOON,
    FakeWorld,
    a_request,
    active,
    bearer,
    json_of,
)

KEY = bearer(ACME_KEY)
PATH = f"/v1/conversations/{CNV}/transcript"
SUMMER = datetime(2026, 7, 1, 12, tzinfo=UTC)
TEXT = {"Accept": "text/plain"}


async def furnished(world: FakeWorld, time_zone: str = "UTC") -> None:
    settings = WorkspaceSettings(time_zone=time_zone)
    entry = WorkspaceEntry(id=ACME, name="Acme", settings=settings, created_at=NOON)
    await world.directory.write(ACME, [Definition(Kind.WORKSPACE, ACME, WorkspaceDefined(workspace=entry))])
    await world.conversations.show(ACME, active())
    author = Author(type="visitor", id="ada", name="Ada")
    line = TranscriptLine(
        type="message", at=SUMMER, text="Hej\n[x] åäö", id=MessageId("msg_1"), author=author
    )
    world.history.transcripts[CNV] = Transcript(
        conversation_id=CNV,
        visitor=a_request().visitor,
        agent_ids=[GRACE],
        requested_at=SUMMER,
        lines=[line],
    )


async def test_times_are_those_of_the_workspace_unless_the_reader_says_theirs(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await furnished(world, "Europe/Stockholm")
    local = (await http.get(PATH, headers={**KEY, **TEXT})).text
    assert local.splitlines() == [
        f"Conversation {CNV}, requested at 2026-07-01 14:00:00 CEST",
        "Times are those of Europe/Stockholm.",
        "",
        "[2026-07-01 14:00:00 CEST] Ada: Hej",
        "    [x] åäö",
    ]
    theirs = await http.get(f"{PATH}?time_zone=America/New_York", headers={**KEY, **TEXT})
    assert "[2026-07-01 08:00:00 EDT] Ada" in theirs.text
    body = json_of(await http.get(f"{PATH}?time_zone=Asia/Tokyo", headers=KEY), 200)
    assert (body["time_zone"], body["lines"][0]["at"]) == ("Asia/Tokyo", "2026-07-01T12:00:00Z")


async def test_a_time_zone_that_is_none_is_422(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await furnished(world)
    problem = json_of(await http.get(f"{PATH}?time_zone=Mars", headers=KEY), 422)
    assert problem["errors"][0]["pointer"] == "/query/time_zone"


async def test_a_download_is_a_file_of_its_kind(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await furnished(world)
    for accept, ending in (("text/plain", "txt"), ("application/json", "json")):
        answer = await http.get(f"{PATH}?download=1", headers={**KEY, "Accept": accept})
        assert answer.headers["content-disposition"] == f'attachment; filename="transcript-{CNV}.{ending}"'


async def test_a_transcript_by_email_is_asked_for_in_the_log(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await furnished(world, "Asia/Tokyo")
    for caller in (KEY, bearer(world.agent_token()), bearer(world.visitor_token())):
        answer = await http.post(f"{PATH}/email", headers=caller, json={"to": "ada@example.com"})
        assert (answer.status_code, answer.content) == (202, b"")
    assert [event.to for event in world.log.events if isinstance(event, TranscriptRequested)] == [
        "ada@example.com"
    ] * 3
    (first, *_) = world.log.events
    assert isinstance(first, TranscriptRequested)
    assert (first.conversation_id, first.time_zone, first.by.type) == (CNV, "Asia/Tokyo", "key")


async def test_who_has_no_part_in_it_cannot_have_it_sent(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await furnished(world)
    body = {"to": "eve@example.com"}
    eve = bearer(world.visitor_token(VisitorId("eve")))
    assert (await http.post(f"{PATH}/email", headers=eve, json=body)).status_code == 404
    bob = bearer(world.agent_token(BOB))
    assert (await http.post(f"{PATH}/email", headers=bob, json=body)).status_code == 403
    assert world.log.events == []


async def test_a_conversation_is_sent_five_times_a_day_at_most(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await furnished(world)
    answers = [
        await http.post(f"{PATH}/email", headers=KEY, json={"to": "ada@example.com"}) for _ in range(6)
    ]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429]
    assert json_of(answers[-1], 429)["type"] == "urn:rondo:error:limit-reached"
    assert int(answers[-1].headers["retry-after"]) > 0
    assert len(world.log.events) == 5


async def test_without_a_mail_server_it_says_so(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await furnished(world)
    world.history.has_mail = False
    answer = await http.post(f"{PATH}/email", headers=KEY, json={"to": "ada@example.com"})
    assert json_of(answer, 409)["type"] == "urn:rondo:error:mail-not-configured"


@pytest.mark.parametrize(
    "body",
    [{}, {"to": "ada"}, {"to": "a@example.com\nBcc: x@example.com"}, {"to": "a@example.com", "x": 1}],
)
async def test_an_address_that_cannot_be_is_422(
    http: httpx.AsyncClient, world: FakeWorld, body: dict[str, object]
) -> None:
    await furnished(world)
    assert (await http.post(f"{PATH}/email", headers=KEY, json=body)).status_code == 422
