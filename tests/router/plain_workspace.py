"""One workspace of the plain switchboard: who sits there, who may be offered a chat, who waits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from rondo_common.answers import Answer
from rondo_common.conversation import PassedOver, PassedOverReason, Queue, Status, queue_at
from rondo_common.conversation_view import ConversationView
from rondo_common.ids import AgentId, CommandId, ConversationId, EventId
from rondo_router.domain.decision import Decision, StepWhy
from rondo_router.domain.route_plan import ALL_AGENTS, Stage
from rondo_router.domain.seat import AgentSeat
from tests.router.plain_chats import Chat
from tests.router.plain_rotation import Circle, Turn

PASSED_OVER_MAX = 20
PACE_S_RANGE = (1.0, 3600.0)
PACE_WEIGHT = 0.2


@dataclass
class Shown:
    """What the world sees of one conversation."""

    version: int = 0
    view: ConversationView | None = None
    log_offset: int = -1
    state_offset: int = -1


@dataclass
class Workspace:
    """Everything of one workspace."""

    epoch: int = 0
    seats: dict[AgentId, AgentSeat] = field(default_factory=dict)
    present: set[AgentId] = field(default_factory=set)
    leases: dict[AgentId, int] = field(default_factory=dict)
    """Until when each agent is present, in ms; the gateway's to write."""
    visitors_seen: dict[ConversationId, int] = field(default_factory=dict)
    """Until when each visitor who waits was seen, in ms; the gateway's to write."""
    last_message_at: dict[ConversationId, int] = field(default_factory=dict)
    """The gateway's to write, too."""
    circles: dict[str, Circle] = field(default_factory=dict)
    pools: set[str] = field(default_factory=set)
    """The pools that were defined."""
    chats: dict[ConversationId, Chat] = field(default_factory=dict)
    engagements: dict[str, int] = field(default_factory=dict)
    queue_order: int = 0
    queue_since: int | None = None
    pace_s: float | None = None
    decisions: dict[EventId, Decision] = field(default_factory=dict)
    untold: list[EventId] = field(default_factory=list)
    timers: dict[str, int] = field(default_factory=dict)
    shown: dict[ConversationId, Shown] = field(default_factory=dict)
    desks: dict[AgentId, set[ConversationId]] = field(default_factory=dict)
    answers: dict[CommandId, Answer] = field(default_factory=dict)

    # -- who may be offered a chat --------------------------------------------------------------

    def circle(self, pool: str) -> Circle:
        return self.circles.setdefault(pool, Circle())

    def chats_of(self, agent: AgentId) -> list[Chat]:
        """The conversations that take a place of the agent's capacity, in a fixed order."""
        return sorted(
            (chat for chat in self.chats.values() if agent in chat.holders),
            key=lambda chat: chat.conversation_id,
        )

    def unfit(self, agent: AgentId) -> PassedOverReason | None:
        """Why the agent cannot be offered a chat now, or None."""
        seat = self.seats.get(agent)
        if seat is None or not seat.may_chat:
            return PassedOverReason.NO_PERMISSION
        if not seat.availability.available:
            return PassedOverReason.AWAY
        if seat.needs_presence and agent not in self.present:
            return PassedOverReason.NOT_PRESENT
        if len(self.chats_of(agent)) >= seat.capacity:
            return PassedOverReason.AT_CAPACITY
        return None

    def let_turns_pass(self) -> None:
        """To be called whenever somebody's fitness or a counter has changed."""
        for circle in self.circles.values():
            circle.let_turns_pass(lambda agent: self.unfit(agent) is None)

    def members(self, stage: Stage) -> Collection[AgentId]:
        """Who is to be found at a stage of a plan."""
        if stage.pool is not None:
            return self.circle(stage.pool).places
        return () if stage.agent_id is None else (stage.agent_id,)

    def candidate(self, stage: Stage, tried: Collection[AgentId]) -> AgentId | None:
        """Who is to be offered a chat at this stage, if anybody."""
        able = [each for each in self.members(stage) if each not in tried and self.unfit(each) is None]
        if stage.pool is None:
            return able[0] if able else None
        return self.circle(stage.pool).next_of(able)

    def why(self, stage: Stage, chosen: AgentId | None, tried: Collection[AgentId]) -> StepWhy:
        """Why that agent, or nobody: who came before, and why it was not they."""
        if stage.pool is None:
            passed = list(self.members(stage)) if chosen is None else []
        else:
            circle = self.circle(stage.pool)
            turn: Turn | None = None if chosen is None else circle.turns[chosen]
            passed = circle.passed_over(turn)
        return StepWhy(
            stage=stage.name,
            pool=stage.pool,
            passed_over=tuple(
                PassedOver(agent_id=each, reason=self._why_not(each, tried))
                for each in passed[:PASSED_OVER_MAX]
            ),
            passed_over_count=len(passed),
        )

    def _why_not(self, agent: AgentId, tried: Collection[AgentId]) -> PassedOverReason:
        unfit = None if agent in tried else self.unfit(agent)
        return unfit or PassedOverReason.ALREADY_TRIED

    def take_place(self, agent: AgentId, seat: AgentSeat) -> None:
        """Only who may chat is in the sequence of all agents; one who no longer may keeps their place."""
        self.seats[agent] = seat
        for circle in self.circles.values():
            circle.awaited.discard(agent)
        if seat.may_chat:
            self.circle(ALL_AGENTS).join(agent, seat.place)
        else:
            self.circle(ALL_AGENTS).step_out(agent)

    # -- who waits ------------------------------------------------------------------------------

    def line(self) -> list[Chat]:
        """Those who wait, the first one first."""
        waiting = [chat for chat in self.chats.values() if chat.status is Status.QUEUED]
        return sorted(waiting, key=lambda chat: chat.line_key)

    def queue_at(self, position: int) -> Queue:
        return queue_at(position, self.pace_s)

    def may_take(self, agent: AgentId, chat: Chat) -> bool:
        """Whether a chat that waits may go to the agent."""
        return agent not in chat.tried and any(
            agent in self.members(stage) for _, stage in chat.stages_ahead()
        )

    def learn_pace(self, now: int) -> None:
        """Somebody was taken: what a place is worth, by the time since the one before."""
        least, most = PACE_S_RANGE
        since = now if self.queue_since is None else self.queue_since
        sample = min(max((now - since) / 1000, least), most)
        pace = sample if self.pace_s is None else (1 - PACE_WEIGHT) * self.pace_s + PACE_WEIGHT * sample
        self.pace_s = round(pace, 3)
        self.queue_since = now
