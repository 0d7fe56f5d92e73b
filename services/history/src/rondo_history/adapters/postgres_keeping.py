"""Keeping a batch of facts in one transaction: the events, what they said, and the summaries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date

from rondo_common.events import MessagePosted, TranscriptRequested
from rondo_common.ids import EventId
from rondo_common.topics import CONVERSATIONS
from rondo_history.adapters.conversation_key import ConversationKey, columns_of, key_of
from rondo_history.adapters.postgres import Connection
from rondo_history.adapters.rows import fact_row, facts_in, summary_in, summary_row, text_row
from rondo_history.domain.fact import Fact, in_log_order
from rondo_history.domain.summary import Summary, after, comes_next, summary_of


class Keeping:
    """Keeps batches. Remembers which months have a partition, and nothing else."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._queries = queries
        self._months: set[date] = set()

    async def keep(self, connection: Connection, facts: Sequence[Fact]) -> None:
        """Keep ``facts``, in the transaction the caller opened."""
        await self._make_months(connection, facts)
        summaries, opened = await self.lock(connection, {key_of(fact) for fact in facts})
        forgotten = {key for key, summary in summaries.items() if summary.erased_by is not None}
        new = await self._keep_new(connection, [each for each in facts if key_of(each) not in forgotten])
        late = [fact for fact in facts if key_of(fact) in forgotten and _is_later(summaries, fact)]
        await self._fold(connection, summaries, opened, [*new, *late])

    async def lock(
        self, connection: Connection, keys: Collection[ConversationKey]
    ) -> tuple[dict[ConversationKey, Summary], set[ConversationKey]]:
        """The summaries of conversations, held for this transaction; and whose are new, and empty."""
        columns = columns_of(keys)
        rows = await connection.fetch(self._queries["open_summaries"], *columns)
        opened = {ConversationKey(row["workspace_id"], row["id"]) for row in rows}
        rows = await connection.fetch(self._queries["lock_summaries"], *columns)
        return {ConversationKey(row["workspace_id"], row["id"]): summary_in(row) for row in rows}, opened

    async def rewrite(self, connection: Connection, keys: Collection[ConversationKey]) -> None:
        """Make summaries anew, and what is searched, from all the facts that are kept."""
        await self.lock(connection, keys)
        facts = await self._facts_of(connection, keys)
        await self._keep_texts(connection, [fact for each in facts.values() for fact in each])
        await self.write(connection, {key: summary_of(facts.get(key, ())) for key in keys})

    async def write(self, connection: Connection, summaries: Mapping[ConversationKey, Summary]) -> None:
        """Write summaries that were locked before."""
        rows = [summary_row(key, summary) for key, summary in summaries.items()]
        await connection.execute(self._queries["write_summaries"], rows)

    async def _make_months(self, connection: Connection, facts: Sequence[Fact]) -> None:
        """An event belongs in its own month, be it long over or still to come."""
        months = {fact.occurred_at.astimezone(UTC).date().replace(day=1) for fact in facts}
        for month in sorted(months - self._months):
            await connection.execute(self._queries["add_month"], month)

    def note_months(self, facts: Sequence[Fact]) -> None:
        """The transaction that kept ``facts`` is through: their months are there."""
        self._months |= {fact.occurred_at.astimezone(UTC).date().replace(day=1) for fact in facts}

    def forget_months(self) -> None:
        """Look again whether a month is there: some were dropped."""
        self._months.clear()

    async def _keep_new(self, connection: Connection, facts: Sequence[Fact]) -> list[Fact]:
        """Keep what is not known yet; those facts, each once."""
        by_id: dict[EventId, Fact] = {}
        for fact in facts:
            by_id.setdefault(fact.id, fact)
        if not by_id:
            return []
        columns = zip(*map(fact_row, by_id.values()), strict=True)
        rows = await connection.fetch(self._queries["keep_facts"], *columns)
        new = [by_id[row["id"]] for row in rows]
        await self._keep_texts(connection, new)
        await self._keep_mails(connection, new)
        return new

    async def _keep_texts(self, connection: Connection, facts: Sequence[Fact]) -> None:
        said = [text_row(fact) for fact in facts if isinstance(fact.event, MessagePosted)]
        if said:
            await connection.execute(self._queries["keep_texts"], *zip(*said, strict=True))

    async def _keep_mails(self, connection: Connection, facts: Sequence[Fact]) -> None:
        asked = [
            (fact.id, *key_of(fact), fact.event.to, fact.event.time_zone, fact.occurred_at)
            for fact in facts
            if isinstance(fact.event, TranscriptRequested)
        ]
        if asked:
            await connection.execute(self._queries["keep_mails"], *zip(*asked, strict=True))

    async def _fold(
        self,
        connection: Connection,
        summaries: dict[ConversationKey, Summary],
        opened: Collection[ConversationKey],
        new: Sequence[Fact],
    ) -> None:
        folded: dict[ConversationKey, Summary] = {}
        # Of a conversation that is new here, a history of an older version may have kept the start.
        anew = set(opened)
        for fact in in_log_order(new):
            key = key_of(fact)
            known = folded.get(key, summaries[key])
            if not comes_next(known, fact):
                anew.add(key)
            folded[key] = after(known, fact)
        if anew:
            facts = await self._facts_of(connection, anew, besides=[fact.id for fact in new])
            await self._keep_texts(connection, [fact for each in facts.values() for fact in each])
            for fact in new:
                facts.setdefault(key_of(fact), []).append(fact)
            folded |= {key: summary_of(facts.get(key, ())) for key in anew}
        if folded:
            await self.write(connection, folded)

    async def _facts_of(
        self,
        connection: Connection,
        keys: Collection[ConversationKey],
        *,
        besides: Sequence[EventId] = (),
    ) -> dict[ConversationKey, list[Fact]]:
        query = self._queries["facts_of_conversations"]
        rows = await connection.fetch(query, *columns_of(keys), besides)
        found: dict[ConversationKey, list[Fact]] = {}
        for fact in facts_in(rows):
            found.setdefault(key_of(fact), []).append(fact)
        return found


def _is_later(summaries: Mapping[ConversationKey, Summary], fact: Fact) -> bool:
    """Whether an erased conversation's summary has yet to learn of the fact.

    Its facts are not kept, so their ids cannot tell which are known; their places do. A request that
    comes after the erasure tells nothing that the figures need.
    """
    summary = summaries[key_of(fact)]
    return fact.place.topic == CONVERSATIONS.name and fact.place.offset > summary.log_offset
