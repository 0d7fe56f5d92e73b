"""What the switchboard is asked to decide: each chat request, command and expired timer, in one shape."""

from __future__ import annotations

from dataclasses import dataclass

from rondo_common.conversation import Party, Request
from rondo_common.ids import AgentId, ConversationId, EventId, WorkspaceId, derived_event_id
from rondo_router.domain.route_plan import RoutePlan


@dataclass(frozen=True, slots=True)
class RequestChat:
    """Find an agent along the plan."""

    plan: RoutePlan
    request: Request


@dataclass(frozen=True, slots=True)
class AcceptOffer:
    """This agent takes the offer."""

    agent_id: AgentId


@dataclass(frozen=True, slots=True)
class DeclineOffer:
    """This agent refuses the offer."""

    agent_id: AgentId


@dataclass(frozen=True, slots=True)
class WithdrawRequest:
    """The visitor no longer waits."""

    by: Party


@dataclass(frozen=True, slots=True)
class EndConversation:
    """One side ends the talk."""

    by: Party


@dataclass(frozen=True, slots=True)
class TimeOutOffer:
    """The offer of this attempt is due."""

    attempt: int


Action = RequestChat | AcceptOffer | DeclineOffer | WithdrawRequest | EndConversation | TimeOutOffer


@dataclass(frozen=True, slots=True)
class Instruction:
    """One thing to decide. ``cause`` names it: the same cause always gets the same decision."""

    workspace_id: WorkspaceId
    conversation_id: ConversationId
    cause: EventId
    action: Action
    timer: str | None = None
    """The name of the timer that asks, if one does: it is done when the decision is shown."""

    @property
    def is_command(self) -> bool:
        """True when somebody outside waits for the answer."""
        return not isinstance(self.action, RequestChat | TimeOutOffer)


def offer_timer(conversation_id: ConversationId, attempt: int) -> str:
    """The name of the timer of one offer."""
    return f"offer/{conversation_id}/{attempt}"


def instruction_of_timer(workspace_id: WorkspaceId, timer: str) -> Instruction:
    """What a due timer asks.

    Raises:
        ValueError: no timer of Rondo's has such a name.
    """
    kind, conversation_id, attempt = timer.split("/")
    if kind != "offer":
        raise ValueError(timer)
    return Instruction(
        workspace_id=workspace_id,
        conversation_id=ConversationId(conversation_id),
        cause=derived_event_id(timer, "due"),
        action=TimeOutOffer(int(attempt)),
        timer=timer,
    )
