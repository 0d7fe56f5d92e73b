"""The switchboard in memory: the rules of rotation, capacity and offers told once more, plainly.

It is slow and simple on purpose: the contract suite holds the real one against it, and tests of the
router use it where no server is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rondo_common.answers import Answer
from rondo_common.conversation import (
    AgentCard,
    FallbackReason,
    PassedOver,
    PassedOverReason,
    Request,
)
from rondo_common.conversation_view import ConversationView
from rondo_common.errors import Fenced
from rondo_common.ids import AgentId, CommandId, ConversationId, EventId, WorkspaceId
from rondo_router.domain import decision as decided
from rondo_router.domain.decision import Decision, Step, StepWhy
from rondo_router.domain.instruction import (
    AcceptOffer,
    DeclineOffer,
    EndConversation,
    Instruction,
    RequestChat,
    TimeOutOffer,
    WithdrawRequest,
    offer_timer,
)
from rondo_router.domain.outcome import Showing
from rondo_router.domain.route_plan import AgentStage, PoolStage, RoutePlan, Stage
from rondo_router.ports import AgentSeat, Epoch


@dataclass
class Chat:
    plan: RoutePlan
    request: Request
    status: str = "requested"
    attempt: int = 0
    stage: int = 0
    agent: AgentCard | None = None
    expires_at: int = 0
    tried: list[AgentId] = field(default_factory=list)
    version: int = 0


@dataclass
class Circle:
    """A pool: who sits where, and how many turns each has had or let pass."""

    places: dict[AgentId, int] = field(default_factory=dict)
    next_round: dict[AgentId, int] = field(default_factory=dict)
    served: tuple[int, int] = (0, 0)
    joined: int = 0

    def join(self, agent: AgentId) -> None:
        if agent not in self.places:
            self.joined += 1
            self.places[agent] = self.joined
            self.next_round[agent] = self.served[0]

    def turn(self, agent: AgentId) -> tuple[int, int]:
        return self.next_round[agent], self.places[agent]


@dataclass
class Workspace:
    seats: dict[AgentId, AgentSeat] = field(default_factory=dict)
    busy: dict[AgentId, set[ConversationId]] = field(default_factory=dict)
    circle: Circle = field(default_factory=Circle)
    chats: dict[ConversationId, Chat] = field(default_factory=dict)
    decisions: dict[EventId, Decision] = field(default_factory=dict)
    views: dict[ConversationId, ConversationView] = field(default_factory=dict)
    shown: dict[ConversationId, int] = field(default_factory=dict)
    log_offsets: dict[ConversationId, int] = field(default_factory=dict)
    timers: dict[str, int] = field(default_factory=dict)
    answers: dict[CommandId, Answer] = field(default_factory=dict)
    desks: dict[AgentId, set[ConversationId]] = field(default_factory=dict)
    epoch: int = 0


class FakeSwitchboard:
    """A :class:`rondo_router.ports.Switchboard` without a server."""

    def __init__(self) -> None:
        self.workspaces: dict[WorkspaceId, Workspace] = {}
        self._epochs: dict[int, int] = {}

    def _of(self, workspace_id: WorkspaceId) -> Workspace:
        return self.workspaces.setdefault(workspace_id, Workspace())

    def _fenced(self, epoch: Epoch, workspace_id: WorkspaceId) -> Workspace:
        workspace = self._of(workspace_id)
        if epoch < workspace.epoch:
            raise Fenced(f"epoch {epoch} is older than {workspace.epoch}")
        workspace.epoch = epoch
        return workspace

    async def claim(self, partition: int, now_ms: int) -> Epoch:
        self._epochs[partition] = max(self._epochs.get(partition, 0) + 1, now_ms)
        return Epoch(self._epochs[partition])

    async def seat_agents(
        self, epoch: Epoch, workspace_id: WorkspaceId, seats: Sequence[AgentSeat]
    ) -> None:
        workspace = self._fenced(epoch, workspace_id)
        for seat in seats:
            known = workspace.seats.get(seat.agent.id)
            if known is not None and known.version > seat.version:
                continue
            workspace.seats[seat.agent.id] = seat
            if seat.agent.live_chat:
                workspace.circle.join(seat.agent.id)
        _let_turns_pass(workspace)

    async def unseat_agents(
        self, epoch: Epoch, workspace_id: WorkspaceId, agent_ids: Sequence[AgentId]
    ) -> None:
        workspace = self._fenced(epoch, workspace_id)
        for agent_id in agent_ids:
            workspace.seats.pop(agent_id, None)
            workspace.circle.places.pop(agent_id, None)

    async def seated(self, workspace_id: WorkspaceId) -> set[AgentId]:
        workspace = self._of(workspace_id)
        return set(workspace.circle.places)

    async def decide(
        self, epoch: Epoch, instructions: Sequence[Instruction], now_ms: int
    ) -> list[Decision]:
        return [self._decide(epoch, each, now_ms) for each in instructions]

    async def show(self, epoch: Epoch, showings: Sequence[Showing]) -> dict[WorkspaceId, int | None]:
        for showing in showings:
            self._show(self._fenced(epoch, showing.instruction.workspace_id), showing)
        return await self.next_timers([each.instruction.workspace_id for each in showings])

    async def due_timers(
        self, workspace_ids: Sequence[WorkspaceId], now_ms: int
    ) -> list[tuple[WorkspaceId, str]]:
        return [
            (workspace_id, name)
            for workspace_id in workspace_ids
            for name, due in sorted(self._of(workspace_id).timers.items(), key=lambda each: each[1])
            if due <= now_ms
        ]

    async def next_timers(self, workspace_ids: Sequence[WorkspaceId]) -> dict[WorkspaceId, int | None]:
        return {each: min(self._of(each).timers.values(), default=None) for each in workspace_ids}

    # -- decisions ------------------------------------------------------------------------------

    def _decide(self, epoch: Epoch, instruction: Instruction, now: int) -> Decision:
        workspace = self._fenced(epoch, instruction.workspace_id)
        known = workspace.decisions.get(instruction.cause)
        conversation_id = instruction.conversation_id
        if known is not None:
            shown = workspace.shown.get(conversation_id, 0) >= known.version
            return known.model_copy(update={"repeated": shown})
        chat = workspace.chats.get(conversation_id)
        if chat is None and isinstance(instruction.action, RequestChat):
            chat = Chat(instruction.action.plan, instruction.action.request)
            workspace.chats[conversation_id] = chat
        if chat is None:
            return Decision(version=1, at=now, refusal="not-offered-to-you")
        result = self._steps(workspace, conversation_id, chat, instruction, now)
        _let_turns_pass(workspace)
        chat.version += 1
        decision = Decision(
            version=chat.version,
            at=now,
            steps=() if isinstance(result, str) else tuple(result),
            refusal=result if isinstance(result, str) else None,
            request=chat.request,
        )
        workspace.decisions[instruction.cause] = decision
        return decision

    def _steps(
        self,
        workspace: Workspace,
        conversation_id: ConversationId,
        chat: Chat,
        instruction: Instruction,
        now: int,
    ) -> list[Step] | str:
        match instruction.action:
            case RequestChat():
                if chat.status != "requested":
                    return []
                return [self._offer_next(workspace, conversation_id, chat, now)]
            case AcceptOffer(agent_id):
                if chat.status == "active" and chat.agent and chat.agent.id == agent_id:
                    return []
                if refusal := _offer_refusal(chat, agent_id, now):
                    return refusal
                chat.status = "active"
                return [decided.Accepted(agent=_agent(chat), attempt=chat.attempt)]
            case DeclineOffer(agent_id):
                if refusal := _offer_refusal(chat, agent_id, now):
                    return refusal
                workspace.busy[agent_id].discard(conversation_id)
                declined = decided.Declined(agent_id=agent_id, attempt=chat.attempt)
                return [declined, self._offer_next(workspace, conversation_id, chat, now)]
            case TimeOutOffer(attempt):
                if chat.status != "offered" or chat.attempt != attempt or now < chat.expires_at:
                    return []
                agent_id = _agent(chat).id
                workspace.busy[agent_id].discard(conversation_id)
                missed = decided.TimedOut(agent_id=agent_id, attempt=chat.attempt)
                return [missed, self._offer_next(workspace, conversation_id, chat, now)]
            case WithdrawRequest():
                return self._withdraw(workspace, conversation_id, chat, instruction.action)
            case EndConversation():
                return self._end(workspace, conversation_id, chat, instruction.action)

    def _withdraw(
        self,
        workspace: Workspace,
        conversation_id: ConversationId,
        chat: Chat,
        action: WithdrawRequest,
    ) -> list[Step] | str:
        if chat.status == "withdrawn":
            return []
        if chat.status != "offered":
            return "conversation-already-active" if chat.status == "active" else "conversation-over"
        agent_id = _agent(chat).id
        workspace.busy[agent_id].discard(conversation_id)
        chat.status = "withdrawn"
        return [
            decided.Rescinded(agent_id=agent_id, attempt=chat.attempt),
            decided.Withdrawn(by=action.by),
        ]

    def _end(
        self,
        workspace: Workspace,
        conversation_id: ConversationId,
        chat: Chat,
        action: EndConversation,
    ) -> list[Step] | str:
        by = action.by
        if by.type == "agent" and (chat.agent is None or chat.agent.id != by.id):
            return "not-your-conversation"
        if chat.status == "ended":
            return []
        if chat.status != "active":
            return "conversation-not-active"
        workspace.busy[_agent(chat).id].discard(conversation_id)
        chat.status = "ended"
        reason = "agent_ended" if by.type == "agent" else "visitor_ended"
        return [decided.Ended.model_validate({"reason": reason, "by": by, "agent": _agent(chat)})]

    # -- offers ---------------------------------------------------------------------------------

    def _offer_next(
        self, workspace: Workspace, conversation_id: ConversationId, chat: Chat, now: int
    ) -> Step:
        if chat.plan.fall_back_at_once is not None:
            return _fall_back(chat, chat.plan.fall_back_at_once, StepWhy(stage="guards"))
        if chat.attempt >= chat.plan.attempts_max:
            stage = chat.plan.stages[chat.stage].name
            return _fall_back(chat, FallbackReason.NOT_ANSWERED, StepWhy(stage=stage))
        for index in range(chat.stage, len(chat.plan.stages)):
            stage_ = chat.plan.stages[index]
            agent_id, why = self._candidate(workspace, stage_, chat.tried)
            if agent_id is not None:
                return self._offer(workspace, conversation_id, chat, now, index, agent_id, why)
        return _fall_back(chat, FallbackReason.NOBODY_AVAILABLE, why)

    def _candidate(
        self, workspace: Workspace, stage: Stage, tried: Sequence[AgentId]
    ) -> tuple[AgentId | None, StepWhy]:
        match stage:
            case AgentStage(agent_id=agent_id):
                reason = "already_tried" if agent_id in tried else _unfit(workspace, agent_id)
                passed = () if reason is None else (_passed(agent_id, reason),)
                why = StepWhy(stage=stage.name, passed_over=passed, passed_over_count=len(passed))
                return (agent_id if reason is None else None), why
            case PoolStage():
                return _next_in_circle(workspace, stage, tried)

    def _offer(
        self,
        workspace: Workspace,
        conversation_id: ConversationId,
        chat: Chat,
        now: int,
        index: int,
        agent_id: AgentId,
        why: StepWhy,
    ) -> Step:
        circle = workspace.circle
        place = None
        if isinstance(chat.plan.stages[index], PoolStage):
            turn = circle.turn(agent_id)
            circle.served = max(circle.served, turn)
            circle.next_round[agent_id] = turn[0] + 1
            place = turn[1]
        workspace.busy.setdefault(agent_id, set()).add(conversation_id)
        card = workspace.seats[agent_id].agent.card()
        chat.status, chat.agent, chat.stage = "offered", card, index
        chat.attempt += 1
        chat.tried.append(agent_id)
        chat.expires_at = now + chat.plan.offer_timeout_s * 1000
        why = why.model_copy(
            update={
                "place": place,
                "attempts_left": chat.plan.attempts_max - chat.attempt,
                "stages_left": tuple(each.name for each in chat.plan.stages[index + 1 :]),
            }
        )
        return decided.Offered(
            agent=card,
            attempt=chat.attempt,
            offered_at=now,
            expires_at=chat.expires_at,
            why=why,
        )

    # -- showing --------------------------------------------------------------------------------

    def _show(self, workspace: Workspace, showing: Showing) -> None:
        conversation_id = showing.instruction.conversation_id
        view = showing.view
        if view is not None and showing.log_offset is not None:
            known = workspace.log_offsets.get(conversation_id, -1)
            workspace.log_offsets[conversation_id] = max(known, showing.log_offset)
        if view is not None and workspace.shown.get(conversation_id, 0) < showing.version:
            workspace.shown[conversation_id] = showing.version
            workspace.views[conversation_id] = view
            if view.offer is not None and showing.due is not None:
                workspace.timers[offer_timer(conversation_id, view.offer.attempt)] = showing.due
            for agent_id in showing.released:
                workspace.desks.setdefault(agent_id, set()).discard(conversation_id)
            for agent_id in showing.rings:
                workspace.desks.setdefault(agent_id, set()).add(conversation_id)
        if showing.done_timer is not None:
            workspace.timers.pop(showing.done_timer, None)
        if showing.answer is not None:
            workspace.answers[showing.instruction.cause] = showing.answer


def _unfit(workspace: Workspace, agent_id: AgentId) -> str | None:
    seat = workspace.seats.get(agent_id)
    if seat is None or not seat.agent.live_chat:
        return "no_permission"
    full = len(workspace.busy.get(agent_id, ())) >= seat.capacity
    return "at_capacity" if full else None


def _next_in_circle(
    workspace: Workspace, stage: PoolStage, tried: Sequence[AgentId]
) -> tuple[AgentId | None, StepWhy]:
    """Whoever has the earliest turn; those before them in the circle were passed over."""
    circle = workspace.circle
    fit = [each for each in circle.places if _unfit(workspace, each) is None and each not in tried]
    if not fit:
        members = [each for each in circle.places if _is_member(workspace, each)]
        return None, _why(stage, sorted(members, key=circle.places.__getitem__), tried)
    chosen = min(fit, key=circle.turn)
    turn = circle.turn(chosen)
    passed = [] if turn <= circle.served else _between(workspace, circle.served[1], turn[1])
    return chosen, _why(stage, passed, tried)


def _let_turns_pass(workspace: Workspace) -> None:
    """Whoever is away or full while their turn passes has it a round later: no debt, no credit."""
    circle = workspace.circle
    for agent_id in circle.places:
        while _unfit(workspace, agent_id) is not None and circle.turn(agent_id) <= circle.served:
            circle.next_round[agent_id] += 1


def _between(workspace: Workspace, last: int, chosen: int) -> list[AgentId]:
    """The members after place ``last`` and before place ``chosen``, going round."""
    places = workspace.circle.places
    members = sorted((place, each) for each, place in places.items() if _is_member(workspace, each))
    if chosen > last:
        return [each for place, each in members if last < place < chosen]
    after = [each for place, each in members if place > last]
    return after + [each for place, each in members if place < chosen]


def _is_member(workspace: Workspace, agent_id: AgentId) -> bool:
    seat = workspace.seats.get(agent_id)
    return seat is not None and seat.agent.live_chat


def _why(stage: PoolStage, passed: Sequence[AgentId], tried: Sequence[AgentId]) -> StepWhy:
    told = [_passed(each, "already_tried" if each in tried else "at_capacity") for each in passed[:20]]
    return StepWhy(stage=stage.name, passed_over=tuple(told), passed_over_count=len(passed))


def _passed(agent_id: AgentId, reason: str) -> PassedOver:
    return PassedOver(agent_id=agent_id, reason=PassedOverReason(reason))


def _fall_back(chat: Chat, reason: FallbackReason, why: StepWhy) -> Step:
    chat.status, chat.agent = "fell_back", None
    fallback = chat.plan.fallback
    return decided.FellBack(
        reason=reason, message=fallback.message, offer_meeting=fallback.offer_meeting, why=why
    )


def _agent(chat: Chat) -> AgentCard:
    assert chat.agent is not None
    return chat.agent


def _offer_refusal(chat: Chat, agent_id: AgentId, now: int) -> str | None:
    if chat.status == "offered" and chat.agent is not None and chat.agent.id == agent_id:
        return "offer-expired" if now >= chat.expires_at else None
    if chat.status == "active":
        return "conversation-already-taken"
    return "offer-expired" if agent_id in chat.tried else "not-offered-to-you"
