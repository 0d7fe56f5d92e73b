"""Events by month, and beside them what lists, searches, reports, emails and erasures are made from.

The table of version 0001 becomes the first partition, with its rows where they are. A history of the
version before cannot write meanwhile (its ``ON CONFLICT`` names a key that is gone): it waits, visibly,
and goes on answering, until the new one takes its partitions over.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put the months under one roof, then the tables beside it."""
    for statement in (*_EVENTS, *_TEXTS, *_CONVERSATIONS, *_MAILS, *_PROGRESS, *_MONTHS, *_FIRST_MONTHS):
        op.execute(statement)


def downgrade() -> None:
    """Back to one table, with every event in it."""
    for statement in _DOWNGRADE:
        op.execute(statement)


_EVENTS = (
    "ALTER TABLE conversation_events RENAME TO conversation_events_before",
    """
    ALTER TABLE conversation_events_before
    RENAME CONSTRAINT conversation_events_pkey TO conversation_events_before_id
    """,
    "ALTER INDEX conversation_events_of_conversation RENAME TO conversation_events_before_of_conversation",
    """
    CREATE TABLE conversation_events (
        id text NOT NULL,
        workspace_id text NOT NULL,
        conversation_id text NOT NULL,
        type text NOT NULL,
        occurred_at timestamptz NOT NULL,
        log_topic text NOT NULL,
        log_partition integer NOT NULL,
        log_offset bigint NOT NULL,
        data jsonb NOT NULL,
        PRIMARY KEY (id, occurred_at)
    ) PARTITION BY RANGE (occurred_at)
    """,
    """
    CREATE INDEX conversation_events_of_conversation
    ON conversation_events (workspace_id, conversation_id, log_offset)
    """,
    """
    COMMENT ON TABLE conversation_events IS
    'Every event of every conversation, as the log told it; order by log_offset, never by time'
    """,
    # The primary key that every partition has takes the place of the old one.
    "ALTER TABLE conversation_events_before DROP CONSTRAINT conversation_events_before_id",
    "ALTER TABLE conversation_events_before ADD PRIMARY KEY (id, occurred_at)",
)

_TEXTS = (
    """
    CREATE TABLE message_texts (
        workspace_id text NOT NULL,
        conversation_id text NOT NULL,
        id text NOT NULL,
        occurred_at timestamptz NOT NULL,
        folded text NOT NULL,
        grams bigint[] NOT NULL,
        PRIMARY KEY (workspace_id, conversation_id, id, occurred_at)
    ) PARTITION BY RANGE (occurred_at)
    """,
    """
    CREATE INDEX message_texts_grams ON message_texts
    USING gin (grams) WITH (fastupdate = on, gin_pending_list_limit = 16384)
    """,
    """
    COMMENT ON TABLE message_texts IS
    'What was said, folded for search: without case and accents, with the grams it is found by'
    """,
)

