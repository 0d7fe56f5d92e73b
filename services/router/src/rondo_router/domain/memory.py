"""What the log remembers of a workspace: the switchboard's state, told again from the events alone.

Redis can lose everything. The log has it all but what only passed through: who was away, kept turns
beyond those the events name, and the commands that were refused.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from rondo_common.clock import milliseconds
from rondo_common.conversation import (
    AgentCard,
    Ended,
    Fallback,
    FallbackReason,
    Offer,
    PassedOverReason,
    Rating,
    Request,
    Status,
    Why,
)
from rondo_common.conversation_view import ConversationView
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.envelope import Envelope
from rondo_common.events import (
    AcknowledgeAlert,
    AgentConnected,
    AgentDisconnected,
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
    ConversationErased,
    ConversationEvent,
    ConversationIdleWarned,
    ConversationRated,
    Event,
    MessagePosted,
    MessagesRead,
    TranscriptRequested,
    TransferReturned,
)
from rondo_common.ids import AgentId, ConversationId, EventId
from rondo_router.domain.route_plan import RoutePlan, members_of, plan_route

GUARDS = frozenset(
    {
        FallbackReason.LIVE_CHAT_DISABLED,
        FallbackReason.ENGAGEMENT_LIMIT,
        FallbackReason.BLOCKED_EMAIL_DOMAIN,
    }
)
"""What stops a request before it counts as an engagement."""


CAUSES_MAX = 10_000
"""How many of the latest causes are remembered: many more than are ever decided but not committed."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event, and its offset in the log."""

    envelope: Envelope[Event]
    offset: int


@dataclass(slots=True)
class ChatMemory:
    """One conversation as the events leave it. ``stage`` counts from 0."""

    request: Request
    plan: RoutePlan
    status: Status = Status.REQUESTED
    stage: int = 0
    attempt: int = 0
    unanswered: int = 0
    """How many offers of the present leg went unanswered."""
    agent: AgentCard | None = None
    offer: AssignmentOffered | None = None
    tried: list[AgentId] = field(default_factory=list)
    queued: ChatQueued | None = None
    """Its latest wait, also after it ended: the place in the queue stays with the conversation."""
    ended: Ended | None = None
    fallback: Fallback | None = None
    version: int = 0
    state_offset: int = -1
    log_offset: int = -1
    last_message_at: datetime | None = None
    active_at: datetime | None = None
    """When an agent last took it."""
    rating: Rating | None = None
    rating_offset: int = -1
    idle_ends_at: datetime | None = None
    """When it ends, both sides having been warned; None when somebody wrote since."""

    def view(self, conversation_id: ConversationId) -> ConversationView:
        """The conversation as everybody may see it."""
        offer = self.offer
        return ConversationView(
            id=conversation_id,
            status=self.status,
            request=self.request,
            agent=self.agent,
            offer=None
            if offer is None
            else Offer(
                agent_id=offer.agent.id,
                attempt=offer.attempt,
                offered_at=offer.offered_at,
                expires_at=offer.expires_at,
            ),
            ended=self.ended,
            fallback=self.fallback,
        )

    @property
    def is_waiting(self) -> bool:
        """True while it stands in the queue."""
        return self.status is Status.QUEUED

    @property
    def holders(self) -> tuple[AgentId, ...]:
        """The agents whose capacity it takes a place of."""
        cards = (self.agent, self.offer.agent if self.offer is not None else None)
        return () if self.status.is_final else tuple(card.id for card in cards if card is not None)


@dataclass(slots=True)
class PoolMemory:
    """How far a pool's rotation came: the turn served last, and each agent's last."""

    counter: int = 0
    served: dict[AgentId, int] = field(default_factory=dict)
    kept: set[AgentId] = field(default_factory=set)
    """Who was passed over only because they had been tried for that chat: their next turn stands."""

    def serve(self, turn: Turn) -> None:
        """The counter moves on, never back."""
        self.served[turn.agent_id] = max(turn.turn, self.served.get(turn.agent_id, 0))
        self.kept.discard(turn.agent_id)
        if turn.turn > self.counter:
            self.counter = turn.turn
            self.kept.update(turn.kept_for)


