"""What the log tells of a workspace, read as anybody outside may read it: each event once, in order."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from rondo_common.conversation import TAKEN, Status
from rondo_common.envelope import Envelope
from rondo_common.events import (
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
    Event,
)
from rondo_common.ids import AgentId, ConversationId, EventId

FINAL = {
    ChatEnded: Status.ENDED,
    ChatFellBack: Status.FELL_BACK,
    ChatWithdrawn: Status.WITHDRAWN,
}


@dataclass
class Tale:
    """One conversation."""

    told: list[str] = field(default_factory=list)
    """The types of its events."""
    asked: list[AgentId] = field(default_factory=list)
    """Whom it was offered to along its plan; handing over not counted, nor who asked for it."""
    open: list[AgentId] = field(default_factory=list)
    """Whose offers of it are open."""
    open_most: int = 0
    agent: AgentId | None = None
    wins: list[tuple[AgentId, list[AgentId]]] = field(default_factory=list)
    """Who accepted it, with whom it was open to at that time."""
    handed_over: int = 0
    finals: list[Status] = field(default_factory=list)
    told_after_the_end: list[str] = field(default_factory=list)
    is_waiting: bool = False

    @property
    def holders(self) -> set[AgentId]:
        """Who must hold a place for it."""
        if self.finals:
            return set()
        return {*self.open, *([] if self.agent is None else [self.agent])}


@dataclass
class Story:
    """All conversations of a workspace."""

    tales: defaultdict[ConversationId, Tale] = field(default_factory=lambda: defaultdict(Tale))
    turns: defaultdict[str, list[tuple[AgentId, int]]] = field(default_factory=lambda: defaultdict(list))
    """The turns that were served, of each pool, in order."""
    loads: list[tuple[AgentId, int]] = field(default_factory=list)
    """Who was offered a chat, and how many places they held then, that one included."""
    repeated: Counter[EventId] = field(default_factory=Counter)
    """How often events were told again."""
    _known: set[EventId] = field(default_factory=set)

    def take(self, envelope: Envelope[Event]) -> None:
        """Read on."""
        if envelope.id in self._known:
            self.repeated[envelope.id] += 1
            return
        self._known.add(envelope.id)
        if isinstance(envelope.event, ConversationEvent):
            self._read(envelope.event, self.tales[envelope.event.conversation_id])

    def load(self, agent: AgentId) -> int:
        """How many places the agent holds."""
        return sum(agent in tale.holders for tale in self.tales.values())

    def held(self, agent: AgentId) -> set[str]:
        """The conversations for which the agent holds a place."""
        return {each for each, tale in self.tales.items() if agent in tale.holders}

    def _read(self, event: ConversationEvent, tale: Tale) -> None:
        tale.told.append(event.TYPE)
        if tale.finals:
            tale.told_after_the_end.append(event.TYPE)
        if type(event) in FINAL:
            tale.finals.append(FINAL[type(event)])
        match event:
            case AssignmentOffered():
                self._read_offer(event, tale)
            case AssignmentAccepted(agent=card):
                tale.wins.append((card.id, list(tale.open)))
                tale.open = [each for each in tale.open if each != card.id]
                tale.agent = card.id
            case ChatTransferred():
                tale.handed_over += 1
            case AssignmentDeclined() | AssignmentTimedOut() | AssignmentRescinded():
                tale.open = [each for each in tale.open if each != event.agent_id]
        tale.is_waiting = isinstance(event, ChatQueued)

    def _read_offer(self, event: AssignmentOffered, tale: Tale) -> None:
        agent = event.agent.id
        tale.open.append(agent)
        tale.open_most = max(tale.open_most, len(tale.open))
        if event.transferred_by is None and event.why.stage != TAKEN:
            tale.asked.append(agent)
        self.loads.append((agent, self.load(agent)))
        if event.why.pool is not None and event.why.turn is not None:
            self.turns[event.why.pool].append((agent, event.why.turn))
