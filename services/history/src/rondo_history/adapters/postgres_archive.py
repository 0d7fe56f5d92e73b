"""The archive in PostgreSQL: a batch in one transaction, and what is asked of it."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from rondo_common.errors import Unavailable
from rondo_common.events import MessagePosted, MessagesRead
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_history.adapters.conversation_key import ConversationKey
from rondo_history.adapters.postgres import Pool, connected
from rondo_history.adapters.postgres_keeping import Keeping
from rondo_history.adapters.postgres_search import SAYING_MAX, saying
from rondo_history.adapters.queries import read_queries
from rondo_history.adapters.rows import facts_in, summary_in
from rondo_history.domain.fact import Fact, Place
from rondo_history.domain.listing import Filter, KeptConversation, kept_conversation
from rondo_history.domain.search import terms_of

SUMMARISED_AT_ONCE = 500


class PostgresArchive:
    """See :class:`rondo_history.ports.Archive`.

    A batch with a fact that PostgreSQL can never take raises the error PostgreSQL gave; the consumer
    loop then finds the one, and the others are kept.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._queries = read_queries("queries.sql")
        self._keeping = Keeping(self._queries)

    async def keep(self, facts: Sequence[Fact], *, read_to: Place | None = None) -> None:
        """See :class:`Archive`."""
        try:
            async with connected(self._pool) as connection, connection.transaction():
                if facts:
                    await self._keeping.keep(connection, facts)
                if read_to is not None:
                    arguments = (read_to.topic, read_to.partition, read_to.offset)
                    await connection.execute(self._queries["note_progress"], *arguments)
        except Unavailable:
            self._keeping.forget_months()  # A month may be gone because it was past its retention.
            raise
        self._keeping.note_months(facts)

    async def facts_of(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> list[Fact]:
        """See :class:`Archive`."""
        query = self._queries["facts_of_conversation"]
        async with connected(self._pool) as connection:
            return facts_in(await connection.fetch(query, workspace_id, conversation_id))

    async def steps_of(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> list[Fact]:
        """See :class:`Archive`."""
        query = self._queries["steps_of_conversation"]
        arguments = (workspace_id, conversation_id, [MessagePosted.TYPE, MessagesRead.TYPE])
        async with connected(self._pool) as connection:
            return facts_in(await connection.fetch(query, *arguments))

    async def messages_of(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, after: int, limit: int
    ) -> list[Fact]:
        """See :class:`Archive`."""
        query = self._queries["messages_of_conversation"]
        arguments = (workspace_id, conversation_id, MessagePosted.TYPE, after, limit)
        async with connected(self._pool) as connection:
            return facts_in(await connection.fetch(query, *arguments))

    async def latest_messages_of(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, before: int, limit: int
    ) -> list[Fact]:
        """See :class:`Archive`."""
        query = self._queries["latest_messages_of_conversation"]
        arguments = (workspace_id, conversation_id, MessagePosted.TYPE, before, limit)
        async with connected(self._pool) as connection:
            return facts_in(await connection.fetch(query, *arguments))

    async def has_reached(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, offset: int
    ) -> bool:
        """See :class:`Archive`."""
        query = self._queries["has_reached"]
        async with connected(self._pool) as connection:
            return bool(await connection.fetchval(query, workspace_id, conversation_id, offset))

    async def has_read(self, place: Place) -> bool:
        """See :class:`Archive`."""
        query = self._queries["has_read"]
        async with connected(self._pool) as connection:
            return bool(await connection.fetchval(query, place.topic, place.partition, place.offset))

    async def find(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> KeptConversation | None:
        """See :class:`Archive`."""
        query = self._queries["summary_of"]
        async with connected(self._pool) as connection:
            row = await connection.fetchrow(query, workspace_id, conversation_id)
        return None if row is None else _kept(row)

    async def list_page(
        self, workspace_id: WorkspaceId, wanted: Filter, limit: int
    ) -> list[KeptConversation]:
        """See :class:`Archive`."""
        terms = [] if wanted.query is None else terms_of(wanted.query)
        if wanted.query is not None and not terms:
            return []  # Nothing that can be seen was looked for.
        ids: list[str] | None = None
        patterns: list[str] | None = None
        async with connected(self._pool) as connection:
            if terms:
                search = saying(workspace_id, terms)
                patterns = search.patterns
                if search.is_narrow:
                    rows = await connection.fetch(
                        self._queries["conversations_saying"], *search.arguments()
                    )
                    # So many that the newest conversations will have some: rather look there.
                    if len(rows) < SAYING_MAX:
                        ids, patterns = list({row["conversation_id"] for row in rows}), None
            rows = await connection.fetch(
                self._queries["list_conversations"],
                workspace_id,
                wanted.status,
                wanted.agent_id,
                wanted.seen_by,
                wanted.visitor_id,
                wanted.requested_from,
                wanted.requested_before,
                None if wanted.after is None else wanted.after.requested_at,
                None if wanted.after is None else wanted.after.conversation_id,
                ids,
                patterns,
                limit,
            )
        return [kept for row in rows if (kept := _kept(row)) is not None]

    async def summarise_what_is_not(self) -> bool:
        """Give some conversations that version 0001 of the schema kept their summary; whether there were
        any. Raises ``Unavailable``."""
        async with connected(self._pool) as connection, connection.transaction():
            if await connection.fetchval("SELECT to_regclass('conversation_events_before') IS NULL"):
                return False
            rows = await connection.fetch(self._queries["not_summarised"], SUMMARISED_AT_ONCE)
            keys = [ConversationKey(row["workspace_id"], row["conversation_id"]) for row in rows]
            if keys:
                await self._keeping.rewrite(connection, keys)
            return bool(keys)

    async def check(self) -> None:
        """A health check: raises ``Unavailable`` unless the archive can be used."""
        async with connected(self._pool) as connection:
            await connection.fetchval(self._queries["is_usable"])


def _kept(row: asyncpg.Record) -> KeptConversation | None:
    return kept_conversation(ConversationId(row["id"]), summary_in(row))
