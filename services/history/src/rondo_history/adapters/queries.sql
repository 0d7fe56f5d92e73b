-- Every query of the history's archive. A name, what it promises, the statement; up to the next name.

-- add_month --
-- Makes the partitions of the month that begins on a day. Nothing happens when they are there.
SELECT add_history_month($1::date)

-- open_summaries --
-- Adds an empty summary for each conversation that has none, and gives those. Always in the same order,
-- so that two batches cannot wait for each other. Arrays: workspace, conversation.
INSERT INTO conversations (workspace_id, id)
SELECT DISTINCT workspace_id, id FROM unnest($1::text[], $2::text[]) AS opened (workspace_id, id)
ORDER BY workspace_id, id
ON CONFLICT DO NOTHING
RETURNING workspace_id, id

-- lock_summaries --
-- The summaries of conversations, held until the transaction ends. Arrays: workspace, conversation.
SELECT workspace_id, id, data FROM conversations
WHERE (workspace_id, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
ORDER BY workspace_id, id
FOR UPDATE

-- keep_facts --
-- Keeps one row for each element of the arrays, and gives the ids of those that were new. An id that is
-- known stays as it is, also when two elements share it: the same event always has the same time.
-- Arrays: id, workspace, conversation, type, time, topic, partition, offset, JSON.
INSERT INTO conversation_events (
    id, workspace_id, conversation_id, type, occurred_at, log_topic, log_partition, log_offset, data
)
SELECT id, workspace_id, conversation_id, type, occurred_at, log_topic, log_partition, log_offset, data::jsonb
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[],
    $6::text[], $7::integer[], $8::bigint[], $9::text[]
) AS fact (
    id, workspace_id, conversation_id, type, occurred_at, log_topic, log_partition, log_offset, data
)
ON CONFLICT (id, occurred_at) DO NOTHING
RETURNING id

-- keep_texts --
-- Keeps what messages said, for search. Arrays: workspace, conversation, event, time, folded text, grams.
INSERT INTO message_texts (workspace_id, conversation_id, id, occurred_at, folded, grams)
SELECT workspace_id, conversation_id, id, occurred_at, folded, grams::bigint[]
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[])
AS said (workspace_id, conversation_id, id, occurred_at, folded, grams)
ON CONFLICT DO NOTHING

-- keep_mails --
-- Notes transcripts to be sent. Arrays: event, workspace, conversation, recipient, zone, time.
INSERT INTO transcript_mails (
    id, workspace_id, conversation_id, recipient, time_zone, requested_at, next_at
)
SELECT id, workspace_id, conversation_id, recipient, time_zone, requested_at, requested_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
AS asked (id, workspace_id, conversation_id, recipient, time_zone, requested_at)
ON CONFLICT DO NOTHING

-- write_summaries --
-- Writes summaries that are there already. One array of JSON objects with the columns' values.
UPDATE conversations AS known SET
    status = new.status,
    visitor_id = new.visitor_id,
    agent_ids = new.agent_ids,
    requested_at = new.requested_at,
    first_at = new.first_at,
    last_at = new.last_at,
    log_offset = new.log_offset,
    message_count = new.message_count,
    last_message_at = new.last_message_at,
    route = new.route,
    team_id = new.team_id,
    queued_at = new.queued_at,
    dequeued_at = new.dequeued_at,
    accepted_at = new.accepted_at,
    accepted_by = new.accepted_by,
    responded_at = new.responded_at,
    closed_at = new.closed_at,
    end_reason = new.end_reason,
    fallback_reason = new.fallback_reason,
    rings = new.rings,
    rating_score = new.rating_score,
    rated_agent_id = new.rated_agent_id,
    erased_by = new.erased_by,
    data = new.data
FROM unnest($1::text[]) AS text,
LATERAL jsonb_populate_record(NULL::conversations, text::jsonb) AS new
WHERE known.workspace_id = new.workspace_id AND known.id = new.id

-- note_progress --
-- Notes the last record of a partition whose effects are all here. Arguments: topic, partition, offset.
INSERT INTO log_progress (topic, partition, log_offset) VALUES ($1, $2, $3)
ON CONFLICT (topic, partition) DO UPDATE
SET log_offset = greatest(log_progress.log_offset, excluded.log_offset)

-- has_read --
-- Whether a partition was read to an offset. Arguments: topic, partition, offset.
SELECT EXISTS (SELECT FROM log_progress WHERE topic = $1 AND partition = $2 AND log_offset >= $3)

-- has_reached --
-- Whether one conversation was folded to an offset of its partition. Arguments: workspace, conversation,
-- offset.
SELECT EXISTS (SELECT FROM conversations WHERE workspace_id = $1 AND id = $2 AND log_offset >= $3)

