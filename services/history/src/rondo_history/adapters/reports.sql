-- The queries of the reports. A name, what it promises, the statement; up to the next name.

-- live_chat --
-- One row a group, by name. Arguments: workspace, from, to, time zone, grouping.
WITH asked AS MATERIALIZED (
    SELECT * FROM conversations
    WHERE workspace_id = $1 AND visitor_id IS NOT NULL AND requested_at >= $2 AND requested_at < $3
),
rung AS MATERIALIZED (
    SELECT asked.id, ring.agent_id, ring.outcome, asked.requested_at, asked.route, asked.team_id,
        CASE WHEN ring.pool LIKE 'team:%' THEN substr(ring.pool, 6) END AS pool_team_id
    FROM asked,
    LATERAL jsonb_to_recordset(asked.rings) AS ring (agent_id text, outcome text, pool text)
),
members AS (  -- Which conversations are in which group, each once.
    SELECT $1 AS name, id FROM asked WHERE $5 = 'workspace'
    UNION SELECT agent_id, id FROM rung WHERE $5 = 'agent'
    UNION SELECT pool_team_id, id FROM rung WHERE $5 = 'team' AND pool_team_id IS NOT NULL
    UNION SELECT team_id, id FROM asked WHERE $5 = 'team' AND team_id IS NOT NULL
    UNION SELECT to_char(requested_at AT TIME ZONE $4, 'YYYY-MM-DD'), id FROM asked WHERE $5 = 'day'
    UNION SELECT route, id FROM asked WHERE $5 = 'route'
),
offers AS (  -- Each offer in the groups it counts for.
    SELECT name, count(*) AS offered,
        count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
        count(*) FILTER (WHERE outcome = 'timed_out') AS missed,
        count(*) FILTER (WHERE outcome = 'declined') AS declined
    FROM (
        SELECT outcome, CASE $5
            WHEN 'workspace' THEN $1
            WHEN 'agent' THEN agent_id
            WHEN 'team' THEN pool_team_id
            WHEN 'day' THEN to_char(requested_at AT TIME ZONE $4, 'YYYY-MM-DD')
            WHEN 'route' THEN route
        END AS name
        FROM rung
    ) AS named
    WHERE name IS NOT NULL
    GROUP BY name
),
reasons AS (
    SELECT name, jsonb_object_agg(fallback_reason, times) AS fell_back
    FROM (
        SELECT name, fallback_reason, count(*) AS times
        FROM members JOIN asked USING (id)
        WHERE fallback_reason IS NOT NULL
        GROUP BY name, fallback_reason
    ) AS counted
    GROUP BY name
),
measured AS (
    SELECT members.name, asked.status,
        extract(epoch FROM asked.dequeued_at - asked.queued_at)::float8 AS queue_wait_s,
        CASE WHEN $5 <> 'agent' OR asked.accepted_by = members.name
            THEN extract(epoch FROM asked.responded_at - asked.accepted_at)::float8
        END AS first_response_s,
        CASE WHEN asked.status = 'ended' AND ($5 <> 'agent' OR asked.accepted_by = members.name)
            THEN extract(epoch FROM asked.closed_at - asked.accepted_at)::float8
        END AS handling_s,
        CASE WHEN $5 <> 'agent' OR asked.rated_agent_id = members.name THEN asked.rating_score END AS score
    FROM members JOIN asked USING (id)
),
figures AS (
    SELECT name, count(*) AS requested,
        count(*) FILTER (WHERE status = 'withdrawn') AS withdrawn,
        percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY queue_wait_s) AS queue_wait_s,
        percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY first_response_s) AS first_response_s,
        percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY handling_s) AS handling_s,
        count(score) AS rating_count, avg(score)::float8 AS rating_average
    FROM measured
    GROUP BY name
)
SELECT name, requested, withdrawn, queue_wait_s, first_response_s, handling_s,
    rating_count, rating_average,
    coalesce(offered, 0) AS offered, coalesce(accepted, 0) AS accepted,
    coalesce(missed, 0) AS missed, coalesce(declined, 0) AS declined,
    coalesce(fell_back, '{}') AS fell_back
FROM figures LEFT JOIN offers USING (name) LEFT JOIN reasons USING (name)
ORDER BY name COLLATE "C"
