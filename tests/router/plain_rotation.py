"""The rotation told plainly: a circle of places, and a counter that goes round it.

A turn is a round and a place. Everybody has a next turn; the counter is the turn that was served last.
Next is whoever has the smallest turn among those who may be offered a chat now.

- A turn that passes while its agent could not be offered a chat is neither owed nor owing: it moves on
  to the next round.
- A turn that passes because its agent was tried for that very chat is kept: it stays the smallest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from rondo_common.ids import AgentId

PLACES_IN_A_ROUND = 1_048_576


class Turn(NamedTuple):
    """Which round, and which place in it."""

    round: int
    place: int

    @property
    def number(self) -> int:
        """As decisions tell it."""
        return self.round * PLACES_IN_A_ROUND + self.place

    @classmethod
    def of(cls, number: int) -> Turn:
        return cls(*divmod(number, PLACES_IN_A_ROUND))


@dataclass
class Circle:
    """One pool's rotation."""

    places: dict[AgentId, int] = field(default_factory=dict)
    """Who is in it now, and where."""
    turns: dict[AgentId, Turn] = field(default_factory=dict)
    """Everybody's next turn, also of those who are out for a while."""
    awaited: set[AgentId] = field(default_factory=set)
    """Who has a kept turn from before a loss, and is not seated again yet."""
    counter: Turn = field(default_factory=lambda: Turn(0, 0))

    def join(self, agent: AgentId, place: int) -> None:
        """One who is new, or sits at another place than before, waits for the counter to come round."""
        self.places[agent] = place
        known = self.turns.get(agent)
        if known is None or known.place != place:
            self.turns[agent] = self._first_to_come(place)

    def step_out(self, agent: AgentId) -> None:
        """Out for a while: their place and turn are kept for them."""
        self.places.pop(agent, None)

    def leave(self, agent: AgentId) -> None:
        """Out for good: who joins again is new."""
        self.places.pop(agent, None)
        self.turns.pop(agent, None)

    def let_turns_pass(self, can_take: Callable[[AgentId], bool]) -> None:
        """Move on the turns that the counter has passed, of all who could not be offered a chat."""
        for agent, turn in self.turns.items():
            is_able = agent in self.awaited or (agent in self.places and can_take(agent))
            if turn <= self.counter and not is_able:
                self.turns[agent] = self._first_to_come(turn.place)

    def next_of(self, candidates: Iterable[AgentId]) -> AgentId | None:
        """Whose turn it is."""
        return min(candidates, key=lambda each: (self.turns[each], each), default=None)

    def serve(self, agent: AgentId) -> Turn:
        """The agent takes their turn; the counter moves on to it, never back."""
        turn = self.turns[agent]
        self.turns[agent] = Turn(turn.round + 1, turn.place)
        self.counter = max(self.counter, turn)
        return turn

    def passed_over(self, turn: Turn | None) -> list[AgentId]:
        """Whose places lie between the counter and this turn, going round; everybody's without one."""
        members = sorted(self.places, key=lambda each: (self.places[each], each))
        if turn is None:
            return members
        if turn <= self.counter:
            return []  # It was kept for them: nobody came before.
        last, chosen = self.counter.place, turn.place
        if last < chosen:
            return [each for each in members if last < self.places[each] < chosen]
        after = [each for each in members if self.places[each] > last]
        return after + [each for each in members if self.places[each] < chosen]

    def restore(self, counter: int, served: dict[AgentId, int], kept: Collection[AgentId]) -> None:
        """Go on where the log says it stood: each agent's next turn is a round after their last."""
        self.counter = Turn.of(counter)
        self.awaited = set(kept)
        for agent, number in served.items():
            last = Turn.of(number)
            following = Turn(last.round + 1, last.place)
            is_past = following <= self.counter and agent not in kept
            self.turns[agent] = self._first_to_come(last.place) if is_past else following

    def _first_to_come(self, place: int) -> Turn:
        this_round = Turn(self.counter.round, place)
        return this_round if this_round > self.counter else Turn(self.counter.round + 1, place)
