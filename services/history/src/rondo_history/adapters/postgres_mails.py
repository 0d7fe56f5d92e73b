"""The mails to be sent, in PostgreSQL: noted with the event that asked for them, so that none is lost."""

from __future__ import annotations

from datetime import datetime, timedelta

from rondo_common.ids import ConversationId, EventId, WorkspaceId
from rondo_history.adapters.postgres import Pool, connected
from rondo_history.adapters.queries import read_queries
from rondo_history.domain.mail import TranscriptMail

CLAIMED_S = 120
"""Far longer than sending takes: whoever claimed a mail and died gives it up after that."""
CLAIMED_AT_ONCE = 5


class PostgresMails:
    """See :class:`rondo_history.ports.Mails`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._queries = read_queries("mails.sql")

    async def claim_due(self, now: datetime) -> list[TranscriptMail]:
        """See :class:`Mails`."""
        arguments = (now, now + timedelta(seconds=CLAIMED_S), CLAIMED_AT_ONCE)
        async with connected(self._pool) as connection:
            rows = await connection.fetch(self._queries["claim_due"], *arguments)
        return [
            TranscriptMail(
                id=EventId(row["id"]),
                workspace_id=WorkspaceId(row["workspace_id"]),
                conversation_id=ConversationId(row["conversation_id"]),
                recipient=row["recipient"],
                time_zone=row["time_zone"],
                attempts=row["attempts"],
            )
            for row in rows
        ]

    async def settle(self, mail: TranscriptMail, *, error: str | None = None) -> None:
        """See :class:`Mails`."""
        state = "sent" if error is None else "failed"
        async with connected(self._pool) as connection:
            await connection.execute(self._queries["settle"], mail.id, state, error)

    async def postpone(self, mail: TranscriptMail, until: datetime, error: str) -> None:
        """See :class:`Mails`."""
        async with connected(self._pool) as connection:
            await connection.execute(self._queries["postpone"], mail.id, until, error)
