"""The table of conversation events."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One append-only table; a conversation is read by its index, in the order of the log."""
    op.execute(
        """
        CREATE TABLE conversation_events (
            id text PRIMARY KEY,
            workspace_id text NOT NULL,
            conversation_id text NOT NULL,
            type text NOT NULL,
            occurred_at timestamptz NOT NULL,
            log_topic text NOT NULL,
            log_partition integer NOT NULL,
            log_offset bigint NOT NULL,
            data jsonb NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE INDEX conversation_events_of_conversation
        ON conversation_events (workspace_id, conversation_id, log_offset)
        """
    )
    op.execute(
        """
        COMMENT ON TABLE conversation_events IS
        'Every event of every conversation, as the log told it; order by log_offset, never by time'
        """
    )


def downgrade() -> None:
    """Forget everything; the log still has it."""
    op.execute("DROP TABLE conversation_events")
