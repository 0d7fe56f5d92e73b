"""Short ways to say what is asked, for the router's tests."""

from __future__ import annotations

from typing import Any

from rondo_common.clock import from_milliseconds, milliseconds
from rondo_common.conversation import (
    AgentRoute,
    CustomRulesRoute,
    Page,
    Party,
    Request,
    RoundRobinRoute,
    Route,
    TeamRoute,
    Visitor,
)
from rondo_common.ids import AgentId, ConversationId, EventId, TeamId, VisitorId
from rondo_router.domain.instruction import (
    AcceptOffer,
    Action,
    CheckPresence,
    DeclineOffer,
    EndConversation,
    Instruction,
    MarkPresent,
    PreviewRoute,
    RequestChat,
    ResumeChat,
    TakeFromQueue,
    TransferConversation,
    WithdrawRequest,
)
from rondo_router.domain.route_plan import plan_route, plan_transfer
from tests.router.provisioned import NOON, Provisioned

NOW = milliseconds(NOON)
VISITOR = Party(type="visitor", id="u-17")
ROUND_ROBIN = RoundRobinRoute()
RULES = CustomRulesRoute()


def agent_route(name: str) -> AgentRoute:
    return AgentRoute(agent_id=AgentId(name))


def team_route(name: str) -> TeamRoute:
    return TeamRoute(team_id=TeamId(name))


def request(route: Route = ROUND_ROBIN, *, priority: int = 0, at: int = NOW, **visitor: Any) -> Request:
    return Request(
        visitor=Visitor(
            **({"id": VisitorId("u-17"), "first_name": "Ada", "email": "ada@example.com"} | visitor)
        ),
        route=route,
        page=Page(url="https://example.com/pricing"),
        priority=priority,
        requested_at=from_milliseconds(at),
    )


class Asking:
    """Makes instructions for one workspace as its directory is now; each is a new cause."""

    def __init__(self, provisioned: Provisioned) -> None:
        self.provisioned = provisioned
        self._causes = 0

    def ask(self, conversation: str, route: Route = ROUND_ROBIN, **fields: Any) -> Instruction:
        asked = request(route, **fields)
        plan = plan_route(asked, self.provisioned.found)
        return self.instruct(RequestChat(ConversationId(conversation), plan, asked), is_command=False)

    def accept(self, conversation: str, agent: str) -> Instruction:
        return self.instruct(AcceptOffer(ConversationId(conversation), AgentId(agent)))

    def decline(self, conversation: str, agent: str) -> Instruction:
        return self.instruct(DeclineOffer(ConversationId(conversation), AgentId(agent)))

    def take(self, conversation: str, agent: str) -> Instruction:
        return self.instruct(TakeFromQueue(ConversationId(conversation), AgentId(agent)))

    def withdraw(self, conversation: str) -> Instruction:
        return self.instruct(WithdrawRequest(ConversationId(conversation), VISITOR))

    def transfer(
        self, conversation: str, by: str, *, agent: str | None = None, team: str | None = None
    ) -> Instruction:
        plan = plan_transfer(
            self.provisioned.found,
            None if agent is None else AgentId(agent),
            None if team is None else TeamId(team),
        )
        return self.instruct(TransferConversation(ConversationId(conversation), AgentId(by), plan))

    def end(self, conversation: str, *, by_agent: str | None = None) -> Instruction:
        by = Party(type="agent", id=by_agent) if by_agent else VISITOR
        return self.instruct(EndConversation(ConversationId(conversation), by))

    def resume(self, conversation: str) -> Instruction:
        return self.instruct(ResumeChat(ConversationId(conversation)), is_command=False)

    def present(self, agent: str) -> Instruction:
        return self.instruct(MarkPresent(AgentId(agent)), is_command=False)

    def check_presence(self, agent: str) -> Instruction:
        return self.instruct(CheckPresence(AgentId(agent)), is_command=False)

    def preview(self, route: Route = ROUND_ROBIN, **fields: Any) -> Instruction:
        asked = request(route, **fields)
        return self.instruct(PreviewRoute(plan_route(asked, self.provisioned.found), asked))

    def instruct(self, action: Action, *, is_command: bool = True) -> Instruction:
        self._causes += 1
        cause = EventId(f"cause-{self._causes}")
        return Instruction(self.provisioned.workspace_id, cause, action, is_command=is_command)
