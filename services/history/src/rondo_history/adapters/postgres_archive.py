"""The archive in PostgreSQL: one append-only table, a batch in one statement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import asyncpg

from rondo_common.errors import Unavailable
from rondo_common.events import EVENT_TYPES, ConversationEvent, MessagePosted
from rondo_common.ids import ConversationId, EventId, WorkspaceId
from rondo_common.topics import CONVERSATIONS
from rondo_history.adapters.queries import read_queries
from rondo_history.domain.fact import Fact, Place

CONNECTIONS_MAX = 10
CONNECT_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 5.0

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

_BAD_DATA = (asyncpg.DataError, asyncpg.ProgramLimitExceededError)
"""What a server answers when a fact itself cannot be kept. Everything else is about the server."""


@asynccontextmanager
async def open_pool(dsn: str) -> AsyncIterator[Pool]:
    """Connections to PostgreSQL, made when they are needed: the server may come later."""
    pool = await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=CONNECTIONS_MAX,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=COMMAND_TIMEOUT_S,
    )
    try:
        yield pool
    finally:
        with suppress(TimeoutError):  # A server that hangs must not keep the process.
            await asyncio.wait_for(pool.close(), CLOSE_TIMEOUT_S)


class PostgresArchive:
    """See :class:`rondo_history.ports.Archive`.

    A batch with a fact that PostgreSQL can never take raises the error PostgreSQL gave; the consumer
    loop then finds the one, and the others are kept.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._queries = read_queries()

    async def keep(self, facts: Sequence[Fact]) -> None:
        """See :class:`Archive`."""
        columns = zip(*(_row(fact) for fact in facts), strict=True)
        async with self._connection() as connection:
            await connection.execute(self._queries["keep_facts"], *columns)

    async def facts_of(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> list[Fact]:
        """See :class:`Archive`."""
        query = self._queries["facts_of_conversation"]
        async with self._connection() as connection:
            return _facts(await connection.fetch(query, workspace_id, conversation_id))

    async def messages_of(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, after: int, limit: int
    ) -> list[Fact]:
        """See :class:`Archive`."""
        query = self._queries["messages_of_conversation"]
        arguments = (workspace_id, conversation_id, MessagePosted.TYPE, after, limit)
        async with self._connection() as connection:
            return _facts(await connection.fetch(query, *arguments))

    async def has_reached(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, offset: int
    ) -> bool:
        """See :class:`Archive`."""
        query = self._queries["has_reached"]
        arguments = (workspace_id, conversation_id, CONVERSATIONS.name, offset)
        async with self._connection() as connection:
            return bool(await connection.fetchval(query, *arguments))

    async def check(self) -> None:
        """A health check: raises ``Unavailable`` unless the archive can be used."""
        async with self._connection() as connection:
            await connection.fetchval(self._queries["is_usable"])

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """A connection; whatever goes wrong with it or the server is ``Unavailable``."""
        try:
            async with self._pool.acquire(timeout=CONNECT_TIMEOUT_S) as connection:
                yield connection
        except _BAD_DATA:
            raise
        except asyncpg.UndefinedTableError as error:
            reason = "its tables are missing; run python -m rondo_history migrate"
            raise Unavailable("postgresql", reason) from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            raise Unavailable("postgresql", str(error) or "no answer in time") from error


def _row(fact: Fact) -> tuple[object, ...]:
    """The values of ``keep_facts``, in its order."""
    return (
        fact.id,
        fact.workspace_id,
        fact.conversation_id,
        fact.event.TYPE,
        fact.occurred_at,
        fact.place.topic,
        fact.place.partition,
        fact.place.offset,
        fact.event.model_dump_json(exclude_none=True),
    )


def _facts(rows: Sequence[asyncpg.Record]) -> list[Fact]:
    """The facts in ``rows``; a type only a newer version knows is left out."""
    return [_fact(row, model) for row in rows if (model := _model(row["type"])) is not None]


def _model(event_type: str) -> type[ConversationEvent] | None:
    model = EVENT_TYPES.get(event_type)
    return model if model is not None and issubclass(model, ConversationEvent) else None


def _fact(row: asyncpg.Record, model: type[ConversationEvent]) -> Fact:
    return Fact(
        id=EventId(row["id"]),
        workspace_id=WorkspaceId(row["workspace_id"]),
        occurred_at=row["occurred_at"],
        place=Place(row["log_topic"], row["log_partition"], row["log_offset"]),
        event=model.model_validate_json(row["data"], extra="ignore"),
    )
