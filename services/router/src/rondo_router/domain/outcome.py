"""From decision to what the world is told: the events for the log, then the view everybody reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from rondo_common.answers import Answer
from rondo_common.clock import from_milliseconds
from rondo_common.conversation import Ended, Fallback, Offer, Status
from rondo_common.conversation_view import ConversationView
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    AssignmentRescinded,
    AssignmentTimedOut,
    ChatEnded,
    ChatFellBack,
    ChatWithdrawn,
    ConversationEvent,
)
from rondo_common.ids import AgentId, derived_event_id
from rondo_router.domain import decision as decided
from rondo_router.domain.decision import Decision, Step
from rondo_router.domain.instruction import Instruction, offer_timer

SOURCE = "/rondo/router"

REFUSALS = {
    "conversation-already-taken": "Another agent has this conversation.",
    "conversation-already-active": "An agent has accepted already; end the conversation instead.",
    "conversation-not-active": "The conversation is not active; look at its status.",
    "conversation-over": "The conversation is over.",
    "not-offered-to-you": "This conversation is not offered to you.",
    "not-your-conversation": "Another agent has this conversation.",
    "offer-expired": "The offer to you is no longer open.",
}
"""Every refusal's stable code, with what it tells the caller."""


@dataclass(frozen=True, slots=True)
class Showing:
    """What may be shown once the log has the events. See ``showing.lua`` for each part."""

    instruction: Instruction
    version: int
    view: ConversationView | None
    due: int | None
    """When the offer made here is due, in ms."""
    done_timer: str | None
    rings: tuple[AgentId, ...]
    released: tuple[AgentId, ...]
    answer: Answer | None
    log_offset: int | None
    """Where the log has the last of the decision's events."""


def events_of(instruction: Instruction, decision: Decision) -> list[Envelope[ConversationEvent]]:
    """The events of a decision, in order. Their ids follow from the cause: telling twice is harmless."""
    return [
        Envelope(
            id=derived_event_id(instruction.cause, f"{number}/{step.type}"),
            source=SOURCE,
            time=from_milliseconds(decision.at),
            workspace_id=instruction.workspace_id,
            event=_event(instruction, decision, step),
        )
        for number, step in enumerate(decision.steps)
    ]


def showing_of(instruction: Instruction, decision: Decision, log_offset: int | None = None) -> Showing:
    """What the world sees after the decision, whose last event stands at ``log_offset``."""
    last = decision.steps[-1] if decision.steps else None
    offered = last if isinstance(last, decided.Offered) else None
    return Showing(
        instruction=instruction,
        version=decision.version,
        view=None if last is None else _view(instruction, decision, last),
        due=None if offered is None else offered.expires_at,
        done_timer=_done_timer(instruction, decision),
        rings=() if offered is None else (offered.agent.id,),
        released=_released(decision),
        answer=_answer(decision) if instruction.is_command else None,
        log_offset=log_offset,
    )


def _event(instruction: Instruction, decision: Decision, step: Step) -> ConversationEvent:
    conversation_id = instruction.conversation_id
    match step:
        case decided.Offered():
            return AssignmentOffered(
                conversation_id=conversation_id,
                agent=step.agent,
                attempt=step.attempt,
                offered_at=from_milliseconds(step.offered_at),
                expires_at=from_milliseconds(step.expires_at),
                why=step.why.told(),
                request=decision.asked(),
            )
        case decided.Accepted():
            return AssignmentAccepted(
                conversation_id=conversation_id, agent=step.agent, attempt=step.attempt
            )
        case decided.Declined():
            return AssignmentDeclined(
                conversation_id=conversation_id, agent_id=step.agent_id, attempt=step.attempt
            )
        case decided.TimedOut():
            return AssignmentTimedOut(
                conversation_id=conversation_id, agent_id=step.agent_id, attempt=step.attempt
            )
        case decided.Rescinded():
            return AssignmentRescinded(
                conversation_id=conversation_id, agent_id=step.agent_id, attempt=step.attempt
            )
        case decided.FellBack():
            return ChatFellBack(
                conversation_id=conversation_id,
                fallback=_fallback(step),
                why=step.why.told(),
                request=decision.asked(),
            )
        case decided.Withdrawn():
            return ChatWithdrawn(conversation_id=conversation_id, by=step.by)
        case decided.Ended():
            return ChatEnded(
                conversation_id=conversation_id,
                reason=step.reason,
                by=step.by,
                agent_id=step.agent.id,
            )


def _view(instruction: Instruction, decision: Decision, last: Step) -> ConversationView:
    """Where the conversation stands after its last step."""
    view = partial(ConversationView, id=instruction.conversation_id, request=decision.asked())
    at = from_milliseconds(decision.at)
    match last:
        case decided.Offered():
            offer = Offer(
                agent_id=last.agent.id,
                attempt=last.attempt,
                offered_at=from_milliseconds(last.offered_at),
                expires_at=from_milliseconds(last.expires_at),
            )
            return view(status=Status.OFFERED, offer=offer)
        case decided.Accepted():
            return view(status=Status.ACTIVE, agent=last.agent)
        case decided.FellBack():
            return view(status=Status.FELL_BACK, fallback=_fallback(last))
        case decided.Ended():
            ended = Ended(reason=last.reason, by=last.by, at=at)
            return view(status=Status.ENDED, agent=last.agent, ended=ended)
        case _:
            return view(status=Status.WITHDRAWN)


def _fallback(step: decided.FellBack) -> Fallback:
    return Fallback(reason=step.reason, message=step.message, offer_meeting=step.offer_meeting)


def _done_timer(instruction: Instruction, decision: Decision) -> str | None:
    """The timer that is settled: the one that asked, or that of the offer which was answered."""
    if instruction.timer is not None:
        return instruction.timer
    first = decision.steps[0] if decision.steps else None
    if isinstance(first, decided.Accepted | decided.Declined | decided.Rescinded):
        return offer_timer(instruction.conversation_id, first.attempt)
    return None


def _released(decision: Decision) -> tuple[AgentId, ...]:
    """The agents who no longer have the conversation on their desk."""
    over = decided.Declined | decided.TimedOut | decided.Rescinded
    return tuple(
        step.agent_id if isinstance(step, over) else step.agent.id
        for step in decision.steps
        if isinstance(step, over | decided.Ended)
    )


def _answer(decision: Decision) -> Answer:
    if decision.refusal is None:
        return Answer()
    return Answer(refusal=decision.refusal, detail=REFUSALS[decision.refusal])
