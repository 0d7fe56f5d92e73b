"""From decision to what the world is told: the events for the log, then the views everybody reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rondo_common.answers import Answer
from rondo_common.clock import from_milliseconds
from rondo_common.conversation import Ended, Fallback, Offer, Request, Status
from rondo_common.conversation_view import ConversationView
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AgentAvailabilityChanged,
    AgentConnected,
    AgentDisconnected,
    AgentEvent,
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    AssignmentRescinded,
    AssignmentTimedOut,
    ChatEnded,
    ChatFellBack,
    ChatQueued,
    ChatTransferred,
    ChatWithdrawn,
    ConversationEvent,
    ConversationIdleWarned,
    CoverageLost,
    TransferReturned,
)
from rondo_common.ids import AgentId, ConversationId, WorkspaceId, derived_event_id
from rondo_common.route_preview import PlannedStage, RoutePreview
from rondo_router.domain import decision as decided
from rondo_router.domain.decision import ChatState, ChatStep, Decision, Step
from rondo_router.domain.instruction import idle_timer, offer_timer, queue_timer, visitor_timer
from rondo_router.domain.route_plan import RoutePlan

SOURCE = "/rondo/router"

WAITING = frozenset({Status.REQUESTED, Status.QUEUED, Status.OFFERED})
"""While a visitor is not talking yet."""

REFUSALS = {
    "agent-at-capacity": "This agent has no room for another conversation; end one first.",
    "agent-may-not-chat": "This agent may not answer chats; ask for a profile and live chat.",
    "conversation-already-taken": "Another agent has this conversation.",
    "conversation-already-active": "An agent has accepted already; end the conversation instead.",
    "conversation-not-active": "The conversation is not active; look at its status.",
    "conversation-not-queued": "The conversation does not wait in the queue; look at its status.",
    "conversation-over": "The conversation is over.",
    "nobody-available": "Nobody there can take the conversation now; try another agent or team.",
    "not-offered-to-you": "This conversation is not offered to you.",
    "not-your-conversation": "Another agent has this conversation.",
    "offer-expired": "The offer to you is no longer open.",
    "transfer-under-way": "The conversation is being handed over already; wait for the answer.",
}
"""Every refusal's stable code, with what it tells the caller."""

RouterEvent = ConversationEvent | AgentEvent


@dataclass(frozen=True, slots=True)
class ChatShowing:
    """What may be shown of one conversation. ``log_offset`` is where the log has its last event."""

    view: ConversationView
    version: int
    timers: tuple[tuple[str, int], ...]
    """Timers to set: name, and when it is due in ms."""
    rings: tuple[AgentId, ...]
    """Who has it on their desk from now on."""
    released: tuple[AgentId, ...]
    """Who no longer has."""
    log_offset: int | None


@dataclass(frozen=True, slots=True)
class Showing:
    """What may be shown once the log has a decision's events. See ``showing.lua`` for each part."""

    workspace_id: WorkspaceId
    decision: Decision
    chats: tuple[ChatShowing, ...]
    done_timers: tuple[str, ...]
    answer: Answer | None


def events_of(workspace_id: WorkspaceId, decision: Decision) -> list[Envelope[RouterEvent]]:
    """The events of a decision, in order. Their ids follow from the cause: telling twice is harmless."""
    requests = {state.conversation_id: state.request for state in decision.chats}
    return [
        Envelope(
            id=derived_event_id(decision.cause, f"{number}/{step.type}"),
            source=SOURCE,
            time=from_milliseconds(decision.at),
            workspace_id=workspace_id,
            event=_event(requests, step),
            cause=decision.cause,
        )
        for number, step in enumerate(decision.steps)
    ]


def showing_of(
    workspace_id: WorkspaceId,
    decision: Decision,
    offsets: Sequence[int] = (),
    plan: RoutePlan | None = None,
) -> Showing:
    """What the world sees after the decision, whose events stand at ``offsets``, a step each.

    ``plan`` is that of a request which is only previewed.
    """
    told = _told_by_chat(decision, offsets)
    return Showing(
        workspace_id=workspace_id,
        decision=decision,
        chats=tuple(
            _chat_showing(decision, state, told[state.conversation_id]) for state in decision.chats
        ),
        done_timers=_done_timers(decision),
        answer=_answer(decision, plan) if decision.is_command else None,
    )


