"""What is past its retention goes, and a visitor's data when they want it: in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg

from rondo_common.ids import ConversationId, EventId, VisitorId, WorkspaceId
from rondo_history.adapters.conversation_key import ConversationKey, columns_of
from rondo_history.adapters.postgres import Connection, Pool, connected
from rondo_history.adapters.queries import read_queries
from rondo_history.adapters.rows import summary_in, summary_row
from rondo_history.domain.erasure import Erased
from rondo_history.domain.retention import Cutoffs
from rondo_history.domain.summary import erased

DELETED_AT_ONCE = 200
"""Conversations in one transaction, so that none is held for long."""
MONTHS_AHEAD = 2
_DELETIONS = ("delete_events", "delete_texts", "delete_mails")


class PostgresHousekeeping:
    """See :class:`rondo_history.ports.Housekeeping`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._queries = read_queries("housekeeping.sql")
        archive = read_queries("queries.sql")
        self._add_month, self._write = archive["add_month"], archive["write_summaries"]

    async def add_months(self, now: datetime) -> None:
        """See :class:`Housekeeping`."""
        first = now.astimezone(UTC).date().replace(day=1)
        async with connected(self._pool) as connection:
            for _ in range(MONTHS_AHEAD + 1):
                await connection.execute(self._add_month, first)
                first = (first + timedelta(days=32)).replace(day=1)

    async def drop_expired(self, cutoffs: Cutoffs) -> int:
        """See :class:`Housekeeping`."""
        async with self._turn() as connection:
            if connection is None:
                return 0
            await self._drop_months(connection, cutoffs.earliest)
            deleted = 0
            for workspace_id, cutoff in cutoffs.by_workspace.items():
                deleted += await self._delete_all(connection, "expired", workspace_id, cutoff)
            named = list(cutoffs.by_workspace)
            return deleted + await self._delete_all(connection, "expired_of_others", named, cutoffs.others)

    async def erase_visitor(
        self, workspace_id: WorkspaceId, visitor_id: VisitorId, by: EventId
    ) -> list[Erased]:
        """See :class:`Housekeeping`."""
        async with connected(self._pool) as connection:
            while await self._erase_some(connection, workspace_id, visitor_id, by):
                pass
            rows = await connection.fetch(self._queries["erased_by"], workspace_id, by)
        return [_erased(row) for row in rows]

    async def _erase_some(
        self, connection: Connection, workspace_id: WorkspaceId, visitor_id: VisitorId, by: EventId
    ) -> bool:
        async with connection.transaction():
            arguments = (workspace_id, visitor_id, DELETED_AT_ONCE)
            rows = await connection.fetch(self._queries["to_erase"], *arguments)
            keys = _keys(rows)
            if not keys:
                return False
            for name in _DELETIONS:
                await connection.execute(self._queries[name], *columns_of(keys))
            summaries = [erased(summary_in(row), by) for row in rows]
            changed = [summary_row(key, each) for key, each in zip(keys, summaries, strict=True)]
            await connection.execute(self._write, changed)
        return True

    async def _drop_months(self, connection: Connection, cutoff: datetime) -> None:
        for partition in await connection.fetch(self._queries["partitions"]):
            ends_at = partition["ends_at"]
            if ends_at is None or ends_at > cutoff:
                continue
            # A conversation that went on for longer is kept whole.
            if not await connection.fetchval(self._queries["is_needed"], ends_at, cutoff):
                await connection.execute(self._queries["drop_partition"], partition["name"])

    async def _delete_all(self, connection: Connection, query: str, whose: object, cutoff: datetime) -> int:
        deleted = 0
        while True:
            async with connection.transaction():
                rows = await connection.fetch(self._queries[query], whose, cutoff, DELETED_AT_ONCE)
                keys = _keys(rows)
                for name in (*_DELETIONS, "delete_summaries"):
                    await connection.execute(self._queries[name], *columns_of(keys))
            deleted += len(keys)
            if len(keys) < DELETED_AT_ONCE:
                return deleted

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Connection | None]:
        """A connection whose turn it is; None when another process keeps house now."""
        async with connected(self._pool) as connection:
            if not await connection.fetchval(self._queries["take_turn"]):
                yield None
                return
            try:
                yield connection
            finally:
                # A connection that is lost has given it back already.
                if not connection.is_closed():
                    await connection.execute(self._queries["give_turn_back"])


def _keys(rows: Sequence[asyncpg.Record]) -> list[ConversationKey]:
    return [ConversationKey(row["workspace_id"], row["id"]) for row in rows]


def _erased(row: asyncpg.Record) -> Erased:
    rings = summary_in(row).rings
    agents = tuple(dict.fromkeys(ring.agent_id for ring in rings))
    return Erased(ConversationId(row["id"]), agents)
