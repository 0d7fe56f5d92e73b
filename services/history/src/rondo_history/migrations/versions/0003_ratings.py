"""Ratings, for the reports. Nullable columns: the version before goes on writing without them."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them. No row is rewritten."""
    op.execute("ALTER TABLE conversations ADD COLUMN rating_score smallint, ADD COLUMN rated_agent_id text")


def downgrade() -> None:
    """Without the columns; the ratings stay in the events and in ``data``."""
    op.execute("ALTER TABLE conversations DROP COLUMN rating_score, DROP COLUMN rated_agent_id")
