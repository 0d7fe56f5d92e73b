"""What the switchboard is asked to decide: requests, commands, changes of the directory, due timers.

One shape for all. Many are about one conversation; what is about an agent or a pool can still move
conversations: whoever has room takes the visitor who has waited longest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rondo_common.conversation import Party, Request
from rondo_common.ids import AgentId, ConversationId, EventId, WorkspaceId, derived_event_id
from rondo_router.domain.route_plan import RoutePlan, TransferPlan
from rondo_router.domain.seat import AgentSeat

# --- about one conversation ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RequestChat:
    """Find an agent along the plan."""

    conversation_id: ConversationId
    plan: RoutePlan
    request: Request


@dataclass(frozen=True, slots=True)
class AcceptOffer:
    """This agent takes the offer."""

    conversation_id: ConversationId
    agent_id: AgentId


@dataclass(frozen=True, slots=True)
class DeclineOffer:
    """This agent refuses the offer."""

    conversation_id: ConversationId
    agent_id: AgentId


@dataclass(frozen=True, slots=True)
class TakeFromQueue:
    """This agent takes a chat that waits, whoever's turn it would be."""

    conversation_id: ConversationId
    agent_id: AgentId


@dataclass(frozen=True, slots=True)
class WithdrawRequest:
    """The visitor no longer waits."""

    conversation_id: ConversationId
    by: Party


@dataclass(frozen=True, slots=True)
class TransferConversation:
    """This agent hands the conversation over."""

    conversation_id: ConversationId
    by: AgentId
    plan: TransferPlan


@dataclass(frozen=True, slots=True)
class EndConversation:
    """One side ends the talk."""

    conversation_id: ConversationId
    by: Party


@dataclass(frozen=True, slots=True)
class TimeOutOffer:
    """The offer of this attempt is due."""

    conversation_id: ConversationId
    attempt: int


@dataclass(frozen=True, slots=True)
class LeaveQueue:
    """The visitor, who waits after so many attempts, has waited as long as they may."""

    conversation_id: ConversationId
    attempt: int


@dataclass(frozen=True, slots=True)
class CheckIdle:
    """Nobody may have written in this active chat for long. ``due`` (in ms) names the timer that asks."""

    conversation_id: ConversationId
    due: int


@dataclass(frozen=True, slots=True)
class CheckVisitor:
    """The visitor who waits may be gone. ``due`` (in ms) names the timer that asks."""

    conversation_id: ConversationId
    due: int


@dataclass(frozen=True, slots=True)
class ResumeChat:
    """Nobody is offered the chat, and it does not wait either: go on along its plan.

    Only what was rebuilt from a log that broke off in the middle of a decision is like that.
    """

    conversation_id: ConversationId


# --- about agents and pools ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SeatAgent:
    """Let the agent take part as described."""

    agent_id: AgentId
    seat: AgentSeat


@dataclass(frozen=True, slots=True)
class UnseatAgent:
    """The agent is gone: offer again what they were offered, end what they had."""

    agent_id: AgentId


@dataclass(frozen=True, slots=True)
class DefinePool:
    """The pool has these members, each at their place in its sequence. None at all: it is gone."""

    pool: str
    places: Mapping[AgentId, int]


@dataclass(frozen=True, slots=True)
class MarkPresent:
    """The agent has an inbox open, as long as their lease says."""

    agent_id: AgentId


@dataclass(frozen=True, slots=True)
class CheckPresence:
    """The agent's lease was to end now: has it been renewed?"""

    agent_id: AgentId


# --- about nothing -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PreviewRoute:
    """Say what would become of such a request. Changes nothing."""

    plan: RoutePlan
    request: Request


Action = (
    RequestChat
    | AcceptOffer
    | DeclineOffer
    | TakeFromQueue
    | WithdrawRequest
    | TransferConversation
    | EndConversation
    | TimeOutOffer
    | LeaveQueue
    | CheckIdle
    | CheckVisitor
    | ResumeChat
    | SeatAgent
    | UnseatAgent
    | DefinePool
    | MarkPresent
    | CheckPresence
    | PreviewRoute
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One thing to decide. ``cause`` names it: the same cause always gets the same decision."""

    workspace_id: WorkspaceId
    cause: EventId
    action: Action
    is_command: bool = False
    """True when somebody outside waits for the answer."""
    timer: str | None = None
    """The name of the timer that asks, if one does: it is done when the decision is shown."""


# --- timers --------------------------------------------------------------------------------------


def offer_timer(conversation_id: ConversationId, attempt: int) -> str:
    """The name of the timer of one offer."""
    return f"offer/{conversation_id}/{attempt}"


def queue_timer(conversation_id: ConversationId, attempt: int) -> str:
    """The name of the timer of a visitor's wait after so many attempts."""
    return f"queue/{conversation_id}/{attempt}"


def idle_timer(conversation_id: ConversationId, due: int) -> str:
    """The name of the timer of an active chat's silence, due at that time in ms."""
    return f"idle/{conversation_id}/{due}"


def visitor_timer(conversation_id: ConversationId, due: int) -> str:
    """The name of the timer of a waiting visitor's lease, due at that time in ms."""
    return f"visitor/{conversation_id}/{due}"


@dataclass(frozen=True, slots=True)
class Timer:
    """A due timer. ``subject`` is a conversation or an agent, ``number`` tells its timers apart.

    Kinds: ``offer`` and ``queue`` (number: the attempt); ``idle`` and ``visitor``, ``availability`` and
    ``presence`` (number: when it is due, in ms; the switchboard names the last two itself).
    """

    workspace_id: WorkspaceId
    name: str
    kind: str
    subject: str
    number: int

    @property
    def agent_id(self) -> AgentId | None:
        """The agent whose availability is to change now, if it is such a timer."""
        return AgentId(self.subject) if self.kind == "availability" else None


def read_timer(workspace_id: WorkspaceId, name: str) -> Timer:
    """What a timer's name says.

    Raises:
        ValueError: no timer of Rondo's has such a name.
    """
    kind, subject, number = name.split("/")
    return Timer(workspace_id, name, kind, subject, int(number))


def instruction_of_timer(timer: Timer, seat: AgentSeat | None = None) -> Instruction:
    """What a due timer asks. ``seat`` is the agent's present one, for timers of availability."""
    return Instruction(
        workspace_id=timer.workspace_id,
        cause=derived_event_id(f"{timer.workspace_id}/{timer.name}", "due"),
        action=_action_of_timer(timer, seat),
        timer=timer.name,
    )


def _action_of_timer(timer: Timer, seat: AgentSeat | None) -> Action:
    match timer.kind:
        case "offer":
            return TimeOutOffer(ConversationId(timer.subject), timer.number)
        case "queue":
            return LeaveQueue(ConversationId(timer.subject), timer.number)
        case "idle":
            return CheckIdle(ConversationId(timer.subject), timer.number)
        case "visitor":
            return CheckVisitor(ConversationId(timer.subject), timer.number)
        case "presence":
            return CheckPresence(AgentId(timer.subject))
        case "availability" if seat is not None:
            return SeatAgent(AgentId(timer.subject), seat)
        case "availability":
            return UnseatAgent(AgentId(timer.subject))
    raise ValueError(timer.name)
