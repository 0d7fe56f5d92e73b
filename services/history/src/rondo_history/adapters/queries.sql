-- Every query of the history. A name, what it promises, the statement; up to the next name.

-- keep_facts --
-- Keeps one row for each element of the arrays. An id that is known stays as it is, also when two
-- elements share it. Arrays: id, workspace, conversation, type, time, topic, partition, offset, JSON.
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
ON CONFLICT (id) DO NOTHING

-- facts_of_conversation --
-- All rows of one conversation. Arguments: workspace, conversation.
SELECT id, workspace_id, type, occurred_at, log_topic, log_partition, log_offset, data
FROM conversation_events
WHERE workspace_id = $1 AND conversation_id = $2

-- messages_of_conversation --
-- One conversation's rows of one type behind a log offset, by offset. They share one partition.
-- Arguments: workspace, conversation, type, offset, how many at most.
SELECT id, workspace_id, type, occurred_at, log_topic, log_partition, log_offset, data
FROM conversation_events
WHERE workspace_id = $1 AND conversation_id = $2 AND type = $3 AND log_offset > $4
ORDER BY log_offset
LIMIT $5

-- has_reached --
-- Whether one conversation has a row of a topic at a log offset or behind it.
-- Arguments: workspace, conversation, topic, offset.
SELECT EXISTS (
    SELECT FROM conversation_events
    WHERE workspace_id = $1 AND conversation_id = $2 AND log_topic = $3 AND log_offset >= $4
)

-- is_usable --
-- Succeeds when the server answers and has the table.
SELECT count(*) FROM (SELECT FROM conversation_events LIMIT 1) AS any_row