# --- events --------------------------------------------------------------------------------------


def _event(requests: Mapping[ConversationId, Request], step: Step) -> RouterEvent:
    if isinstance(step, ChatStep):
        return _conversation_event(requests, step)
    return _agent_event(step)


def _conversation_event(requests: Mapping[ConversationId, Request], step: ChatStep) -> ConversationEvent:  # noqa: C901 - one case a step
    conversation_id = step.conversation_id
    match step:
        case decided.Offered():
            return AssignmentOffered(
                conversation_id=conversation_id,
                agent=step.agent,
                attempt=step.attempt,
                offered_at=from_milliseconds(step.offered_at),
                expires_at=from_milliseconds(step.expires_at),
                why=step.why.told(),
                request=requests[conversation_id],
                transferred_by=step.transferred_by,
            )
        case decided.Queued():
            return ChatQueued(
                conversation_id=conversation_id,
                queue=step.queue,
                order=step.order,
                queued_at=from_milliseconds(step.queued_at),
                expires_at=from_milliseconds(step.expires_at),
                why=step.why.told(),
                request=requests[conversation_id],
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
                conversation_id=conversation_id,
                agent_id=step.agent_id,
                attempt=step.attempt,
                reason=step.reason,
            )
        case decided.Transferred():
            return ChatTransferred(
                conversation_id=conversation_id, from_agent=step.from_agent, to_agent=step.to_agent
            )
        case decided.Returned():
            return TransferReturned(conversation_id=conversation_id, agent_id=step.agent_id)
        case decided.FellBack():
            return ChatFellBack(
                conversation_id=conversation_id,
                fallback=_fallback(step),
                why=step.why.told(),
                request=requests[conversation_id],
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
        case decided.IdleWarned():
            return ConversationIdleWarned(
                conversation_id=conversation_id,
                agent_id=step.agent_id,
                ends_at=from_milliseconds(step.ends_at),
            )
    raise TypeError(step)


def _agent_event(
    step: decided.AvailabilityChanged | decided.Connected | decided.Disconnected | decided.CoverageLost,
) -> AgentEvent:
    match step:
        case decided.AvailabilityChanged():
            return AgentAvailabilityChanged(agent_id=step.agent_id, availability=step.availability)
        case decided.Connected():
            return AgentConnected(agent_id=step.agent_id)
        case decided.Disconnected():
            return AgentDisconnected(agent_id=step.agent_id)
        case decided.CoverageLost():
            return CoverageLost(agent_id=step.agent_id, conversation_ids=step.conversation_ids)


def _fallback(step: decided.FellBack) -> Fallback:
    return Fallback(reason=step.reason, message=step.message, offer_meeting=step.offer_meeting)


# --- views ---------------------------------------------------------------------------------------


def _told_by_chat(
    decision: Decision, offsets: Sequence[int]
) -> defaultdict[ConversationId, list[tuple[ChatStep, int | None]]]:
    """What happened to each conversation, in order, and where it stands in the log: once over all of it,
    because a decision about a workspace may have thousands. One that was repeated was not told."""
    told: defaultdict[ConversationId, list[tuple[ChatStep, int | None]]] = defaultdict(list)
    for step, offset in zip_longest(decision.steps, offsets):
        if isinstance(step, ChatStep):
            told[step.conversation_id].append((step, offset))
    return told


def _chat_showing(
    decision: Decision, state: ChatState, told: Sequence[tuple[ChatStep, int | None]]
) -> ChatShowing:
    steps = [step for step, _ in told]
    at = [offset for _, offset in told if offset is not None]
    return ChatShowing(
        view=_view(decision, state, steps),
        version=state.version,
        timers=_timers(state),
        rings=tuple(_rung(state, steps)),
        released=tuple(agent_id for step in steps for agent_id in _released(step)),
        log_offset=max(at, default=None),
    )


def _view(decision: Decision, state: ChatState, steps: Sequence[ChatStep]) -> ConversationView:
    """Where the conversation stands."""
    ended = next((step for step in steps if isinstance(step, decided.Ended)), None)
    fell_back = next((step for step in steps if isinstance(step, decided.FellBack)), None)
    offer = state.offer
    return ConversationView(
        id=state.conversation_id,
        status=state.status,
        request=state.request,
        agent=state.agent,
        offer=None
        if offer is None
        else Offer(
            agent_id=offer.agent.id,
            attempt=offer.attempt,
            offered_at=from_milliseconds(offer.offered_at),
            expires_at=from_milliseconds(offer.expires_at),
        ),
        ended=None
        if ended is None
        else Ended(reason=ended.reason, by=ended.by, at=from_milliseconds(decision.at)),
        fallback=None if fell_back is None else _fallback(fell_back),
    )


def _timers(state: ChatState) -> tuple[tuple[str, int], ...]:
    """The timers of whatever the conversation waits for."""
    conversation_id, timers = state.conversation_id, []
    if state.offer is not None:
        timers.append((offer_timer(conversation_id, state.offer.attempt), state.offer.expires_at))
    if state.queue_until is not None:
        timers.append((queue_timer(conversation_id, state.attempt), state.queue_until))
    if state.idle_due is not None and state.status is Status.ACTIVE:
        timers.append((idle_timer(conversation_id, state.idle_due), state.idle_due))
    if state.lease_due is not None and state.status in WAITING:
        timers.append((visitor_timer(conversation_id, state.lease_due), state.lease_due))
    return tuple(timers)


def _done_timers(decision: Decision) -> tuple[str, ...]:
    """The timers that are settled: the one that asked, those of offers that were answered, and those
    that looked for who was silent or gone."""
    answered = (decided.Accepted, decided.Declined, decided.Rescinded)
    settled = tuple(
        offer_timer(step.conversation_id, step.attempt)
        for step in decision.steps
        if isinstance(step, answered)
    )
    settled += tuple(name for state in decision.chats for name in _done_looking(state))
    return settled if decision.timer is None else (decision.timer, *settled)


def _done_looking(state: ChatState) -> Iterator[str]:
    if state.idle_due is not None and state.status.is_final:
        yield idle_timer(state.conversation_id, state.idle_due)
    if state.lease_due is not None and state.status not in WAITING:
        yield visitor_timer(state.conversation_id, state.lease_due)


def _rung(state: ChatState, steps: Sequence[ChatStep]) -> Iterator[AgentId]:
    """The agents who have the conversation on their desk from now on."""
    if state.offer is not None:
        yield state.offer.agent.id
    if state.agent is not None and any(isinstance(step, decided.Accepted) for step in steps):
        yield state.agent.id  # Who takes it from the queue has it without having been rung before.


def _released(step: ChatStep) -> tuple[AgentId, ...]:
    """The agents who no longer have the conversation on their desk."""
    match step:
        case decided.Declined() | decided.TimedOut() | decided.Rescinded():
            return (step.agent_id,)
        case decided.Transferred():
            return (step.from_agent.id,)
        case decided.Ended():
            return (step.agent.id,)
    return ()


# --- answers -------------------------------------------------------------------------------------


def _answer(decision: Decision, plan: RoutePlan | None) -> Answer:
    if decision.refusal is not None:
        return Answer(refusal=decision.refusal, detail=REFUSALS[decision.refusal])
    if decision.preview is not None and plan is not None:
        return Answer(preview=_route_preview(decision.preview, plan))
    return Answer()


def _route_preview(preview: decided.Preview, plan: RoutePlan) -> RoutePreview:
    fallback = plan.fallback
    return RoutePreview(
        stages=tuple(
            PlannedStage(
                name=stage.name, pool=stage.pool, agent_id=stage.agent_id, attempts=stage.attempts_max
            )
            for stage in plan.stages
        ),
        guard=plan.guard,
        outcome=preview.outcome,
        agent=preview.agent,
        queue=preview.queue,
        fallback=None
        if preview.reason is None
        else Fallback(
            reason=preview.reason, message=fallback.message, offer_meeting=fallback.offer_meeting
        ),
        why=preview.why.told(),
    )
