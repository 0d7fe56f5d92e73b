"""The rules of rotation and capacity as properties, over any course of events.

The plain fake is the model: whatever happens, the real Redis Functions decide as it does.
"""

from __future__ import annotations

import uuid
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from rondo_common.ids import AgentId, ConversationId
from rondo_router.adapters.redis_switchboard import RedisSwitchboard
from rondo_router.domain.decision import Decision, Offered
from rondo_router.domain.instruction import Instruction, instruction_of_timer
from rondo_router.domain.outcome import showing_of
from rondo_router.ports import Epoch, Switchboard
from tests.router.chats import Desk, seat
from tests.router.fake_switchboard import FakeSwitchboard

NOW = 1_700_000_000_000
AGENTS = [f"agent-{number}" for number in range(5)]
CHATS = [f"cnv_{number}" for number in range(12)]

agents = st.sampled_from(AGENTS)
chats = st.sampled_from(CHATS)
happenings = st.one_of(
    st.tuples(st.just("seat"), agents, st.integers(1, 3), st.booleans()),
    st.tuples(st.just("unseat"), agents),
    st.tuples(st.just("ask"), chats, st.integers(1, 3)),
    st.tuples(st.just("ask_for"), chats, agents),
    st.tuples(st.just("accept"), chats, agents),
    st.tuples(st.just("decline"), chats, agents),
    st.tuples(st.just("withdraw"), chats),
    st.tuples(st.just("end"), chats),
    st.tuples(st.just("wait"), st.sampled_from([1_000, 60_000, 100_000])),
)


class Course:
    """Plays happenings on one switchboard and keeps what was decided."""

    def __init__(self, board: Switchboard, epoch: Epoch, workspace: str) -> None:
        self.board = board
        self.epoch = epoch
        self.desk = Desk(workspace)
        self.now = NOW
        self.version = 0
        self.decisions: list[Decision] = []

    async def play(self, happening: tuple[object, ...]) -> None:
        match happening:
            case ("seat", str(agent), int(capacity), bool(live)):
                self.version += 1
                one = seat(agent, capacity=capacity, live_chat=live, version=self.version)
                await self.board.seat_agents(self.epoch, self.desk.workspace_id, [one])
            case ("unseat", str(agent)):
                await self.board.unseat_agents(self.epoch, self.desk.workspace_id, [AgentId(agent)])
            case ("wait", int(milliseconds)):
                self.now += milliseconds
                due = await self.board.due_timers([self.desk.workspace_id], self.now)
                await self._decide(*(instruction_of_timer(*timer) for timer in due))
            case _:
                await self._decide(self._instruction(happening))

    def _instruction(self, happening: tuple[object, ...]) -> Instruction:
        match happening:
            case ("ask", str(chat), int(attempts)):
                return self.desk.ask(chat, attempts=attempts)
            case ("ask_for", str(chat), str(agent)):
                return self.desk.ask(chat, to=agent)
            case ("accept", str(chat), str(agent)):
                return self.desk.accept(chat, agent)
            case ("decline", str(chat), str(agent)):
                return self.desk.decline(chat, agent)
            case ("withdraw", str(chat)):
                return self.desk.withdraw(chat)
            case ("end", str(chat)):
                return self.desk.end(chat)
        raise AssertionError(happening)

    async def _decide(self, *instructions: Instruction) -> None:
        decisions = await self.board.decide(self.epoch, instructions, self.now)
        showings = [showing_of(*each) for each in zip(instructions, decisions, strict=True)]
        await self.board.show(self.epoch, showings)
        self.decisions.extend(decisions)


def _known(course: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Only what can happen: the gateway passes on no command for a chat nobody asked for."""
    asked: set[object] = set()
    possible = []
    for happening in course:
        if happening[0] in {"ask", "ask_for"}:
            asked.add(happening[1])
        if happening[0] in {"seat", "unseat", "wait"} or happening[1] in asked:
            possible.append(happening)
    return possible


@given(course=st.lists(happenings, max_size=40).map(_known))
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_the_redis_functions_decide_as_the_plain_rules_do(
    redis: Redis, course: list[tuple[object, ...]]
) -> None:
    await redis.connection_pool.disconnect()  # Each example runs in an event loop of its own.
    workspace = f"w-{uuid.uuid4().hex[:12]}"
    fake, real = FakeSwitchboard(), RedisSwitchboard(redis)
    model = Course(fake, await fake.claim(0, NOW), workspace)
    actual = Course(real, await real.claim(0, NOW), workspace)
    for happening in course:
        await model.play(happening)
        await actual.play(happening)
        assert actual.decisions == model.decisions


@given(course=st.lists(happenings, max_size=60).map(_known))
@settings(deadline=None)
async def test_no_agent_is_offered_a_chat_twice_nor_more_chats_than_their_capacity(
    course: list[tuple[object, ...]],
) -> None:
    board = FakeSwitchboard()
    played = Course(board, await board.claim(0, NOW), "w")
    for happening in course:
        before = len(played.decisions)
        await played.play(happening)
        workspace = board.workspaces[played.desk.workspace_id]
        for chat in workspace.chats.values():
            assert len(chat.tried) == len(set(chat.tried))
        for decision in played.decisions[before:]:
            for step in decision.steps:
                if isinstance(step, Offered):
                    agent_id = step.agent.id
                    assert len(workspace.busy[agent_id]) <= workspace.seats[agent_id].capacity


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
    steady: int, course: list[tuple[object, ...]]
) -> None:
    board = FakeSwitchboard()
    epoch = await board.claim(0, NOW)
    desk = Desk("w")
    names = [f"steady-{number}" for number in range(steady)]
    await board.seat_agents(
        epoch, desk.workspace_id, [seat("x", capacity=1), *(seat(n, capacity=1000) for n in names)]
    )
    offers: Counter[str] = Counter()
    asked = version = 0
    for happening in course:
        match happening:
            case ("ask",):
                asked += 1
                (decision,) = await board.decide(epoch, [desk.ask(f"cnv_{asked}")], NOW)
                last = decision.steps[-1]
                assert isinstance(last, Offered)
                offers[last.agent.id] += 1
            case ("seat", str(name), bool(live)):
                version += 1
                one = seat(name, capacity=1, live_chat=live, version=version)
                await board.seat_agents(epoch, desk.workspace_id, [one])
            case ("free", int(number)) if ConversationId(f"cnv_{number}") in _open(board, desk):
                await board.decide(epoch, [desk.withdraw(f"cnv_{number}")], NOW)
        counts = [offers[name] for name in names]
        assert max(counts) - min(counts) <= 1


def _open(board: FakeSwitchboard, desk: Desk) -> set[ConversationId]:
    chats = board.workspaces[desk.workspace_id].chats
    return {each for each, chat in chats.items() if chat.status == "offered"}
