"""Short ways to say who sits where and what is asked, for the router's tests."""

from __future__ import annotations

from datetime import UTC, datetime

from rondo_common.conversation import (
    AgentRoute,
    Page,
    Party,
    Request,
    RoundRobinRoute,
    Route,
    Visitor,
)
from rondo_common.directory.entries import AgentEntry, OfferAttempts, WorkspaceSettings
from rondo_common.ids import AgentId, ConversationId, EventId, VisitorId, WorkspaceId
from rondo_router.domain.instruction import (
    AcceptOffer,
    Action,
    DeclineOffer,
    EndConversation,
    Instruction,
    RequestChat,
    WithdrawRequest,
)
from rondo_router.domain.route_plan import plan_route
from rondo_router.ports import AgentSeat

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
VISITOR = Party(type="visitor", id="u-17")


def seat(name: str, *, capacity: int = 10, live_chat: bool = True, version: int = 0) -> AgentSeat:
    agent = AgentEntry(
        id=AgentId(name), name=name.title(), email=f"{name}@example.com", live_chat=live_chat
    )
    return AgentSeat(agent, capacity, version)


def request(route: Route | None = None) -> Request:
    return Request(
        visitor=Visitor(id=VisitorId("u-17"), first_name="Ada", email="ada@example.com"),
        route=route or RoundRobinRoute(),
        page=Page(url="https://example.com/pricing"),
        requested_at=NOON,
    )


class Desk:
    """Makes instructions for one workspace; each call is a new cause."""

    def __init__(self, workspace_id: str) -> None:
        self.workspace_id = WorkspaceId(workspace_id)
        self._causes = 0

    def ask(
        self,
        conversation: str,
        *,
        to: str | None = None,
        attempts: int = 1,
        settings: WorkspaceSettings | None = None,
    ) -> Instruction:
        chosen = settings or WorkspaceSettings(
            offer_timeout_s=100, offer_attempts=OfferAttempts(round_robin=attempts, agent=1)
        )
        asked = request(AgentRoute(agent_id=AgentId(to)) if to else None)
        return self._instruct(conversation, RequestChat(plan_route(asked, chosen), asked))

    def accept(self, conversation: str, agent: str) -> Instruction:
        return self._instruct(conversation, AcceptOffer(AgentId(agent)))

    def decline(self, conversation: str, agent: str) -> Instruction:
        return self._instruct(conversation, DeclineOffer(AgentId(agent)))

    def withdraw(self, conversation: str) -> Instruction:
        return self._instruct(conversation, WithdrawRequest(VISITOR))

    def end(self, conversation: str, *, by_agent: str | None = None) -> Instruction:
        by = Party(type="agent", id=by_agent) if by_agent else VISITOR
        return self._instruct(conversation, EndConversation(by))

    def _instruct(self, conversation: str, action: Action) -> Instruction:
        self._causes += 1
        return Instruction(
            workspace_id=self.workspace_id,
            conversation_id=ConversationId(conversation),
            cause=EventId(f"cause-{self._causes}"),
            action=action,
        )
