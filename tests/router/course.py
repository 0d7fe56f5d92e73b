"""A busy day at one switchboard: visitors, agents and time, chosen by a seeded generator."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from rondo_common.conversation import Route
from rondo_common.ids import AgentId
from rondo_router.domain.instruction import Instruction
from tests.router.chats import ROUND_ROBIN, RULES, Asking, agent_route, team_route
from tests.router.provisioned import FROM_SWEDEN, Provisioned
from tests.router.story import Story, Tale

AGENTS = ("ada", "bea", "cem", "dov", "eve")
TEAMS = ("sales", "help")
ROUTES: tuple[Route, ...] = (
    ROUND_ROBIN,
    ROUND_ROBIN,
    RULES,
    agent_route("ada"),
    *map(team_route, TEAMS),
)
EMAILS = ("x@mail.com", "x@mail.com", "x@mail.com", "x@zeta.com", "x@rival.com")


def provision(here: Provisioned) -> None:
    """Five agents, two teams, two rules, an account, a queue."""
    here.settings(
        queue={"enabled": True, "size_max": 4, "max_wait_s": 250},
        offer_attempts={"round_robin": 2},
        blocked_email_domains=["rival.com"],
        visitor_lease_s=60,
        idle_timeout_s=500,
    )
    here.agents(*AGENTS, capacity=2)
    here.team("sales", "cem", "bea")
    here.team("help", "eve", "dov", "ada")
    here.rule("swedes", "bea", "dov", conditions=FROM_SWEDEN)
    here.account("zeta", "ada", "zeta.com")


class Course:
    """What visitors and agents ask, one thing after the other, knowing what the log tells."""

    def __init__(self, asking: Asking, story: Story, chosen: random.Random) -> None:
        self._asking = asking
        self._story = story
        self._chosen = chosen
        self.asked: list[str] = []

    def next(self, now: int) -> Instruction:
        """What is asked next."""
        steps = [self._ask, self._answer, self._withdraw, self._end, self._hand_over, self._take]
        (step,) = self._chosen.choices(steps, weights=[4, 5, 1, 2, 1.5, 0.5])
        return step(now) if self.asked else self._ask(now)

    def _ask(self, now: int) -> Instruction:
        self.asked.append(f"cnv_{len(self.asked) + 1}")
        return self._asking.ask(
            self.asked[-1],
            self._chosen.choice(ROUTES),
            email=self._chosen.choice(EMAILS),
            country=self._chosen.choice([None, "Sweden"]),
            priority=self._chosen.choice([0, 0, 0, 2]),
            at=now,
        )

    def _answer(self, _: int) -> Instruction:
        chat, agent = self._one(lambda tale: tale.open)
        if self._chosen.random() < 0.65:
            return self._asking.accept(chat, agent)
        return self._asking.decline(chat, agent)

    def _withdraw(self, _: int) -> Instruction:
        chat, _agent = self._one(lambda tale: tale.open or ([AgentId("")] if tale.is_waiting else []))
        return self._asking.withdraw(chat)

    def _end(self, _: int) -> Instruction:
        chat, agent = self._one(lambda tale: [tale.agent] if tale.agent else [])
        return self._asking.end(chat, by_agent=self._chosen.choice([agent, None]))

    def _hand_over(self, _: int) -> Instruction:
        chat, agent = self._one(lambda tale: [tale.agent] if tale.agent else [])
        if self._chosen.random() < 0.5:
            return self._asking.transfer(chat, agent, team=self._chosen.choice(TEAMS))
        return self._asking.transfer(chat, agent, agent=self._chosen.choice(AGENTS))

    def _take(self, _: int) -> Instruction:
        chat, _agent = self._one(lambda tale: [AgentId("")] if tale.is_waiting else [])
        return self._asking.take(chat, self._chosen.choice(AGENTS))

    def _one(self, agents_of: Callable[[Tale], Sequence[AgentId]]) -> tuple[str, str]:
        """A conversation with such an agent, and mostly that agent; else any two."""
        tales = [(chat, agents_of(tale)) for chat, tale in self._story.tales.items() if not tale.finals]
        able: list[tuple[str, str]] = [(chat, found[-1]) for chat, found in tales if found]
        if able and self._chosen.random() < 0.9:
            return self._chosen.choice(able)
        return self._chosen.choice(self.asked), self._chosen.choice(AGENTS)
