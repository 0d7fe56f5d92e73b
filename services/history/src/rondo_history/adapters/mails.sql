-- The queries of the transcripts by email. A name, what it promises, the statement; up to the next name.

-- claim_due --
-- Takes mails that are due, for a while in which nobody else does. Arguments: now, until when, how many.
UPDATE transcript_mails SET attempts = attempts + 1, next_at = $2
WHERE id IN (
    SELECT id FROM transcript_mails WHERE state = 'waiting' AND next_at <= $1
    ORDER BY next_at LIMIT $3
    FOR UPDATE SKIP LOCKED
)
RETURNING id, workspace_id, conversation_id, recipient, time_zone, attempts

-- settle --
-- Notes what became of a mail; whom it went to is no longer needed. Arguments: id, state, error.
UPDATE transcript_mails SET state = $2, error = $3, recipient = '' WHERE id = $1

-- postpone --
-- Has a mail tried again. Arguments: id, when, error.
UPDATE transcript_mails SET next_at = $2, error = $3 WHERE id = $1
