"""Retention and erasure, looked at in the database itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import cast

import asyncpg
import pytest

from rondo_common.conversation import Party, Status
from rondo_common.directory.entries import WorkspaceEntry, WorkspaceSettings
from rondo_common.envelope import Envelope
from rondo_common.errors import Rejected, Unavailable
from rondo_common.events import Event, TranscriptRequested, VisitorErased
from rondo_common.ids import EventId, VisitorId, WorkspaceId
from rondo_common.topics import CHAT_REQUESTS
from rondo_history.adapters.postgres import Pool, open_pool
from rondo_history.adapters.postgres_archive import PostgresArchive
from rondo_history.adapters.postgres_housekeeping import PostgresHousekeeping
from rondo_history.adapters.postgres_reports import PostgresReports
from rondo_history.bootstrap import READINGS
from rondo_history.domain.erasure import Erased
from rondo_history.domain.fact import Fact, Place
from rondo_history.domain.listing import Filter
from rondo_history.domain.report import Grouping, Period, Ratings
from rondo_history.domain.retention import Cutoffs, cutoffs_of
from rondo_history.handlers import take_in
from tests.history.conversations import GRACE, NOON, VISITOR, Conversation, asked, fresh_workspace

SECRET = "SECRET-0123"
TABLES = ("conversation_events", "message_texts", "conversations", "transcript_mails")


class FakeAnnouncer:
    """An :class:`rondo_history.ports.Announcer` that remembers."""

    def __init__(self) -> None:
        self.told: list[Erased] = []

    async def announce_erased(
        self,
        workspace_id: WorkspaceId,  # noqa: ARG002 - one at a time here
        erased: Sequence[Erased],
        *,
        cause: EventId,  # noqa: ARG002 - as above
        at: datetime,  # noqa: ARG002 - as above
    ) -> None:
        self.told += erased


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    async with open_pool(database) as found:
        yield found


async def rows_holding(pool: Pool, text: str) -> int:
    """How many rows of all tables hold a text anywhere."""
    count = 0
    for table in TABLES:
        query = f"SELECT count(*) FROM {table} AS t WHERE t::text ILIKE '%' || $1 || '%'"
        count += await pool.fetchval(query, text)
    return count


def aged(fact: Fact, days: float) -> Fact:
    moment = NOON - timedelta(days=days)
    return Fact(fact.id, fact.workspace_id, moment, fact.place, fact.event)


def workspace(workspace_id: WorkspaceId, retention_days: int) -> WorkspaceEntry:
    settings = WorkspaceSettings(retention_days=retention_days)
    return WorkspaceEntry(id=workspace_id, name="W", settings=settings, created_at=NOON)


async def keep_aged(archive: PostgresArchive, workspace_id: WorkspaceId, name: str, days: float) -> None:
    """A conversation whose last event was so many days ago, and its first a day earlier."""
    chat = Conversation(name, workspace_id, request=asked(requested_at=NOON - timedelta(days=days + 1)))
    wanted = TranscriptRequested(conversation_id=chat.id, to="a@example.com", by=VISITOR, time_zone="UTC")
    facts = [chat.requested(), chat.offered(), chat.accepted(), chat.said(name), chat.tell(wanted)]
    await archive.keep([*(aged(fact, days + 1) for fact in facts), aged(chat.ended(), days)])


async def test_conversations_go_when_their_workspace_says_so_and_not_before(pool: Pool) -> None:
    archive, keeping = PostgresArchive(pool), PostgresHousekeeping(pool)
    short, long, deleted = fresh_workspace(), fresh_workspace(), fresh_workspace()
    for workspace_id in (short, long, deleted):
        for days in (6, 8, 89, 91, 399, 401):
            await keep_aged(archive, workspace_id, f"cnv_{days}", days)
    cutoffs = cutoffs_of([workspace(short, 7), workspace(long, 400)], NOON)
    assert await keeping.drop_expired(cutoffs) == 5 + 1 + 3
    kept = {
        each: [found.id for found in await archive.list_page(each, Filter(), 50)]
        for each in (short, long, deleted)
    }
    assert kept == {
        short: ["cnv_6"],
        long: ["cnv_6", "cnv_8", "cnv_89", "cnv_91", "cnv_399"],
        deleted: ["cnv_6", "cnv_8", "cnv_89"],
    }
    for table, column in (
        ("conversation_events", "conversation_id"),
        ("message_texts", "conversation_id"),
        ("transcript_mails", "conversation_id"),
        ("conversations", "id"),
    ):
        rows = await pool.fetch(f"SELECT DISTINCT workspace_id, {column} AS id FROM {table}")
        assert {(row["workspace_id"], row["id"]) for row in rows} == {
            (each, name) for each, names in kept.items() for name in names
        }
    assert await keeping.drop_expired(cutoffs) == 0


async def test_months_that_nobody_needs_are_dropped_and_others_stay(pool: Pool) -> None:
    archive, keeping = PostgresArchive(pool), PostgresHousekeeping(pool)
    workspace_id = fresh_workspace()
    await keep_aged(archive, workspace_id, "cnv_old", 200)
    before = await partitions(pool)
    await keeping.drop_expired(cutoffs_of([workspace(workspace_id, 30)], NOON))
    gone = before - await partitions(pool)
    assert gone >= {"conversation_events_202506", "message_texts_202506"}
    assert "conversation_events_202601" not in gone
    # What comes late after all has its month again, and goes with the next round.
    with pytest.raises(Unavailable):  # The batch is tried again, by then it is known to be gone.
        await keep_aged(archive, workspace_id, "cnv_late", 200)
    await keep_aged(archive, workspace_id, "cnv_late", 200)
    assert len(await archive.facts_of(workspace_id, Conversation("cnv_late").id)) == 6
    await keeping.drop_expired(cutoffs_of([workspace(workspace_id, 30)], NOON))
    assert await archive.list_page(workspace_id, Filter(), 50) == []


async def test_a_conversation_that_went_on_is_kept_whole(pool: Pool) -> None:
    archive, keeping = PostgresArchive(pool), PostgresHousekeeping(pool)
    chat = Conversation()
    facts = [aged(chat.requested(), 200), aged(chat.said("long ago"), 200), aged(chat.said("today"), 0)]
    await archive.keep(facts)
    await keeping.drop_expired(cutoffs_of([workspace(chat.workspace_id, 30)], NOON))
    assert len(await archive.facts_of(chat.workspace_id, chat.id)) == 3


async def test_only_one_process_keeps_house_at_a_time(pool: Pool, database: str) -> None:
    archive, keeping = PostgresArchive(pool), PostgresHousekeeping(pool)
    workspace_id = fresh_workspace()
    await keep_aged(archive, workspace_id, "cnv_old", 200)
    cutoffs = Cutoffs({}, NOON - timedelta(days=90))
    other = await asyncpg.connect(database)
    assert await other.fetchval("SELECT pg_try_advisory_lock(hashtext('rondo history housekeeping'))")
    assert await keeping.drop_expired(cutoffs) == 0
    await other.close()
    assert await keeping.drop_expired(cutoffs) == 1


async def test_the_months_ahead_are_made(pool: Pool) -> None:
    await PostgresHousekeeping(pool).add_months(datetime.fromisoformat("2031-11-30T23:00:00+00:00"))
    months = {f"conversation_events_{month}" for month in ("203111", "203112", "203201")}
    assert months <= await partitions(pool)


async def partitions(pool: Pool) -> set[str]:
    rows = await pool.fetch("SELECT inhrelid::regclass::text AS name FROM pg_inherits")
    return {row["name"] for row in rows}


def erasure(chat: Conversation, offset: int) -> tuple[Envelope[Event], Place]:
    event = VisitorErased(visitor_id=VisitorId("u-17"), by=VISITOR)
    envelope = Envelope(EventId(f"erase-{offset}"), "/rondo/tests", NOON, chat.workspace_id, event)
    return cast("Envelope[Event]", envelope), Place(CHAT_REQUESTS.name, 3, offset)


def logged(fact: Fact) -> tuple[Envelope[Event], Place]:
    envelope = Envelope(fact.id, "/rondo/tests", fact.occurred_at, fact.workspace_id, fact.event)
    return cast("Envelope[Event]", envelope), fact.place


async def test_nothing_of_an_erased_visitor_is_left_but_figures(pool: Pool) -> None:
    archive, keeping, announcer = PostgresArchive(pool), PostgresHousekeeping(pool), FakeAnnouncer()
    chat = Conversation(request=asked(first_name=SECRET))
    other = Conversation("cnv_other", chat.workspace_id, request=asked(visitor_id="u-18"))
    wanted = TranscriptRequested(
        conversation_id=chat.id, to=f"{SECRET}@example.com", by=VISITOR, time_zone="UTC"
    )
    facts = [
        *(chat.requested(), chat.offered(), chat.accepted(), chat.said(f"I am {SECRET}")),
        *(chat.tell(wanted), chat.ended(by=Party(type="agent", id=GRACE.id)), chat.rated(2, SECRET)),
        other.requested(),
    ]
    await archive.keep(facts)
    assert await rows_holding(pool, SECRET) >= 4
    batch = [erasure(chat, 90)]
    for _ in range(2):  # Told again, it is announced again, and nothing else happens.
        await take_in(batch, READINGS, archive, keeping, announcer)
    assert await rows_holding(pool, SECRET) == 0
    assert await rows_holding(pool, "u-17") == 0
    assert announcer.told == [Erased(chat.id, (GRACE.id,))] * 2
    assert [each.id for each in await archive.list_page(chat.workspace_id, Filter(), 9)] == [other.id]
    assert await archive.find(chat.workspace_id, chat.id) is None
    assert await archive.list_page(chat.workspace_id, Filter(query=SECRET), 9) == []
    period = Period(NOON, NOON + timedelta(days=1), "UTC")
    (row,) = await PostgresReports(pool).live_chat(chat.workspace_id, period, Grouping.WORKSPACE)
    assert (row.requested, row.offered, row.accepted) == (2, 1, 1)
    assert row.rating == Ratings(count=1, average=2)


async def test_what_is_told_late_or_again_does_not_bring_an_erased_visitor_back(pool: Pool) -> None:
    archive, keeping, announcer = PostgresArchive(pool), PostgresHousekeeping(pool), FakeAnnouncer()
    chat = Conversation(request=asked(first_name=SECRET))
    early = [chat.requested(), chat.offered(), chat.accepted(), chat.said(SECRET)]
    late = [chat.said(f"{SECRET} again"), chat.ended(), chat.rated(3, f"{SECRET}, still")]
    await archive.keep(early)
    await take_in([erasure(chat, 90)], READINGS, archive, keeping, announcer)
    await archive.keep([*early, *late])
    await archive.keep(late)
    assert await rows_holding(pool, SECRET) == 0
    row = await pool.fetchrow("SELECT status, message_count FROM conversations")
    assert row is not None
    assert (row["status"], row["message_count"]) == (Status.ENDED, 2)


async def test_what_an_erased_visitor_asks_for_later_is_kept(pool: Pool) -> None:
    archive, keeping, announcer = PostgresArchive(pool), PostgresHousekeeping(pool), FakeAnnouncer()
    before, after = Conversation("cnv_1"), Conversation("cnv_2")
    after.workspace_id = before.workspace_id
    batch = [logged(before.requested()), erasure(before, 50), logged(after.requested())]
    await take_in(batch, READINGS, archive, keeping, announcer)
    page = await archive.list_page(before.workspace_id, Filter(visitor_id=VisitorId("u-17")), 9)
    assert [each.id for each in page] == ["cnv_2"]
    assert announcer.told == [Erased(before.id, ())]


async def test_a_record_that_cannot_be_kept_is_named_by_its_place_behind_an_erasure(pool: Pool) -> None:
    archive, keeping = PostgresArchive(pool), PostgresHousekeeping(pool)
    chat = Conversation()
    envelope, place = logged(chat.requested())
    bad = Envelope(
        EventId("nul\x00"), envelope.source, envelope.time, envelope.workspace_id, envelope.event
    )
    with pytest.raises(Rejected) as refusal:
        await take_in([erasure(chat, 1), (bad, place)], READINGS, archive, keeping, FakeAnnouncer())
    assert refusal.value.index == 1