@dataclass(slots=True)
class WorkspaceMemory:
    """Everything the log remembers of one workspace, under its present directory.

    Hand it the workspace's records one by one, each conversation's in order, each agent's in order; the
    same event twice is harmless. Then :meth:`settle` it.
    """

    directory: WorkspaceDirectory
    chats: dict[ConversationId, ChatMemory] = field(default_factory=dict)
    pools: dict[str, PoolMemory] = field(default_factory=dict)
    engagements: dict[str, int] = field(default_factory=dict)
    """How many requests counted, by calendar month."""
    causes: deque[EventId] = field(default_factory=lambda: deque(maxlen=CAUSES_MAX))
    """What was decided and told, the latest."""
    queue_order: int = 0
    """How many conversations ever waited."""
    present: set[AgentId] = field(default_factory=set)
    """Who was present, as far as the log knows."""
    _turns: list[Turn] = field(default_factory=list)
    _known: set[EventId] = field(default_factory=set)

    def take(self, record: Recorded) -> None:
        """Remember one more record."""
        envelope = record.envelope
        if envelope.id in self._known:
            return
        self._known.add(envelope.id)
        if envelope.cause is not None:
            self.causes.append(envelope.cause)
        match envelope.event:
            case ConversationErased(conversation_id=conversation_id):
                self.chats.pop(conversation_id, None)
            case ConversationEvent():
                self._take_conversation(envelope.event, record)
            case AgentConnected(agent_id=agent_id):
                self.present.add(agent_id)
            case AgentDisconnected(agent_id=agent_id):
                self.present.discard(agent_id)

    def settle(self) -> None:
        """Make sense of what came from several partitions, all of it being there."""
        for turn in sorted(self._turns):
            pool = self.pools.setdefault(turn.pool, PoolMemory())
            pool.serve(turn)
        for name, pool in self.pools.items():
            pool.kept &= members_of(self.directory, name)
        self.present &= self.directory.agents.keys()

    def broken_off(self) -> list[ConversationId]:
        """The conversations that are neither offered, nor waiting, nor over."""
        return [each for each, chat in self.chats.items() if chat.status is Status.REQUESTED]

    def _take_conversation(self, event: ConversationEvent, record: Recorded) -> None:
        chat = self.chats.get(event.conversation_id) or self._begin(event)
        if chat is None:
            return
        chat.log_offset = max(chat.log_offset, record.offset)
        if isinstance(event, MessagePosted):
            chat.last_message_at, chat.idle_ends_at = event.message.sent_at, None
            return
        if isinstance(event, ConversationRated):
            chat.rating, chat.rating_offset = event.rating, record.offset
            return
        if isinstance(event, MessagesRead | TranscriptRequested | AcknowledgeAlert):
            return
        chat.version += 1
        chat.state_offset = record.offset
        _move(chat, event, record.envelope.time)
        if isinstance(event, ChatQueued):
            self.queue_order = max(self.queue_order, event.order)
        if isinstance(event, AssignmentOffered) and event.why.pool and event.why.turn:
            self._turns.append(turn_of(event, event.why.pool, event.why.turn))

    def _begin(self, event: ConversationEvent) -> ChatMemory | None:
        """The conversation that begins with ``event``; None when its beginning is in the log no more."""
        if not isinstance(event, AssignmentOffered | ChatQueued | ChatFellBack):
            return None
        chat = ChatMemory(event.request, plan_route(event.request, self.directory))
        self.chats[event.conversation_id] = chat
        if not (isinstance(event, ChatFellBack) and event.fallback.reason in GUARDS):
            month = chat.plan.engagements.month
            self.engagements[month] = self.engagements.get(month, 0) + 1
        return chat


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """One turn that was served. Ordered by when."""

    at_ms: int
    turn: int
    pool: str
    agent_id: AgentId
    kept_for: tuple[AgentId, ...]
    """Who was passed over only because they had been tried for that chat."""


def turn_of(event: AssignmentOffered, pool: str, turn: int) -> Turn:
    """The turn that an offer took."""
    passed = event.why.passed_over
    tried = tuple(each.agent_id for each in passed if each.reason is PassedOverReason.ALREADY_TRIED)
    return Turn(milliseconds(event.offered_at), turn, pool, event.agent.id, tried)


def _move(chat: ChatMemory, event: ConversationEvent, at: datetime) -> None:  # noqa: C901, PLR0912 - one case an event
    """Let the conversation be where ``event`` leaves it."""
    match event:
        case AssignmentOffered():
            chat.offer, chat.attempt = event, event.attempt
            if event.transferred_by is None:
                chat.status = Status.OFFERED
                chat.tried.append(event.agent.id)
                _enter_stage(chat, event.why)
        case ChatQueued():
            chat.status, chat.queued = Status.QUEUED, event
        case AssignmentAccepted():
            chat.status, chat.agent, chat.offer = Status.ACTIVE, event.agent, None
            chat.active_at, chat.idle_ends_at = at, None
        case ConversationIdleWarned(ends_at=ends_at):
            chat.idle_ends_at = ends_at
        case AssignmentDeclined() | AssignmentTimedOut():
            _close_offer(chat)
            if chat.status is Status.REQUESTED:
                chat.unanswered += 1
        case AssignmentRescinded():
            _close_offer(chat)
        case ChatTransferred():
            chat.agent = event.to_agent
        case TransferReturned():
            chat.offer = None
        case ChatFellBack():
            chat.status, chat.fallback = Status.FELL_BACK, event.fallback
        case ChatWithdrawn():
            chat.status = Status.WITHDRAWN
        case ChatEnded():
            chat.status, chat.offer = Status.ENDED, None
            chat.ended = Ended(reason=event.reason, by=event.by, at=at)


def _close_offer(chat: ChatMemory) -> None:
    """The offer is over. Unless the conversation was only handed over, what comes next is still to come."""
    chat.offer = None
    if chat.status is Status.OFFERED:
        chat.status = Status.REQUESTED


def _enter_stage(chat: ChatMemory, why: Why) -> None:
    """Find the stage of an offer in the plan, which may have changed since."""
    stages = chat.plan.stages
    before = stages[chat.stage].leg if chat.stage < len(stages) else 0
    for number, stage in enumerate(stages):
        if stage.name == why.stage and stage.pool == why.pool:
            chat.stage = number
            if stage.leg != before:
                chat.unanswered = 0
            return
