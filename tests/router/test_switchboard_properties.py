"""The whole switchboard under any course of events: the real Redis Functions decide as the plain rules
do, and the invariants hold."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from rondo_common.conversation import TAKEN, Route
from rondo_common.directory.entries import Kind
from rondo_common.directory.view import DirectoryChange
from rondo_common.ids import AgentId, ConversationId
from rondo_router.domain.decision import Decision, Offered
from rondo_router.domain.instruction import Instruction
from tests.router import invariants
from tests.router.chats import ROUND_ROBIN, RULES, agent_route, team_route
from tests.router.fake_switchboard import FakeSwitchboard
from tests.router.hall import PARTITION, Hall, fake_hall, redis_hall
from tests.router.plain_workspace import Workspace
from tests.router.provisioned import FROM_SWEDEN, NEVER
from tests.router.story import Story, Tale

T = TypeVar("T")

AGENTS = ["ada", "bea", "cem", "dov", "eve"]
TEAMS = ["sales", "help"]
RULE_NAMES = ["swedes", "others"]
ROUTES: list[Route] = [ROUND_ROBIN, RULES, *map(team_route, TEAMS), *map(agent_route, AGENTS[:2])]
WITH_A_QUEUE = {
    "visitor_lease_s": 60,
    "idle_timeout_s": 200,
    "queue": {"enabled": True, "size_max": 4, "max_wait_s": 150},
    "blocked_email_domains": ["rival.com"],
}

agents = st.sampled_from(AGENTS)
members = st.lists(agents, unique=True, max_size=4)
chance = st.integers(0, 1_000_000)
mostly = st.sampled_from([True, True, True, False])


class BothSwitchboards(RuleBasedStateMachine):
    """Plays the same on the plain switchboard and on the real one."""

    def __init__(self, redis_url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis = Redis.from_url(redis_url, decode_responses=True)
        self.plain: Hall = self.run(fake_hall())
        self.real: Hall = self.run(redis_hall(self.redis, self.plain.here))
        self.story = Story()
        self.asked: list[str] = []
        self.last: Instruction | None = None
        here = self.plain.here
        self.run(
            self._provision(
                here.settings(**WITH_A_QUEUE),
                here.account("zeta", "ada", "zeta.com"),
                *here.agents(*AGENTS[:3], capacity=2),
                here.team("sales", "cem", "bea"),
                here.rule("swedes", "bea", conditions=FROM_SWEDEN),
            )
        )

    def teardown(self) -> None:
        self.run(self.redis.aclose())
        self.runner.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    # -- playing --------------------------------------------------------------------------------

    @property
    def workspace(self) -> Workspace:
        board = self.plain.board
        assert isinstance(board, FakeSwitchboard)
        return board.workspaces[self.plain.workspace_id]

    async def _both(self, *instructions: Instruction) -> list[Decision]:
        line = invariants.line_of(self.workspace)
        self.real.now = self.plain.now
        offers_before = len(self.story.loads)
        capacities = self._capacities()
        decisions = await self.plain.board.decide(self.plain.epoch, instructions, self.plain.now)
        assert await self.real.board.decide(self.real.epoch, instructions, self.plain.now) == decisions
        untold = await self.plain.board.untold([self.plain.workspace_id])
        assert await self.real.board.untold([self.plain.workspace_id]) == untold
        known = len(self.plain.log)
        for decision in decisions:
            await self.plain.tell(decision)
            await self.real.tell(decision)
        for record in self.plain.log[known:]:
            self.story.take(record.envelope)
        rooms = Counter(capacities) | Counter(self._capacities())
        invariants.capacity_never_passed(self.story.loads[offers_before:], rooms)
        offers = [
            (step.conversation_id, step.agent.id)
            for decision in decisions
            for step in decision.steps
            if isinstance(step, Offered) and step.why.stage != TAKEN
        ]
        if len(instructions) == 1:
            invariants.strict_queue_order(line, offers)
        return decisions

    def _capacities(self) -> dict[AgentId, int]:
        return {agent: seat.capacity for agent, seat in self.workspace.seats.items()}

    async def _provision(self, *changes: DirectoryChange) -> None:
        for each in self.plain.instructions_for(changes):
            await self._both(each)

    def play(self, instruction: Instruction) -> None:
        self.last = instruction
        self.run(self._both(instruction))

    def _one_with(
        self, agents_of: Callable[[Tale], Sequence[AgentId]], number: int
    ) -> tuple[str, AgentId | None]:
        """A conversation with such an agent, and the agent; any at all where there is none."""
        tales = [(chat, agents_of(tale)) for chat, tale in self.story.tales.items() if not tale.finals]
        able = [(chat, found[-1]) for chat, found in tales if found]
        if able:
            return able[number % len(able)]
        return self.asked[number % len(self.asked)], None

    # -- the directory --------------------------------------------------------------------------

    @rule(
        name=agents,
        capacity=st.integers(1, 3),
        state=st.sampled_from(["here", "here", "here", "away", "may not chat", "gone", "new"]),
    )
    def change_agent(self, name: str, capacity: int, state: str) -> None:
        here = self.plain.here
        changes = [here.remove(Kind.AGENT, name)] if state in {"gone", "new"} else []
        if state != "gone":
            schedule = NEVER if state == "away" else None
            fields = {"live_chat": state != "may not chat", "schedule": schedule}
            changes.append(here.agent(name, capacity=capacity, **fields))
        self.run(self._provision(*changes))

    @rule(which=st.sampled_from([*TEAMS, *RULE_NAMES]), names=st.none() | members)
    def change_pool(self, which: str, names: list[str] | None) -> None:
        here, kind = self.plain.here, Kind.TEAM if which in TEAMS else Kind.RULE
        if names is None:
            change = here.remove(kind, which)
        elif kind is Kind.TEAM:
            change = here.team(which, *names)
        else:
            conditions = {"conditions": FROM_SWEDEN} if which == "swedes" else {}
            change = here.rule(which, *names, priority=len(names), **conditions)
        self.run(self._provision(change))

    @rule(
        presence_required=st.booleans(),
        is_queueing=mostly,
        attempts=st.integers(1, 3),
        limit=st.sampled_from([None, None, None, 3]),
    )
    def change_settings(
        self, presence_required: bool, is_queueing: bool, attempts: int, limit: int | None
    ) -> None:
        change = self.plain.here.settings(
            **(WITH_A_QUEUE if is_queueing else {}),
            presence_required=presence_required,
            offer_attempts={"round_robin": attempts, "custom_rules": attempts},
            engagements_per_month_max=limit,
        )
        self.run(self._provision(change))

    # -- visitors and agents --------------------------------------------------------------------

    @rule(
        route=st.sampled_from(ROUTES),
        email=st.sampled_from([*["x@mail.com"] * 5, "x@zeta.com", "x@zeta.com", "x@rival.com"]),
        country=st.sampled_from([None, "Sweden"]),
        priority=st.integers(0, 2),
        times=st.integers(1, 3),
    )
    def ask(self, route: Route, email: str, country: str | None, priority: int, times: int) -> None:
        fields = {"email": email, "country": country, "priority": priority, "at": self.plain.now}
        for _ in range(times):
            self.asked.append(f"cnv_{len(self.asked) + 1}")
            self.play(self.plain.asking.ask(self.asked[-1], route, **fields))

    @precondition(lambda self: self.asked)
    @rule(number=chance, name=agents, is_right=mostly, accepts=mostly)
    def answer(self, number: int, name: str, is_right: bool, accepts: bool) -> None:
        chat, right = self._one_with(lambda tale: tale.open, number)
        agent = right if is_right and right else name
        asking = self.plain.asking
        self.play(asking.accept(chat, agent) if accepts else asking.decline(chat, agent))

    @precondition(lambda self: self.asked)
    @rule(number=chance, is_waiting=st.booleans())
    def withdraw(self, number: int, is_waiting: bool) -> None:
        chat, _ = self._one_with(
            lambda tale: [AgentId("")] if is_waiting and tale.is_waiting else tale.open, number
        )
        self.play(self.plain.asking.withdraw(chat))

    @precondition(lambda self: self.asked)
    @rule(number=chance, name=agents, by_agent=st.booleans(), is_right=mostly)
    def end(self, number: int, name: str, by_agent: bool, is_right: bool) -> None:
        chat, right = self._one_with(lambda tale: [tale.agent] if tale.agent else [], number)
        by = (right if is_right and right else name) if by_agent else None
        self.play(self.plain.asking.end(chat, by_agent=by))

    @precondition(lambda self: self.asked)
    @rule(number=chance, name=agents, to=st.sampled_from([*AGENTS, *TEAMS]), is_right=mostly)
    def hand_over(self, number: int, name: str, to: str, is_right: bool) -> None:
        chat, right = self._one_with(lambda tale: [tale.agent] if tale.agent else [], number)
        whom = {"team": to} if to in TEAMS else {"agent": to}
        self.play(self.plain.asking.transfer(chat, right if is_right and right else name, **whom))

    @precondition(lambda self: self.asked)
    @rule(number=chance, name=agents, is_waiting=mostly)
    def take(self, number: int, name: str, is_waiting: bool) -> None:
        chat, _ = self._one_with(
            lambda tale: [AgentId("")] if is_waiting and tale.is_waiting else tale.open, number
        )
        self.play(self.plain.asking.take(chat, name))

    @rule(route=st.sampled_from(ROUTES), email=st.sampled_from(["x@mail.com", "x@zeta.com"]))
    def preview(self, route: Route, email: str) -> None:
        self.play(self.plain.asking.preview(route, email=email, at=self.plain.now))

    @rule(name=agents, lease_s=st.sampled_from([20, 75, 400]))
    def open_inbox(self, name: str, lease_s: int) -> None:
        for hall in (self.plain, self.real):
            hall.now = self.plain.now
            self.run(hall.renew_lease(name, lease_s=lease_s))
        self.play(self.plain.asking.present(name))

    @precondition(lambda self: self.asked)
    @rule(number=chance, lasts_s=st.sampled_from([0, 45]))
    def see_visitor(self, number: int, lasts_s: int) -> None:
        chat, until = ConversationId(self.asked[number % len(self.asked)]), self.plain.now + lasts_s * 1000
        for hall in (self.plain, self.real):
            self.run(hall.world.see_visitor(self.plain.workspace_id, chat, until))

    @precondition(lambda self: self.asked)
    @rule(number=chance)
    def write_message(self, number: int) -> None:
        chat, _ = self._one_with(lambda tale: [tale.agent] if tale.agent else [], number)
        for hall in (self.plain, self.real):
            self.run(hall.world.note_message(self.plain.workspace_id, ConversationId(chat), self.plain.now))

    # -- time and owners ------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.001, 30, 75, 100]))
    def wait(self, seconds: float) -> None:
        self.plain.now += round(seconds * 1000)
        while timers := self.run(self.plain.board.due_timers([self.plain.workspace_id], self.plain.now)):
            real = self.run(self.real.board.due_timers([self.plain.workspace_id], self.plain.now))
            assert real == timers
            for _, name in timers:
                self.run(self._both(self.plain.instruction_of(name)))

    @precondition(lambda self: self.last)
    @rule()
    def say_it_again_to_another_owner(self) -> None:
        assert self.last is not None
        self.run(self._take_over())
        self.run(self._both(self.last))

    async def _take_over(self) -> None:
        for hall in (self.plain, self.real):
            hall.epoch = await hall.board.claim(PARTITION, self.plain.now)
            await hall.board.adopt(hall.epoch, PARTITION, [hall.workspace_id])
        seated = await self.plain.board.seated(self.plain.workspace_id)
        assert await self.real.board.seated(self.plain.workspace_id) == seated
        for each in self.plain.instructions_to_take_over(seated):
            await self._both(each)

    # -- what always holds ----------------------------------------------------------------------

    @invariant()
    def everything_holds(self) -> None:
        invariants.one_open_offer(self.story)
        invariants.nobody_tried_twice(self.story)
        invariants.exactly_one_winner(self.story)
        invariants.every_chat_ends_in_one_final_state(self.story)
        invariants.no_turn_served_twice(self.story)
        invariants.nobody_waits_whom_an_agent_could_take(self.workspace)
        self.run(self._world_is_the_same())

    async def _world_is_the_same(self) -> None:
        here = [self.plain.workspace_id]
        assert await self.real.board.next_timers(here) == await self.plain.board.next_timers(here)
        held = {AgentId(each): await self.real.held(each) for each in AGENTS}
        invariants.holders_match_places(self.story, held)
        for agent in AGENTS:
            assert await self.real.desk(agent) == await self.plain.desk(agent)
        for chat in self.asked[-3:]:
            assert await self.real.view(chat) == await self.plain.view(chat)


def test_the_redis_functions_decide_as_the_plain_rules_do(redis_url: str) -> None:
    class Machine(BothSwitchboards):
        def __init__(self) -> None:
            super().__init__(redis_url)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("seed", range(4))
def test_they_decide_alike_over_long_courses_too(redis_url: str, seed: int) -> None:
    print(f"seed {seed}")
    chosen, both = random.Random(seed), BothSwitchboards(redis_url)
    try:
        for _ in range(200):
            _play_one(both, chosen)
            both.everything_holds()
    finally:
        both.teardown()


def _play_one(both: BothSwitchboards, chosen: random.Random) -> None:  # noqa: PLR0912 - one case a happening
    """One step of a busy day: more visitors and answers than changes."""
    number, name = chosen.randrange(1000), chosen.choice(AGENTS)
    is_right, is_so = chosen.random() < 0.8, chosen.random() < 0.7
    match chosen.choices(range(13), weights=[5, 4, 1, 2, 2, 1, 0.5, 0.3, 1.5, 1, 2, 2, 1])[0]:
        case 0:
            email = chosen.choice(["x@mail.com", "x@zeta.com"])
            both.ask(chosen.choice(ROUTES), email, chosen.choice([None, "Sweden"]), number % 3, 2)
        case 1 if both.asked:
            both.answer(number, name, is_right, is_so)
        case 2 if both.asked:
            both.withdraw(number, is_so)
        case 3 if both.asked:
            both.end(number, name, is_so, is_right)
        case 4 if both.asked:
            both.hand_over(number, name, chosen.choice([*AGENTS, *TEAMS]), is_right)
        case 5:
            states = ["here", "here", "here", "away", "may not chat", "gone", "new"]
            both.change_agent(name, chosen.randint(1, 3), chosen.choice(states))
        case 6:
            names = None if not is_right else chosen.sample(AGENTS, chosen.randint(1, 4))
            both.change_pool(chosen.choice([*TEAMS, *RULE_NAMES]), names)
        case 7:
            both.change_settings(not is_so, is_right, chosen.randint(1, 3), None)
        case 8:
            both.open_inbox(name, chosen.choice([20, 75, 400]))
        case 9:
            both.wait(chosen.choice([0.001, 30, 75, 100]))
        case 10 if both.asked:
            both.see_visitor(number, chosen.choice([0, 45]))
        case 11 if both.asked:
            both.write_message(number)
        case 12 if both.asked:
            both.take(number, name, is_right)


Happening = tuple[str] | tuple[str, str, bool] | tuple[str, int]


@given(
    steady=st.integers(1, 4),
    course=st.lists(
        st.one_of(
            st.just(("ask",)),
            st.tuples(st.just("seat"), st.sampled_from(["x", "y"]), st.booleans()),
            st.tuples(st.just("free"), st.integers(0, 30)),
        ),
        max_size=60,
    ),
)
@settings(deadline=None)
async def test_among_agents_who_stayed_available_offers_never_differ_by_more_than_one(
    steady: int, course: Sequence[Happening]
) -> None:
    hall = await fake_hall()
    names = [f"steady-{number}" for number in range(steady)]
    await hall.provision(hall.here.agent("x", capacity=1), *hall.here.agents(*names, capacity=1000))
    offers: Counter[str] = Counter()
    asked = 0
    for happening in course:
        match happening:
            case ("ask",):
                asked += 1
                agent = await hall.offered(f"cnv_{asked}")
                assert agent is not None
                offers[agent] += 1
            case ("seat", str(name), bool(is_here)):
                await hall.provision(hall.here.agent(name, capacity=1, schedule=None if is_here else NEVER))
            case ("free", int(number)):
                await hall.one(hall.asking.withdraw(f"cnv_{number}"))
        invariants.fair_rotation(offers, names)
