"""Lists and search, as every archive promises them: the fake in memory, and the real PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rondo_common.conversation import FallbackReason, Rating, Status
from rondo_common.ids import AgentId, ConversationId, VisitorId, WorkspaceId
from rondo_common.topics import CHAT_REQUESTS, CONVERSATIONS
from rondo_history.adapters.postgres_archive import PostgresArchive
from rondo_history.domain.fact import Fact, Place
from rondo_history.domain.listing import Filter, position_of
from rondo_history.domain.search import folded, grams_of, terms_of
from rondo_history.domain.summary import summary_of
from rondo_history.ports import Archive
from tests.history.conversations import EDSGER, GRACE, NOON, Conversation, asked, fresh_workspace
from tests.history.fake_archive import FakeArchive

EVERYTHING = 200


@pytest.fixture(params=["fake", "postgresql"])
def archive(request: pytest.FixtureRequest) -> Archive:
    if request.param == "fake":
        return FakeArchive()
    found: Archive = request.getfixturevalue("postgres_archive")
    return found


async def ids(archive: Archive, workspace_id: WorkspaceId, wanted: Filter = Filter()) -> list[str]:  # noqa: B008 - frozen
    return [each.id for each in await archive.list_page(workspace_id, wanted, EVERYTHING)]


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


async def test_a_list_is_newest_first_and_goes_on_where_a_page_ended(archive: Archive) -> None:
    workspace_id = fresh_workspace()
    for number in range(7):
        # Two of them at the same moment: then their ids decide.
        request = asked(requested_at=at(number // 2))
        await archive.keep([Conversation(f"cnv_{number}", workspace_id, request=request).requested()])
    first = await archive.list_page(workspace_id, Filter(), 3)
    rest = await archive.list_page(workspace_id, Filter(after=position_of(first[-1])), EVERYTHING)
    assert [each.id for each in (*first, *rest)] == [f"cnv_{number}" for number in reversed(range(7))]


async def test_a_page_stays_where_it_is_while_newer_conversations_come(archive: Archive) -> None:
    workspace_id = fresh_workspace()
    for number in range(4):
        await archive.keep(
            [
                Conversation(
                    f"cnv_{number}", workspace_id, request=asked(requested_at=at(number))
                ).requested()
            ]
        )
    first = await archive.list_page(workspace_id, Filter(), 2)
    await archive.keep([Conversation("cnv_9", workspace_id, request=asked(requested_at=at(9))).requested()])
    after = Filter(after=position_of(first[-1]))
    assert await ids(archive, workspace_id, after) == ["cnv_1", "cnv_0"]


async def test_filters_narrow_a_list_together(archive: Archive) -> None:
    workspace_id = fresh_workspace()
    talk = Conversation("cnv_talk", workspace_id, request=asked(visitor_id="u-1"))
    over = Conversation("cnv_over", workspace_id, request=asked(visitor_id="u-1", requested_at=at(1)))
    lost = Conversation("cnv_lost", workspace_id, request=asked(visitor_id="u-2", requested_at=at(2)))
    await archive.keep([talk.requested(), talk.offered(), talk.accepted()])
    await archive.keep([over.requested(), over.offered(EDSGER), over.accepted(EDSGER), over.ended()])
    await archive.keep([lost.requested(), lost.fell_back()])
    cases = {
        Filter(status=Status.ACTIVE): ["cnv_talk"],
        Filter(status=Status.FELL_BACK): ["cnv_lost"],
        Filter(agent_id=GRACE.id): ["cnv_talk"],
        Filter(agent_id=AgentId("nobody")): [],
        Filter(visitor_id=VisitorId("u-1")): ["cnv_over", "cnv_talk"],
        Filter(visitor_id=VisitorId("u-1"), status=Status.ENDED): ["cnv_over"],
        Filter(agent_id=GRACE.id, seen_by=EDSGER.id): [],
        Filter(requested_from=at(1)): ["cnv_lost", "cnv_over"],
        Filter(requested_from=at(1), requested_before=at(2)): ["cnv_over"],
    }
    assert {each: await ids(archive, workspace_id, each) for each in cases} == cases


async def test_an_agent_has_what_they_were_rung_for_until_somebody_else_is(archive: Archive) -> None:
    chat = Conversation()
    await archive.keep([chat.requested(), chat.offered()])
    assert await ids(archive, chat.workspace_id, Filter(agent_id=GRACE.id)) == [chat.id]
    await archive.keep([chat.missed(), chat.offered(EDSGER, attempt=2), chat.accepted(EDSGER, attempt=2)])
    assert await ids(archive, chat.workspace_id, Filter(agent_id=GRACE.id)) == []
    assert await ids(archive, chat.workspace_id, Filter(agent_id=EDSGER.id)) == [chat.id]


async def test_who_handed_a_conversation_over_still_finds_it(archive: Archive) -> None:
    chat = Conversation()
    await archive.keep(
        [
            *(chat.requested(), chat.offered(), chat.accepted()),
            chat.offered(EDSGER, attempt=2, transferred_by=GRACE),
            chat.accepted(EDSGER, attempt=2),
            chat.transferred(),
        ]
    )
    for agent in (GRACE, EDSGER):
        assert await ids(archive, chat.workspace_id, Filter(agent_id=agent.id)) == [chat.id]
    found = await archive.find(chat.workspace_id, chat.id)
    assert found is not None
    assert (found.status, found.agent, found.offer) == (Status.ACTIVE, EDSGER, None)


async def test_what_nobody_asked_for_yet_is_in_no_list(archive: Archive) -> None:
    chat = Conversation()
    await archive.keep([chat.said("Hello")])
    assert await ids(archive, chat.workspace_id) == []
    assert await archive.find(chat.workspace_id, chat.id) is None
    assert await archive.find(chat.workspace_id, ConversationId("cnv_none")) is None
    await archive.keep([chat.requested()])
    assert await ids(archive, chat.workspace_id) == [chat.id]


async def test_a_conversation_shows_how_it_went(archive: Archive) -> None:
    chat = Conversation()
    await archive.keep([chat.requested(), chat.queued()])
    queued = await archive.find(chat.workspace_id, chat.id)
    assert queued is not None
    assert queued.queue is not None
    await archive.keep([chat.fell_back(FallbackReason.QUEUE_TIMEOUT)])
    found = await archive.find(chat.workspace_id, chat.id)
    assert found is not None
    assert found.queue is None
    assert found.fallback is not None
    assert (found.status, found.fallback.reason) == (Status.FELL_BACK, FallbackReason.QUEUE_TIMEOUT)


SAID = {
    "sv": "Hej! Jag vill KÖPA en båt i Malmö, 100%_säkert.",
    "ar": "مَرْحَبًا، أريد شراء قارب صغير",
    "ja": "こんにちは、東京都で船を買いたいです。ｶﾞｿﾘﾝ付き",
    "emoji": "Bra 👩‍💻 jobbat",
    "sql": "'; DROP TABLE conversations; -- \\",
}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("köpa", ["sv"]),
        ("kopa", ["sv"]),
        ("BÅT malmö", ["sv"]),
        ("öpa", ["sv"]),
        ("båt göteborg", []),
        ("%", ["sv"]),
        ("0%_s", ["sv"]),
        ("0__s", []),
        ("ma", ["sv"]),
        ("مرحبا", ["ar"]),
        ("قارب", ["ar"]),
        ("اريد", ["ar"]),
        ("شر", ["ar"]),
        ("東京都", ["ja"]),
        ("京都", ["ja"]),
        ("東京", ["ja"]),
        ("船", ["ja"]),
        ("買", ["ja"]),
        ("大阪", []),
        ("ガソリン", ["ja"]),
        ("がソリン", []),
        ("👩", ["emoji"]),
        ("'; DROP", ["sql"]),
        ("\\", ["sql"]),
        ("\u200b \u202e", []),
        ("", []),
    ],
)
async def test_texts_are_found_in_any_language(archive: Archive, query: str, found: list[str]) -> None:
    workspace_id, other = fresh_workspace(), fresh_workspace()
    for name, text in SAID.items():
        for where in (workspace_id, other):
            chat = Conversation(name, where)
            await archive.keep([chat.requested(), chat.accepted(), chat.said("Hello?"), chat.said(text)])
    assert sorted(await ids(archive, workspace_id, Filter(query=query))) == found


async def test_terms_are_looked_for_in_one_message(archive: Archive) -> None:
    chat = Conversation()
    await archive.keep([chat.requested(), chat.said("a green boat"), chat.said("a red car")])
    assert await ids(archive, chat.workspace_id, Filter(query="boat green")) == [chat.id]
    assert await ids(archive, chat.workspace_id, Filter(query="boat red")) == []


@given(text=st.text(max_size=40))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(text=st.text(alphabet="abå東京مر \u0301", max_size=30), data=st.data())
def test_the_grams_of_a_piece_are_among_those_of_the_whole(text: str, data: st.DataObject) -> None:
    whole = folded(text)
    start = data.draw(st.integers(0, len(whole)))
    piece = whole[start : data.draw(st.integers(start, len(whole)))]
    for term in terms_of(piece):
        assert set(grams_of(term)) <= set(grams_of(whole))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(9)),
    cuts=st.lists(st.integers(0, 9), max_size=4),
    again=st.lists(st.integers(0, 8), max_size=5),
)
async def test_a_summary_is_the_same_however_its_facts_came(
    postgres_archive: PostgresArchive, order: list[int], cuts: list[int], again: list[int]
) -> None:
    chat = Conversation()
    facts = [
        *(chat.requested(), chat.queued(), chat.offered(), chat.missed()),
        *(chat.offered(EDSGER, attempt=2), chat.accepted(EDSGER, attempt=2)),
        *(chat.said("Hello"), chat.said("Hi", by="agent"), chat.ended()),
    ]
    bounds = [0, *sorted(cuts), len(order)]
    for start, stop in pairwise(bounds):
        await postgres_archive.keep([facts[number] for number in order[start:stop]])
    await postgres_archive.keep([facts[number] for number in again])
    expected = summary_of(facts)
    found = await postgres_archive.find(chat.workspace_id, chat.id)
    assert found is not None
    assert (found.status, found.agent, found.ended) == (expected.status, expected.agent, expected.ended)
    assert (found.message_count, found.log_offset) == (2, expected.log_offset)
    assert found.last_message_at == expected.last_message_at


async def test_it_knows_how_far_the_log_was_read(archive: Archive) -> None:
    workspace_id = fresh_workspace()
    chat = Conversation("cnv_1", workspace_id)
    place = Place(CHAT_REQUESTS.name, 7, 41)
    await archive.keep([chat.requested()], read_to=place)
    assert await archive.has_read(place)
    assert not await archive.has_read(Place(CHAT_REQUESTS.name, 7, 42))
    assert not await archive.has_read(Place(CONVERSATIONS.name, 7, 41))
    await archive.keep([], read_to=Place(CHAT_REQUESTS.name, 7, 42))
    await archive.keep([], read_to=Place(CHAT_REQUESTS.name, 7, 40))
    assert await archive.has_read(Place(CHAT_REQUESTS.name, 7, 42))


async def test_batches_of_two_topics_at_once_make_one_summary(postgres_archive: PostgresArchive) -> None:
    workspace_id = fresh_workspace()
    chats = [Conversation(f"cnv_{number:02}", workspace_id) for number in range(40)]
    requests = [chat.requested() for chat in chats]
    others = [[chat.offered(), chat.accepted(), chat.said("Hello"), chat.ended()] for chat in chats]
    shuffled = list(reversed(others))
    await asyncio.gather(
        *(postgres_archive.keep([each]) for each in requests[::2]),
        postgres_archive.keep(requests[1::2]),
        postgres_archive.keep([fact for each in shuffled for fact in each[:2]]),
        postgres_archive.keep([fact for each in others[:20] for fact in each[2:]]),
        postgres_archive.keep([fact for each in others[20:] for fact in each[2:]]),
    )
    page = await postgres_archive.list_page(workspace_id, Filter(), EVERYTHING)
    assert {(each.status, each.message_count) for each in page} == {(Status.ENDED, 1)}
    assert len(page) == len(chats)


@pytest.mark.parametrize("years", [-30, 3, 400])
async def test_an_event_is_kept_whatever_its_time(postgres_archive: PostgresArchive, years: int) -> None:
    chat = Conversation()
    said = chat.said("Hello")
    moment = NOON.replace(year=NOON.year + years)
    facts = [chat.requested(), Fact(said.id, said.workspace_id, moment, said.place, said.event)]
    await postgres_archive.keep(facts)
    await postgres_archive.keep(facts)
    assert len(await postgres_archive.facts_of(chat.workspace_id, chat.id)) == 2


async def test_a_conversation_is_listed_with_its_latest_rating(archive: Archive) -> None:
    chat = Conversation()
    await archive.keep([chat.requested(), chat.accepted(), chat.ended(), chat.rated(2, "Slow")])
    await archive.keep([chat.rated(5)])
    (listed,) = await archive.list_page(chat.workspace_id, Filter(), EVERYTHING)
    assert listed.rating == Rating(score=5, rated_at=NOON)
    assert await archive.find(chat.workspace_id, chat.id) == listed
