"""Lists of conversations over HTTP, and reading what is long over."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from rondo_common.conversation import Status
from rondo_common.conversation_view import ConversationView
from rondo_common.directory.entries import AgentEntry, Kind
from rondo_common.events import AgentDefined
from rondo_common.ids import AgentId, ConversationId, ProfileId, VisitorId
from rondo_gateway.domain.listing import KeptConversation, Wanted
from rondo_gateway.domain.transcript import Transcript
from rondo_gateway.ports import Definition
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    ADA,
    BOB,
    CNV,
    GRACE,
    ROOT_KEY,
    FakeWorld,
    a_request,
    active,
    bearer,
    ended,
    json_of,
    offered,
)

KEY = bearer(ACME_KEY)
CHIEF = AgentId("chief")
PATH = "/v1/conversations"


def kept(view: ConversationView, *agents: AgentId) -> KeptConversation:
    return KeptConversation(
        id=view.id,
        status=view.status,
        request=view.request,
        agent=view.agent,
        offer=view.offer,
        ended=view.ended,
        fallback=view.fallback,
        agent_ids=agents,
        log_offset=4,
    )


async def chief_of(world: FakeWorld) -> dict[str, str]:
    entry = AgentEntry(id=CHIEF, name="Chief", email="chief@example.com", profile=ProfileId("sales_admin"))
    await world.directory.write(ACME, [Definition(Kind.AGENT, CHIEF, AgentDefined(agent=entry))])
    return bearer(world.agent_token(CHIEF))


async def test_a_list_shows_conversations_as_they_are_now(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    world.history.kept[CNV] = kept(offered())
    await world.conversations.show(ACME, active())
    listed = json_of(await http.get(PATH, headers=KEY), 200)
    shown = json_of(await http.get(f"{PATH}/{CNV}", headers=KEY), 200)
    assert listed == {"data": [shown], "next_cursor": None}
    assert shown["status"] == "active"


async def test_what_no_longer_has_the_status_asked_for_is_left_out(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    world.history.kept[CNV] = kept(offered())
    await world.conversations.show(ACME, active())
    listed = json_of(await http.get(f"{PATH}?status=offered", headers=KEY), 200)
    assert listed["data"] == []


async def test_history_is_asked_to_know_the_newest_request(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    ask = {"visitor": {"first_name": "Ada"}, "route": {"type": "round_robin"}}
    for _ in range(2):
        json_of(await http.post(PATH, headers=KEY, json=ask), 202)
    json_of(await http.get(PATH, headers=KEY), 200)
    assert world.history.asked_for[-1] == 1


async def test_every_filter_reaches_history(http: httpx.AsyncClient, world: FakeWorld) -> None:
    query = {
        "status": "ended",
        "agent_id": "grace",
        "visitor_id": "ada",
        "q": "köpa 100%",
        "from": "2026-01-01T00:00:00+01:00",
        "to": "2026-02-01T00:00:00Z",
        "limit": "7",
        "cursor": "5-cnv_1",
    }
    json_of(await http.get(PATH, headers=KEY, params=query), 200)
    ((workspace_id, wanted),) = world.history.wanted
    assert workspace_id == ACME
    assert wanted.to_query() == {
        "limit": "7",
        "status": "ended",
        "agent_id": "grace",
        "visitor_id": "ada",
        "q": "köpa 100%",
        "requested_from": "2026-01-01T00:00:00+01:00",
        "requested_before": "2026-02-01T00:00:00+00:00",
        "after": "5-cnv_1",
    }


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("status=done", "/query/status"),
        ("agent_id=a%20b", "/query/agent_id"),
        ("visitor_id=", "/query/visitor_id"),
        ("q=", "/query/q"),
        (f"q={'a' * 201}", "/query/q"),
        ("q=a%00b", "/query/q"),
        ("from=yesterday", "/query/from"),
        ("to=2026-01-01T00:00:00", "/query/to"),
        ("limit=0", "/query/limit"),
        ("limit=201", "/query/limit"),
        ("cursor=%2F", "/query/cursor"),
    ],
)
async def test_a_filter_that_cannot_be_is_named(http: httpx.AsyncClient, query: str, pointer: str) -> None:
    problem = json_of(await http.get(f"{PATH}?{query}", headers=KEY), 422)
    assert problem["errors"][0]["pointer"] == pointer


async def test_everybody_is_shown_what_they_may_see(http: httpx.AsyncClient, world: FakeWorld) -> None:
    cases: list[tuple[dict[str, str], str, Wanted | None]] = [
        (KEY, "", Wanted(50)),
        (bearer(world.agent_token()), "", Wanted(50, seen_by=GRACE)),
        (bearer(world.agent_token()), "?agent_id=bob", Wanted(50, agent_id=BOB, seen_by=GRACE)),
        (await chief_of(world), "?agent_id=bob", Wanted(50, agent_id=BOB)),
        (bearer(world.visitor_token()), "", Wanted(50, visitor_id=ADA)),
        (bearer(world.visitor_token()), "?visitor_id=ada", Wanted(50, visitor_id=ADA)),
        (bearer(world.visitor_token()), "?visitor_id=eve", None),
        (bearer(world.visitor_token()), "?agent_id=grace", None),
    ]
    for caller, query, asked in cases:
        world.history.wanted.clear()
        answer = json_of(await http.get(PATH + query, headers=caller), 200)
        assert [wanted for _, wanted in world.history.wanted] == ([] if asked is None else [asked])
        assert answer == {"data": [], "next_cursor": None}
    assert (await http.get(PATH, headers=bearer(ROOT_KEY))).status_code == 403
    assert (await http.get(PATH)).status_code == 401


async def test_a_visitor_is_not_shown_who_is_rung(http: httpx.AsyncClient, world: FakeWorld) -> None:
    world.history.kept[CNV] = kept(offered())
    (shown,) = json_of(await http.get(PATH, headers=bearer(world.visitor_token())), 200)["data"]
    assert shown["offer"]["agent_id"] is None


async def test_a_list_is_503_while_history_or_redis_is_away(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    world.history.is_unreachable = True
    assert (await http.get(PATH, headers=KEY)).status_code == 503
    world.history.is_unreachable, world.conversations.is_unreachable = False, True
    assert (await http.get(PATH, headers=KEY)).status_code == 503


async def test_what_only_history_knows_any_more_can_be_read(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    world.history.kept[CNV] = kept(ended(), GRACE)
    world.history.transcripts[CNV] = Transcript(
        conversation_id=CNV,
        visitor=a_request().visitor,
        agent_ids=[GRACE],
        requested_at=a_request().requested_at,
        lines=[],
    )
    readers = [KEY, bearer(world.agent_token()), bearer(world.visitor_token()), await chief_of(world)]
    for what in ("", "/messages", "/transcript"):
        for reader in readers:
            assert (await http.get(f"{PATH}/{CNV}{what}", headers=reader)).status_code == 200
        assert (
            await http.get(f"{PATH}/{CNV}{what}", headers=bearer(world.agent_token(BOB)))
        ).status_code == 403
        other = bearer(world.visitor_token(VisitorId("eve")))
        assert (await http.get(f"{PATH}/{CNV}{what}", headers=other)).status_code == 404
    assert (await http.get(f"{PATH}/cnv_none", headers=KEY)).status_code == 404


async def test_an_agent_who_handed_a_chat_over_may_still_read_it(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await world.conversations.show(ACME, active(BOB))
    world.history.kept[CNV] = kept(active(BOB), GRACE, BOB)
    shown = json_of(await http.get(f"{PATH}/{CNV}", headers=bearer(world.agent_token())), 200)
    assert shown["agent"]["id"] == BOB


async def test_who_may_view_all_may_read_a_chat_that_is_with_another(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    view = replace(active(BOB), id=ConversationId("cnv_2"), status=Status.ACTIVE)
    await world.conversations.show(ACME, view)
    shown = json_of(await http.get(f"{PATH}/cnv_2", headers=await chief_of(world)), 200)
    assert shown["agent"]["id"] == BOB