-- facts_of_conversations --
-- All rows of some conversations, whenever they happened, but those with some ids.
-- Arrays: workspace, conversation, id.
SELECT id, workspace_id, conversation_id, type, occurred_at, log_topic, log_partition, log_offset, data
FROM conversation_events
WHERE (workspace_id, conversation_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
AND id <> ALL ($3::text[])

-- facts_of_conversation --
-- All rows of one conversation, from the months it was in. Arguments: workspace, conversation.
SELECT event.id, event.workspace_id, type, occurred_at, log_topic, log_partition, event.log_offset, event.data
FROM conversations AS known
JOIN conversation_events AS event
ON event.workspace_id = known.workspace_id AND event.conversation_id = known.id
AND event.occurred_at BETWEEN known.first_at AND known.last_at
WHERE known.workspace_id = $1 AND known.id = $2

-- steps_of_conversation --
-- As facts_of_conversation, without some types. Arguments: workspace, conversation, types.
SELECT event.id, event.workspace_id, type, occurred_at, log_topic, log_partition, event.log_offset, event.data
FROM conversations AS known
JOIN conversation_events AS event
ON event.workspace_id = known.workspace_id AND event.conversation_id = known.id
AND event.occurred_at BETWEEN known.first_at AND known.last_at
WHERE known.workspace_id = $1 AND known.id = $2 AND NOT type = ANY ($3::text[])

-- messages_of_conversation --
-- One conversation's rows of one type behind a log offset, by offset. They share one partition.
-- Arguments: workspace, conversation, type, offset, how many at most.
SELECT event.id, event.workspace_id, type, occurred_at, log_topic, log_partition, event.log_offset, event.data
FROM conversations AS known
JOIN conversation_events AS event
ON event.workspace_id = known.workspace_id AND event.conversation_id = known.id
AND event.occurred_at BETWEEN known.first_at AND known.last_at
WHERE known.workspace_id = $1 AND known.id = $2 AND type = $3 AND event.log_offset > $4
ORDER BY event.log_offset
LIMIT $5

-- latest_messages_of_conversation --
-- As messages_of_conversation, but before a log offset and the last one first.
-- Arguments: workspace, conversation, type, offset, how many at most.
SELECT event.id, event.workspace_id, type, occurred_at, log_topic, log_partition, event.log_offset, event.data
FROM conversations AS known
JOIN conversation_events AS event
ON event.workspace_id = known.workspace_id AND event.conversation_id = known.id
AND event.occurred_at BETWEEN known.first_at AND known.last_at
WHERE known.workspace_id = $1 AND known.id = $2 AND type = $3 AND event.log_offset < $4
ORDER BY event.log_offset DESC
LIMIT $5

-- summary_of --
-- One conversation's summary. Arguments: workspace, conversation.
SELECT id, data FROM conversations
WHERE workspace_id = $1 AND id = $2 AND visitor_id IS NOT NULL AND erased_by IS NULL

-- conversations_saying --
-- The conversations of messages that hold some grams and all patterns, at most so many messages.
-- Arguments: workspace, grams, patterns, how many.
SELECT conversation_id FROM message_texts
WHERE workspace_id = $1 AND grams @> $2::bigint[] AND folded LIKE ALL ($3::text[])
LIMIT $4

-- list_conversations --
-- Known conversations, newest first. Arguments, null where they do not matter: workspace, status, agent,
-- another agent, visitor, requested from, requested before, behind this time and id, these ids only,
-- patterns that one message holds, how many at most.
SELECT id, data FROM conversations AS known
WHERE workspace_id = $1
AND visitor_id IS NOT NULL
AND erased_by IS NULL
AND ($2::text IS NULL OR status = $2)
AND ($3::text IS NULL OR agent_ids @> ARRAY[$3])
AND ($4::text IS NULL OR agent_ids @> ARRAY[$4])
AND ($5::text IS NULL OR visitor_id = $5)
AND ($6::timestamptz IS NULL OR requested_at >= $6)
AND ($7::timestamptz IS NULL OR requested_at < $7)
AND ($8::timestamptz IS NULL OR (requested_at, id) < ($8, $9::text))
AND ($10::text[] IS NULL OR id = ANY ($10))
AND (
    $11::text[] IS NULL OR EXISTS (
        SELECT FROM message_texts AS said
        WHERE said.workspace_id = known.workspace_id AND said.conversation_id = known.id
        AND said.occurred_at BETWEEN known.first_at AND known.last_at
        AND said.folded LIKE ALL ($11)
        OFFSET 0
    )
)
ORDER BY requested_at DESC, id DESC
LIMIT $12

-- not_summarised --
-- Conversations of the first partition, which version 0001 wrote, that have no summary. Argument: how many.
SELECT DISTINCT workspace_id, conversation_id FROM conversation_events_before AS event
WHERE NOT EXISTS (
    SELECT FROM conversations AS known
    WHERE known.workspace_id = event.workspace_id AND known.id = event.conversation_id
)
LIMIT $1

-- is_usable --
-- Succeeds when the server answers and has the tables of this version.
SELECT count(*) FROM (SELECT FROM conversations LIMIT 1) AS any_row
