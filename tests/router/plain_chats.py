"""A conversation as the plain switchboard keeps it."""

from __future__ import annotations

from dataclasses import dataclass, field

from rondo_common.conversation import AgentCard, Request, Status
from rondo_common.ids import AgentId, ConversationId
from rondo_router.domain.decision import ChatState, OpenOffer
from rondo_router.domain.route_plan import RoutePlan, Stage


@dataclass
class Transfer:
    """Where a conversation is being handed over to."""

    stage: Stage
    offer_timeout_s: int
    tried: list[AgentId]
    unanswered: int = 0


@dataclass
class Chat:
    """One conversation."""

    conversation_id: ConversationId
    request: Request
    plan: RoutePlan
    status: Status = Status.REQUESTED
    stage: int = 0
    attempt: int = 0
    unanswered: int = 0
    """How many of the present leg's attempts are used up."""
    tried: list[AgentId] = field(default_factory=list)
    agent: AgentCard | None = None
    offer: OpenOffer | None = None
    transfer: Transfer | None = None
    order: int = 0
    queue_until: int = 0
    active_at: int = 0
    idle_due: int = 0
    """When its silence is next looked at; 0: never."""
    idle_warned: int = 0
    """After which silence (since when) both sides were last warned."""
    idle_ends: int = 0
    lease_due: int = 0
    """When its visitor is next looked for; 0: never."""
    version: int = 0

    @property
    def line_key(self) -> tuple[int, int]:
        """Who stands before whom among those who wait."""
        return -self.request.priority, self.order

    @property
    def holders(self) -> set[AgentId]:
        """The agents who have given a place to it."""
        cards = (self.agent, self.offer.agent if self.offer else None)
        return set() if self.status.is_final else {card.id for card in cards if card is not None}

    def is_offered_to(self, agent: AgentId) -> bool:
        return self.offer is not None and self.offer.agent.id == agent

    def is_with(self, agent: AgentId) -> bool:
        return self.status is Status.ACTIVE and self.agent is not None and self.agent.id == agent

    def stages_ahead(self) -> list[tuple[int, Stage]]:
        """The stages from where it is, numbered."""
        return list(enumerate(self.plan.stages))[self.stage :]

    def state(self) -> ChatState:
        """As a decision tells it."""
        return ChatState(
            conversation_id=self.conversation_id,
            version=self.version,
            status=self.status,
            request=self.request,
            agent=self.agent,
            offer=self.offer,
            attempt=self.attempt,
            queue_until=self.queue_until if self.status is Status.QUEUED else None,
            idle_due=self.idle_due or None,
            lease_due=self.lease_due or None,
        )
