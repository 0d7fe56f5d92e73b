"""The functions with their owner's rights, made safe to call for a role that is not the owner.

They look for names where the schema is, and for temporary tables last: before, whoever called them could
put a table of their own in front. They can be called by those who write events, and by nobody else. The
version before calls them as it did.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Fix where they look, and who may call them. No table is touched."""
    op.execute(_UPGRADE)


def downgrade() -> None:
    """Everybody may call them again; where they look stays fixed."""
    op.execute("GRANT EXECUTE ON FUNCTION add_history_month(date) TO PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION drop_history_partition(text) TO PUBLIC")


_UPGRADE = """
DO $$
DECLARE
    called regprocedure;
    writer text;
BEGIN
    FOREACH called IN ARRAY
        ARRAY['add_history_month(date)', 'drop_history_partition(text)']::regprocedure[]
    LOOP
        EXECUTE format(
            'ALTER FUNCTION %s SET search_path = %I, pg_temp', called, current_schema()
        );
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', called);
        FOR writer IN
            SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END
            FROM pg_class, aclexplode(relacl)
            WHERE pg_class.oid = 'conversation_events'::regclass AND privilege_type = 'INSERT'
        LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', called, writer);
        END LOOP;
    END LOOP;
END $$
"""
