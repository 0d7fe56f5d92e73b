-- The queries of retention and erasure. A name, what it promises, the statement; up to the next name.

-- take_turn --
-- Whether it is this session's turn to keep house: one at a time, until the session gives it back.
SELECT pg_try_advisory_lock(hashtext('rondo history housekeeping'))

-- give_turn_back --
-- Lets another session keep house.
SELECT pg_advisory_unlock(hashtext('rondo history housekeeping'))

-- partitions --
-- Every partition of events and texts, with the moment its range ends.
SELECT child.relname AS name,
    substring(pg_get_expr(child.relpartbound, child.oid) FROM $$TO \('([^']+)'\)$$)::timestamptz AS ends_at
FROM pg_inherits
JOIN pg_class AS child ON child.oid = inhrelid
WHERE inhparent IN ('conversation_events'::regclass, 'message_texts'::regclass)
ORDER BY ends_at, name

-- is_needed --
-- Whether a conversation that is kept has events before a moment. Arguments: that moment, and the latest
-- moment of conversations that are past everybody's retention.
SELECT EXISTS (SELECT FROM conversations WHERE first_at < $1 AND last_at >= $2)

-- drop_partition --
-- Drops a partition. Argument: its name.
SELECT drop_history_partition($1)

-- expired --
-- Some conversations of one workspace whose last event was before a moment, held.
-- Arguments: workspace, moment, how many.
SELECT workspace_id, id FROM conversations
WHERE workspace_id = $1 AND last_at < $2 AND (requested_at < $2 OR requested_at IS NULL)
ORDER BY workspace_id, id
LIMIT $3
FOR UPDATE SKIP LOCKED

-- expired_of_others --
-- The same, of workspaces that are not among some. Arguments: those, moment, how many.
SELECT workspace_id, id FROM conversations
WHERE NOT workspace_id = ANY ($1::text[]) AND last_at < $2
ORDER BY workspace_id, id
LIMIT $3
FOR UPDATE SKIP LOCKED

-- to_erase --
-- Some conversations of a visitor that are not erased yet, held. Arguments: workspace, visitor, how many.
SELECT workspace_id, id, data FROM conversations
WHERE workspace_id = $1 AND visitor_id = $2 AND erased_by IS NULL
ORDER BY workspace_id, id
LIMIT $3
FOR UPDATE

-- erased_by --
-- Every conversation that one event had erased. Arguments: workspace, event.
SELECT id, data FROM conversations WHERE workspace_id = $1 AND erased_by = $2 ORDER BY id

-- delete_events --
-- Deletes the events of conversations. Arrays: workspace, conversation.
DELETE FROM conversation_events
WHERE (workspace_id, conversation_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))

-- delete_texts --
-- Deletes what is searched of conversations. Arrays: workspace, conversation.
DELETE FROM message_texts
WHERE (workspace_id, conversation_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))

-- delete_mails --
-- Deletes the mails of conversations. Arrays: workspace, conversation.
DELETE FROM transcript_mails
WHERE (workspace_id, conversation_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))

-- delete_summaries --
-- Deletes conversations. Arrays: workspace, conversation.
DELETE FROM conversations WHERE (workspace_id, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
