"""Offers and alerts for tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from rondo_common.alerts import ChannelName
from rondo_common.conversation import AgentCard, Request, RoundRobinRoute, Visitor, Why
from rondo_common.events import AssignmentOffered
from rondo_common.ids import AgentId, ConversationId, EventId, VisitorId, WorkspaceId
from rondo_notifier.domain.alerts import Alert, begun

ACME = WorkspaceId("acme")
CNV = ConversationId("cnv_1")
GRACE = AgentCard(id=AgentId("grace"), name="Grace")
ALL = (ChannelName.INBOX, ChannelName.WEB_PUSH, ChannelName.EMAIL)
OFFER_S = 90


def offer(
    at: datetime,
    conversation_id: ConversationId = CNV,
    *,
    agent: AgentCard = GRACE,
    attempt: int = 1,
    lasts_s: float = OFFER_S,
) -> AssignmentOffered:
    """An offer that begins at ``at``, from Ada of Example."""
    visitor = Visitor(id=VisitorId("ada"), first_name="Ada", last_name="<b>Lovelace</b>", company="Example")
    return AssignmentOffered(
        conversation_id=conversation_id,
        agent=agent,
        attempt=attempt,
        offered_at=at,
        expires_at=at + timedelta(seconds=lasts_s),
        why=Why(stage="all"),
        request=Request(visitor=visitor, route=RoundRobinRoute(), requested_at=at),
    )


def alert(
    at: datetime,
    ladder: Sequence[ChannelName] = ALL,
    workspace_id: WorkspaceId = ACME,
    conversation_id: ConversationId = CNV,
    offer_id: str = "offer-1",
) -> Alert:
    """The alert of such an offer, just begun."""
    begin = begun(EventId(offer_id), workspace_id, offer(at, conversation_id), ladder, 5, at)
    assert begin is not None
    return begin
