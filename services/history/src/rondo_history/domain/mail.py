"""Transcripts by email: when they are tried again, and when no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rondo_common.ids import ConversationId, EventId, WorkspaceId

ATTEMPTS_MAX = 12
RETRY_DELAY_S_MIN = 10
RETRY_DELAY_S_MAX = 3_600


@dataclass(frozen=True, slots=True)
class TranscriptMail:
    """A transcript that somebody wants by email. ``attempts`` counts this one."""

    id: EventId
    workspace_id: WorkspaceId
    conversation_id: ConversationId
    recipient: str
    time_zone: str
    attempts: int


def next_attempt(mail: TranscriptMail, now: datetime) -> datetime | None:
    """When it is tried again after it failed for now; None when it has been tried often enough."""
    if mail.attempts >= ATTEMPTS_MAX:
        return None
    delay_s = min(RETRY_DELAY_S_MIN * 2 ** (mail.attempts - 1), RETRY_DELAY_S_MAX)
    return now + timedelta(seconds=delay_s)