_CONVERSATIONS = (
    """
    CREATE TABLE conversations (
        workspace_id text NOT NULL,
        id text NOT NULL,
        status text NOT NULL DEFAULT 'requested',
        visitor_id text,
        agent_ids text[] NOT NULL DEFAULT '{}',
        requested_at timestamptz,
        first_at timestamptz,
        last_at timestamptz,
        log_offset bigint NOT NULL DEFAULT -1,
        message_count integer NOT NULL DEFAULT 0,
        last_message_at timestamptz,
        route text,
        team_id text,
        queued_at timestamptz,
        dequeued_at timestamptz,
        accepted_at timestamptz,
        accepted_by text,
        responded_at timestamptz,
        closed_at timestamptz,
        end_reason text,
        fallback_reason text,
        rings jsonb NOT NULL DEFAULT '[]',
        erased_by text,
        data jsonb NOT NULL DEFAULT '{}',
        PRIMARY KEY (workspace_id, id)
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX conversations_newest ON conversations (workspace_id, requested_at DESC, id DESC)",
    """
    CREATE INDEX conversations_by_status
    ON conversations (workspace_id, status, requested_at DESC, id DESC)
    """,
    """
    CREATE INDEX conversations_by_visitor
    ON conversations (workspace_id, visitor_id, requested_at DESC, id DESC)
    """,
    "CREATE INDEX conversations_by_agent ON conversations USING gin (agent_ids)",
    """
    CREATE INDEX conversations_erased
    ON conversations (workspace_id, erased_by) WHERE erased_by IS NOT NULL
    """,
    """
    COMMENT ON TABLE conversations IS
    'One row a conversation, folded from its events and made anew from them at any time; data is all of it'
    """,
)

_MAILS = (
    """
    CREATE TABLE transcript_mails (
        id text PRIMARY KEY,
        workspace_id text NOT NULL,
        conversation_id text NOT NULL,
        recipient text NOT NULL,
        time_zone text NOT NULL,
        requested_at timestamptz NOT NULL,
        state text NOT NULL DEFAULT 'waiting',
        attempts integer NOT NULL DEFAULT 0,
        next_at timestamptz NOT NULL,
        error text
    )
    """,
    "CREATE INDEX transcript_mails_due ON transcript_mails (next_at) WHERE state = 'waiting'",
    """
    CREATE INDEX transcript_mails_of_conversation ON transcript_mails (workspace_id, conversation_id)
    """,
)

_PROGRESS = (
    """
    CREATE TABLE log_progress (
        topic text NOT NULL,
        partition integer NOT NULL,
        log_offset bigint NOT NULL,
        PRIMARY KEY (topic, partition)
    ) WITH (fillfactor = 10)
    """,
    "COMMENT ON TABLE log_progress IS 'The last record of each partition whose effects are all here'",
)

_MONTHS = (
    # Made by the owner's rights, so that the role that runs the history need own no table.
    """
    CREATE FUNCTION add_history_month(first_day date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    DECLARE
        root text;
        month text := to_char(first_day, 'YYYYMM');
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('rondo history months'));
        FOREACH root IN ARRAY ARRAY['conversation_events', 'message_texts'] LOOP
            CONTINUE WHEN to_regclass(root || '_' || month) IS NOT NULL;
            BEGIN
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS)', root || '_' || month, root);
                EXECUTE format(
                    'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                    root, root || '_' || month,
                    first_day::timestamp AT TIME ZONE 'UTC',
                    (first_day + interval '1 month')::timestamp AT TIME ZONE 'UTC'
                );
            EXCEPTION WHEN invalid_object_definition THEN
                NULL;  -- A wider partition has that month already.
            END;
        END LOOP;
    END $$
    """,
    """
    CREATE FUNCTION drop_history_partition(name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    BEGIN
        PERFORM FROM pg_inherits
        WHERE inhrelid = to_regclass(name)
        AND inhparent IN ('conversation_events'::regclass, 'message_texts'::regclass);
        IF FOUND THEN
            EXECUTE format('DROP TABLE %I', name);
        END IF;
    END $$
    """,
)

_FIRST_MONTHS = (
    """
    DO $$
    DECLARE
        newest timestamptz := (SELECT max(occurred_at) FROM conversation_events_before);
        upto date := date_trunc('month', newest AT TIME ZONE 'UTC') + interval '1 month';
        month date := date_trunc('month', now() AT TIME ZONE 'UTC');
    BEGIN
        IF newest IS NULL THEN
            DROP TABLE conversation_events_before;
        ELSE
            EXECUTE format(
                'ALTER TABLE conversation_events ATTACH PARTITION conversation_events_before'
                ' FOR VALUES FROM (MINVALUE) TO (%L)',
                upto::timestamp AT TIME ZONE 'UTC'
            );
        END IF;
        FOR step IN 0..2 LOOP  -- This month, and two ahead.
            PERFORM add_history_month((month + step * interval '1 month')::date);
        END LOOP;
    END $$
    """,
)

_DOWNGRADE = (
    "DROP FUNCTION drop_history_partition(text)",
    "DROP FUNCTION add_history_month(date)",
    "DROP TABLE log_progress",
    "DROP TABLE transcript_mails",
    "DROP TABLE conversations",
    "DROP TABLE message_texts",
    "ALTER TABLE conversation_events RENAME TO conversation_events_by_month",
    "ALTER INDEX conversation_events_of_conversation RENAME TO conversation_events_by_month_index",
    "ALTER INDEX conversation_events_pkey RENAME TO conversation_events_by_month_key",
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
    """,
    "INSERT INTO conversation_events SELECT * FROM conversation_events_by_month ON CONFLICT DO NOTHING",
    "DROP TABLE conversation_events_by_month",
    """
    CREATE INDEX conversation_events_of_conversation
    ON conversation_events (workspace_id, conversation_id, log_offset)
    """,
)
