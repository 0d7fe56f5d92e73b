"""Whole chats as a router would tell them, for the tests of live metrics."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from rondo_common.conversation import (
    AgentCard,
    EndReason,
    Fallback,
    FallbackReason,
    Party,
    Queue,
    Request,
    RoundRobinRoute,
    Visitor,
    Why,
)
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    AssignmentTimedOut,
    ChatEnded,
    ChatFellBack,
    ChatQueued,
    ChatRequested,
    ChatWithdrawn,
    ConversationEvent,
)
from rondo_common.ids import AgentId, ConversationId, EventId, VisitorId, WorkspaceId

GRACE = AgentCard(id=AgentId("grace"), name="Grace Hopper")
VISITOR = Party(type="visitor", id="u-17")
WHY = Why(stage="round_robin")

Envelopes = list[Envelope[ConversationEvent]]


class ToldChat:
    """One chat, told event by event at the times the test says."""

    def __init__(self, workspace_id: WorkspaceId, asked_at: datetime) -> None:
        self.id = ConversationId(f"cnv_{uuid.uuid4().hex}")
        self.workspace_id = workspace_id
        self.envelopes: Envelopes = []
        visitor = Visitor(id=VisitorId("u-17"), first_name="Ada")
        self.request = Request(visitor=visitor, route=RoundRobinRoute(), requested_at=asked_at)
        self._tell(ChatRequested(conversation_id=self.id, request=self.request), asked_at)

    def offered(self, at: datetime, attempt: int = 1) -> ToldChat:
        return self._tell(
            AssignmentOffered(
                conversation_id=self.id,
                agent=GRACE,
                attempt=attempt,
                offered_at=at,
                expires_at=at + timedelta(seconds=100),
                why=WHY,
                request=self.request,
            ),
            at,
        )

    def accepted(self, at: datetime) -> ToldChat:
        return self._tell(AssignmentAccepted(conversation_id=self.id, agent=GRACE, attempt=1), at)

    def declined(self, at: datetime) -> ToldChat:
        return self._tell(AssignmentDeclined(conversation_id=self.id, agent_id=GRACE.id, attempt=1), at)

    def missed(self, at: datetime) -> ToldChat:
        return self._tell(AssignmentTimedOut(conversation_id=self.id, agent_id=GRACE.id, attempt=1), at)

    def queued(self, at: datetime) -> ToldChat:
        queue = Queue(position=1, estimated_wait_s=60)
        until = at + timedelta(seconds=300)
        return self._tell(
            ChatQueued(
                conversation_id=self.id,
                queue=queue,
                queued_at=at,
                expires_at=until,
                why=WHY,
                request=self.request,
            ),
            at,
        )

    def fell_back(self, at: datetime, reason: FallbackReason = FallbackReason.NOT_ANSWERED) -> ToldChat:
        fallback = Fallback(reason=reason, message="Sorry", offer_meeting=False)
        return self._tell(
            ChatFellBack(conversation_id=self.id, fallback=fallback, why=WHY, request=self.request), at
        )

    def withdrawn(self, at: datetime) -> ToldChat:
        return self._tell(ChatWithdrawn(conversation_id=self.id, by=VISITOR), at)

    def ended(self, at: datetime) -> ToldChat:
        return self._tell(
            ChatEnded(
                conversation_id=self.id, reason=EndReason.VISITOR_ENDED, by=VISITOR, agent_id=GRACE.id
            ),
            at,
        )

    def _tell(self, event: ConversationEvent, at: datetime) -> ToldChat:
        envelope = Envelope(EventId(str(uuid.uuid4())), "/rondo/tests", at, self.workspace_id, event)
        self.envelopes.append(envelope)
        return self


def any_chat(workspace_id: WorkspaceId, asked_at: datetime, chance: Random) -> ToldChat:
    """A chat with some course or other, begun at ``asked_at``; some are not over yet."""
    times = _later(asked_at, chance)
    chat = ToldChat(workspace_id, asked_at)
    if chance.random() < 0.3:
        chat.queued(next(times))
    if chance.random() < 0.1:
        return chat.withdrawn(next(times))
    chat.offered(next(times))
    match chance.randrange(5):
        case 0:
            return chat.missed(next(times)).fell_back(next(times))
        case 1:
            chat.declined(next(times)).offered(next(times), attempt=2)
        case 2:
            return chat
    chat.accepted(next(times))
    return chat.ended(next(times)) if chance.random() < 0.7 else chat


def _later(moment: datetime, chance: Random) -> Iterator[datetime]:
    while True:
        moment += timedelta(milliseconds=chance.randint(1, 9_000))
        yield moment
