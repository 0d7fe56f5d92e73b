"""What one assignment costs the switchboard, by the size of the pool; beside the least it could cost."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median

from redis.asyncio import Redis

from rondo_common.availability import Availability
from rondo_common.conversation import AgentCard, Request, RoundRobinRoute, Visitor
from rondo_common.directory.entries import WorkspaceEntry, WorkspaceSettings
from rondo_common.directory.view import WorkspaceDirectory
from rondo_common.ids import AgentId, ConversationId, EventId, VisitorId, WorkspaceId
from rondo_router.adapters.redis_switchboard import RedisSwitchboard
from rondo_router.domain.instruction import Instruction, RequestChat, SeatAgent
from rondo_router.domain.outcome import showing_of
from rondo_router.domain.route_plan import plan_route
from rondo_router.domain.seat import AgentSeat
from rondo_router.ports import Epoch

CAPACITY = 1_000_000
BATCH = 200
ROUNDS = 10
PARTITION = 0

ALWAYS = Availability(available=True, source="schedule")


class Hall:
    """A scratch workspace with so many agents, on the real functions."""

    def __init__(self, redis: Redis, agents: int) -> None:
        self.board = RedisSwitchboard(redis)
        self.workspace_id = WorkspaceId(f"bench-{uuid.uuid4().hex[:8]}")
        self._agents = agents
        self._epoch = Epoch(0)
        self._asked = 0
        now = datetime.now(UTC)
        self._directory = WorkspaceDirectory(
            workspace=WorkspaceEntry(
                id=self.workspace_id, name="bench", settings=WorkspaceSettings(), created_at=now
            )
        )

    async def open(self) -> None:
        """Seat everybody."""
        self._epoch = await self.board.claim(PARTITION, _now_ms())
        await self.board.adopt(self._epoch, PARTITION, [self.workspace_id])
        seats = [
            Instruction(self.workspace_id, EventId(f"seat-{number}"), self._seat(number))
            for number in range(1, self._agents + 1)
        ]
        await self.board.decide(self._epoch, seats, _now_ms())

    async def assign(self, count: int) -> float:
        """Decide and show so many requests in one batch. The seconds it took."""
        asked = [self._ask() for _ in range(count)]
        started = time.perf_counter()
        decisions = await self.board.decide(self._epoch, asked, _now_ms())
        await self.board.show(self._epoch, [showing_of(self.workspace_id, each) for each in decisions])
        return time.perf_counter() - started

    async def close(self) -> None:
        """Leave nothing behind."""
        await self.board.discard(PARTITION, self.workspace_id)

    def _seat(self, number: int) -> SeatAgent:
        agent_id = AgentId(f"agent-{number:05}")
        seat = AgentSeat(
            card=AgentCard(id=agent_id, name=agent_id),
            place=number,
            capacity=CAPACITY,
            may_chat=True,
            needs_presence=False,
            availability=ALWAYS,
        )
        return SeatAgent(agent_id, seat)

    def _ask(self) -> Instruction:
        self._asked += 1
        request = Request(
            visitor=Visitor(id=VisitorId("u-17"), email="ada@example.com"),
            route=RoundRobinRoute(),
            requested_at=datetime.now(UTC),
        )
        conversation_id = ConversationId(f"cnv_{self._asked}")
        action = RequestChat(conversation_id, plan_route(request, self._directory), request)
        return Instruction(self.workspace_id, EventId(f"ask-{self._asked}"), action)


async def cost_by_pool(redis_url: str, sizes: Sequence[int]) -> dict[int, float]:
    """Microseconds of one assignment, for each pool size, measured by turns so that noise hits all."""
    redis = Redis.from_url(redis_url, decode_responses=True)
    halls = {size: Hall(redis, size) for size in sizes}
    try:
        for hall in halls.values():
            await hall.open()
            await hall.assign(BATCH)
        taken: dict[int, list[float]] = {size: [] for size in sizes}
        for _ in range(ROUNDS):
            for size, hall in halls.items():
                taken[size].append(await hall.assign(BATCH))
        return {size: 1e6 * median(each) / BATCH for size, each in taken.items()}
    finally:
        for hall in halls.values():
            await hall.close()
        await redis.aclose()


def _now_ms() -> int:
    return int(time.time() * 1000)
