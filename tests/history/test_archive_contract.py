"""What every archive promises: the fake in memory, and the real PostgreSQL."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rondo_common.errors import Unavailable
from rondo_common.events import MessagePosted
from rondo_common.ids import ConversationId
from rondo_history.adapters.postgres import open_pool
from rondo_history.adapters.postgres_archive import PostgresArchive
from rondo_history.domain.fact import Fact, in_log_order
from rondo_history.ports import Archive
from tests.history.conversations import Conversation, fresh_workspace
from tests.history.fake_archive import FakeArchive


@pytest.fixture(params=["fake", "postgresql"])
def archive(request: pytest.FixtureRequest) -> Archive:
    if request.param == "fake":
        return FakeArchive()
    found: Archive = request.getfixturevalue("postgres_archive")
    return found


def whole(chat: Conversation) -> list[Fact]:
    return [
        chat.requested(),
        chat.offered(),
        chat.accepted(),
        chat.said("Hej 👩‍💻 \u202eabc <b>x</b> ' ; --"),
        chat.said("\\u0000 is not U+0000", by="agent"),
        chat.ended(),
    ]


async def test_facts_come_back_as_they_were_given(archive: Archive) -> None:
    chat = Conversation()
    facts = whole(chat)
    await archive.keep(facts)
    assert in_log_order(await archive.facts_of(chat.workspace_id, chat.id)) == in_log_order(facts)


async def test_a_batch_told_again_changes_nothing(archive: Archive) -> None:
    chat = Conversation()
    facts = whole(chat)
    await archive.keep(facts[:4])
    await archive.keep(facts)
    await archive.keep(facts[2:])
    assert in_log_order(await archive.facts_of(chat.workspace_id, chat.id)) == in_log_order(facts)


async def test_a_fact_told_at_two_places_stays_at_the_first(archive: Archive) -> None:
    chat = Conversation()
    first, other = chat.said("Hello"), chat.said("Hello")
    again = Fact(first.id, first.workspace_id, first.occurred_at, other.place, first.event)
    await archive.keep([first, again])
    await archive.keep([again])
    assert await archive.facts_of(chat.workspace_id, chat.id) == [first]


async def test_conversations_and_workspaces_are_kept_apart(archive: Archive) -> None:
    here, there = Conversation("cnv_1"), Conversation("cnv_1")
    beside = Conversation("cnv_2", here.workspace_id)
    for chat in (here, there, beside):
        await archive.keep([chat.said("Hello")])
    (found,) = await archive.facts_of(here.workspace_id, here.id)
    assert (found.workspace_id, found.conversation_id) == (here.workspace_id, here.id)
    assert len(await archive.messages_of(there.workspace_id, there.id, after=-1, limit=10)) == 1


async def test_what_is_not_known_is_empty(archive: Archive) -> None:
    assert await archive.facts_of(fresh_workspace(), ConversationId("cnv_none")) == []


async def test_it_knows_how_far_a_conversation_is_kept(archive: Archive) -> None:
    chat = Conversation()
    requested, said = chat.requested(), chat.said("Hello")
    await archive.keep([requested])
    assert not await archive.has_reached(chat.workspace_id, chat.id, said.place.offset)
    await archive.keep([said])
    assert await archive.has_reached(chat.workspace_id, chat.id, said.place.offset)
    assert not await archive.has_reached(chat.workspace_id, chat.id, said.place.offset + 1)


async def test_messages_come_in_pages_by_their_place_in_the_log(archive: Archive) -> None:
    chat = Conversation()
    facts = [chat.requested(), chat.accepted(), *(chat.said(f"line {n}") for n in range(5)), chat.ended()]
    await archive.keep(list(reversed(facts)))
    first = await archive.messages_of(chat.workspace_id, chat.id, after=-1, limit=3)
    rest = await archive.messages_of(chat.workspace_id, chat.id, after=first[-1].place.offset, limit=3)
    said = [fact.event.message.text for fact in (*first, *rest) if isinstance(fact.event, MessagePosted)]
    assert said == [f"line {n}" for n in range(5)]


async def test_messages_can_be_read_from_the_end(archive: Archive) -> None:
    chat = Conversation()
    facts = [chat.requested(), chat.accepted(), *(chat.said(f"line {n}") for n in range(5)), chat.ended()]
    await archive.keep(facts)
    place = chat.workspace_id, chat.id
    last = await archive.latest_messages_of(*place, before=2**62, limit=3)
    first = await archive.latest_messages_of(*place, before=last[-1].place.offset, limit=3)
    said = [fact.event.message.text for fact in (*last, *first) if isinstance(fact.event, MessagePosted)]
    assert said == [f"line {n}" for n in reversed(range(5))]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.integers(0, 7), max_size=8), max_size=6))
async def test_however_batches_overlap_every_fact_is_there_once(
    postgres_archive: PostgresArchive, batches: list[list[int]]
) -> None:
    chat = Conversation()
    facts = [chat.requested(), *(chat.said(f"line {n}") for n in range(7))]
    for batch in batches:
        if batch:
            await postgres_archive.keep([facts[n] for n in batch])
    told = {n for batch in batches for n in batch}
    found = await postgres_archive.facts_of(chat.workspace_id, chat.id)
    assert in_log_order(found) == in_log_order(facts[n] for n in told)


async def test_a_server_that_does_not_answer_is_unavailable() -> None:
    async with open_pool("postgresql://rondo@127.0.0.1:1/rondo") as pool:
        with pytest.raises(Unavailable, match="postgresql is out of reach"):
            await PostgresArchive(pool).keep([Conversation().requested()])


async def test_a_database_that_is_not_migrated_says_what_to_run(empty_database: str) -> None:
    async with open_pool(empty_database) as pool:
        with pytest.raises(Unavailable, match="run python -m rondo_history migrate"):
            await PostgresArchive(pool).check()
