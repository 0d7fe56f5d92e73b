"""What people are emailed about, pure: who is told of what, and one mail for what came together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from rondo_common.conversation import EndReason, Value
from rondo_common.directory.entries import AgentEntry
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AssignmentTimedOut,
    ChatEnded,
    CoverageAlarmRaised,
    CoverageLost,
    Event,
    WebhookDisabled,
)
from rondo_common.ids import AgentId, ConversationId, EventId, WorkspaceId
from rondo_common.permissions import Permission

MAIL_AGE_S_MAX = 24 * 60 * 60
"""What is older when it is read is no news to anybody."""


class MailKind(StrEnum):
    """What somebody is emailed about; each has a template of its name."""

    MISSED_CHAT = "missed_chat"
    AGENT_LOST = "agent_lost"
    COVERAGE_ALARM = "coverage_alarm"
    WEBHOOK_DISABLED = "webhook_disabled"


URGENT = frozenset({MailKind.COVERAGE_ALARM})
"""What is not gathered with other news, but sent at once."""


class News(Value):
    """One thing that one agent is to be emailed about."""

    id: EventId
    workspace_id: WorkspaceId
    agent_id: AgentId
    kind: MailKind
    at: datetime
    conversation_id: ConversationId | None = None
    detail: str = ""


def news_of(envelope: Envelope[Event], found: WorkspaceDirectory, now: datetime) -> list[News]:
    """Whom an event is news to by email, among those who want that."""
    if (now - envelope.time).total_seconds() > MAIL_AGE_S_MAX:
        return []
    match envelope.event:
        case AssignmentTimedOut(agent_id=agent_id, conversation_id=conversation_id):
            return _to(_named(found, agent_id), envelope, MailKind.MISSED_CHAT, conversation_id)
        case ChatEnded(reason=EndReason.AGENT_LOST, agent_id=agent_id, conversation_id=conversation_id):
            detail = f"a chat was ended, because its agent {agent_id} is not there any more"
            admins = found.agents_with(Permission.ADMIN_AGENTS)
            return _to(admins, envelope, MailKind.AGENT_LOST, conversation_id, detail)
        case CoverageLost(agent_id=agent_id, conversation_ids=conversation_ids):
            detail = f"no inbox of yours is open, and {len(conversation_ids)} of your chats go on"
            return _to(_named(found, agent_id), envelope, MailKind.AGENT_LOST, None, detail)
        case CoverageAlarmRaised(detail=detail):
            admins = found.agents_with(Permission.ADMIN_AGENTS)
            return _to(admins, envelope, MailKind.COVERAGE_ALARM, None, detail)
        case WebhookDisabled(webhook_id=webhook_id, url=url, error=error):
            admins = found.agents_with(Permission.ADMIN_INTEGRATIONS)
            detail = f"{webhook_id} ({url}): {error}"
            return _to(admins, envelope, MailKind.WEBHOOK_DISABLED, None, detail)
    return []


def subject_of(news: Sequence[News]) -> str:
    """The subject of the mail that tells these."""
    if len(news) > 1:
        return f"{len(news)} things you should know"
    return {
        MailKind.MISSED_CHAT: "You missed a chat",
        MailKind.AGENT_LOST: "Visitors have lost their agent",
        MailKind.COVERAGE_ALARM: "Visitors cannot reach anybody",
        MailKind.WEBHOOK_DISABLED: "A webhook is switched off",
    }[news[0].kind]


def _named(found: WorkspaceDirectory, agent_id: AgentId) -> list[AgentEntry]:
    defined = found.agents.get(agent_id)
    return [] if defined is None else [defined.entry]


def _to(
    agents: Sequence[AgentEntry],
    envelope: Envelope[Event],
    kind: MailKind,
    conversation_id: ConversationId | None,
    detail: str = "",
) -> list[News]:
    return [
        News(
            id=envelope.id,
            workspace_id=envelope.workspace_id,
            agent_id=each.id,
            kind=kind,
            at=envelope.time,
            conversation_id=conversation_id,
            detail=detail,
        )
        for each in agents
        if each.notifications.email
    ]
