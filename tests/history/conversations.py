"""Short ways to tell what happened in a conversation, for the history's tests."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from rondo_common.conversation import (
    AgentCard,
    Author,
    EndReason,
    Fallback,
    FallbackReason,
    Message,
    Page,
    Party,
    Queue,
    Rating,
    Request,
    RescindReason,
    RoundRobinRoute,
    Route,
    Visitor,
    Why,
)
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    AssignmentRescinded,
    AssignmentTimedOut,
    ChatEnded,
    ChatFellBack,
    ChatQueued,
    ChatRequested,
    ChatTransferred,
    ChatWithdrawn,
    ConversationEvent,
    ConversationRated,
    MessagePosted,
    TransferReturned,
)
from rondo_common.ids import AgentId, ConversationId, EventId, MessageId, VisitorId, WorkspaceId
from rondo_history.domain.fact import Fact, Place, fact_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PARTITION = 3
GRACE = AgentCard(id=AgentId("grace"), name="Grace Hopper")
EDSGER = AgentCard(id=AgentId("edsger"), name="Edsger Dijkstra")
VISITOR = Party(type="visitor", id="u-17")


def fresh_workspace() -> WorkspaceId:
    return WorkspaceId(f"ws-{uuid.uuid4().hex}")


def asked(
    *,
    first_name: str | None = "Ada",
    page: Page | None = None,
    visitor_id: str = "u-17",
    requested_at: datetime = NOON,
    route: Route | None = None,
) -> Request:
    visitor = Visitor(
        id=VisitorId(visitor_id),
        first_name=first_name,
        attributes={"plan": "pro", "seats": 3, "paid": True},
    )
    return Request(visitor=visitor, route=route or RoundRobinRoute(), page=page, requested_at=requested_at)


class Conversation:
    """One conversation. Each call tells the next fact, at the next offset of the log."""

    def __init__(
        self,
        name: str = "cnv_1",
        workspace_id: WorkspaceId | None = None,
        *,
        request: Request | None = None,
        began_at: datetime = NOON,
    ) -> None:
        self.id = ConversationId(name)
        self.workspace_id = workspace_id or fresh_workspace()
        self.began_at = began_at
        self.request = request or asked(requested_at=began_at)
        self._offset = 0

    def requested(self, request: Request | None = None) -> Fact:
        return self.tell(ChatRequested(conversation_id=self.id, request=request or self.request))

    def offered(
        self,
        agent: AgentCard = GRACE,
        *,
        attempt: int = 1,
        pool: str | None = None,
        transferred_by: AgentCard | None = None,
    ) -> Fact:
        return self.tell(
            AssignmentOffered(
                conversation_id=self.id,
                agent=agent,
                attempt=attempt,
                offered_at=self.began_at,
                expires_at=self.began_at + timedelta(seconds=100),
                why=Why(stage="round_robin", pool=pool),
                request=self.request,
                transferred_by=transferred_by,
            )
        )

    def accepted(self, agent: AgentCard = GRACE, *, attempt: int = 1) -> Fact:
        return self.tell(AssignmentAccepted(conversation_id=self.id, agent=agent, attempt=attempt))

    def declined(self, agent: AgentCard = GRACE, *, attempt: int = 1) -> Fact:
        return self.tell(AssignmentDeclined(conversation_id=self.id, agent_id=agent.id, attempt=attempt))

    def missed(self, agent: AgentCard = GRACE, *, attempt: int = 1) -> Fact:
        return self.tell(AssignmentTimedOut(conversation_id=self.id, agent_id=agent.id, attempt=attempt))

    def rescinded(
        self,
        agent: AgentCard = GRACE,
        *,
        attempt: int = 1,
        reason: RescindReason = RescindReason.WITHDRAWN,
    ) -> Fact:
        return self.tell(
            AssignmentRescinded(conversation_id=self.id, agent_id=agent.id, attempt=attempt, reason=reason)
        )

    def queued(self, position: int = 1) -> Fact:
        queued_at = self.began_at + timedelta(seconds=self._offset + 1)
        return self.tell(
            ChatQueued(
                conversation_id=self.id,
                queue=Queue(position=position, estimated_wait_s=60),
                queued_at=queued_at,
                expires_at=queued_at + timedelta(seconds=300),
                why=Why(stage="round_robin"),
                request=self.request,
            )
        )

    def transferred(self, from_agent: AgentCard = GRACE, to_agent: AgentCard = EDSGER) -> Fact:
        return self.tell(ChatTransferred(conversation_id=self.id, from_agent=from_agent, to_agent=to_agent))

    def returned(self, agent: AgentCard = GRACE) -> Fact:
        return self.tell(TransferReturned(conversation_id=self.id, agent_id=agent.id))

    def said(self, text: str, *, by: str = "visitor") -> Fact:
        author = (
            Author(type="visitor", id="u-17", name="Ada")
            if by == "visitor"
            else Author(type="agent", id=GRACE.id, name=GRACE.name)
        )
        message = Message(
            id=MessageId(f"msg_{self._offset}"),
            author=author,
            text=text,
            sent_at=self.began_at + timedelta(seconds=self._offset),
        )
        return self.tell(
            MessagePosted(
                conversation_id=self.id,
                message=message,
                client_message_id=f"m-{self._offset}",
                agent_id=GRACE.id,
            )
        )

    def fell_back(self, reason: FallbackReason = FallbackReason.NOBODY_AVAILABLE) -> Fact:
        return self.tell(
            ChatFellBack(
                conversation_id=self.id,
                fallback=Fallback(reason=reason, message="Leave us a message.", offer_meeting=False),
                why=Why(stage="round_robin"),
                request=self.request,
            )
        )

    def withdrawn(self, by: Party = VISITOR) -> Fact:
        return self.tell(ChatWithdrawn(conversation_id=self.id, by=by))

    def ended(self, reason: EndReason = EndReason.VISITOR_ENDED, by: Party = VISITOR) -> Fact:
        return self.tell(ChatEnded(conversation_id=self.id, reason=reason, by=by, agent_id=GRACE.id))

    def rated(self, score: int = 4, comment: str | None = None, *, agent: AgentCard = GRACE) -> Fact:
        rating = Rating(score=score, comment=comment, rated_at=self.began_at)
        return self.tell(
            ConversationRated(conversation_id=self.id, rating=rating, by=VISITOR, agent_id=agent.id)
        )

    def tell(self, event: ConversationEvent) -> Fact:
        self._offset += 1
        place = Place(event.TOPIC.name, PARTITION, self._offset)
        return fact_of(self.envelope(event), place)

    def envelope(self, event: ConversationEvent) -> Envelope[ConversationEvent]:
        return Envelope(
            id=EventId(f"{self.workspace_id}/{self.id}/{self._offset}"),
            source="/rondo/tests",
            time=self.began_at + timedelta(seconds=self._offset),
            workspace_id=self.workspace_id,
            event=event,
        )
