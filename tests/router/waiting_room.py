"""One workspace on the real Redis Functions, with a clock moved by hand: for who is silent, or gone."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from redis.asyncio import Redis

from rondo_common.availability import Availability
from rondo_common.clock import from_milliseconds, milliseconds
from rondo_common.conversation import AgentCard, Message, Party, Request, RoundRobinRoute, Status, Visitor
from rondo_common.directory.entries import AgentEntry, Kind, WorkspaceEntry, WorkspaceSettings
from rondo_common.directory.view import Directory, DirectoryChange, WorkspaceDirectory
from rondo_common.events import AgentDefined, WorkspaceDefined
from rondo_common.ids import AgentId, ConversationId, EventId, MessageId, VisitorId, WorkspaceId
from rondo_common.redis.keys import view_key, visitor_presence_key, workspace_key
from rondo_router.adapters.redis_switchboard import RedisSwitchboard
from rondo_router.domain.decision import ChatStep, Decision
from rondo_router.domain.instruction import (
    AcceptOffer,
    Action,
    EndConversation,
    Instruction,
    RequestChat,
    SeatAgent,
    instruction_of_timer,
    read_timer,
)
from rondo_router.domain.memory import Recorded, WorkspaceMemory
from rondo_router.domain.outcome import events_of, showing_of
from rondo_router.domain.route_plan import plan_route
from rondo_router.domain.seat import AgentSeat
from rondo_router.ports import Epoch

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
CNV = ConversationId("cnv_1")
GRACE = AgentId("grace")
ALAN = AgentId("alan")
ADA = Party(type="visitor", id="ada")
AVAILABLE = Availability(available=True, source="schedule")


class WaitingRoom:
    """Decides, publishes to a list, and shows. Fires its timers exactly when they are due."""

    def __init__(self, redis: Redis, epoch: Epoch) -> None:
        self.redis = redis
        self.board = RedisSwitchboard(redis)
        self.epoch = epoch
        self.workspace_id = WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")
        self.now = START
        self.log: list[Recorded] = []
        self._causes = 0

    async def furnish(self, *agents: AgentId) -> None:
        """Seat the agents."""
        await self.board.adopt(self.epoch, 0, [self.workspace_id])
        for place, agent_id in enumerate(agents, start=1):
            seat = AgentSeat(
                card=AgentCard(id=agent_id, name=agent_id.title()),
                place=place,
                capacity=10,
                may_chat=True,
                needs_presence=False,
                availability=AVAILABLE,
            )
            await self.do(SeatAgent(agent_id, seat))

    async def ask(self, settings: WorkspaceSettings) -> Decision:
        """Ada asks for a chat."""
        asked = Request(
            visitor=Visitor(id=VisitorId("ada")), route=RoundRobinRoute(), requested_at=self.now
        )
        return await self.do(RequestChat(CNV, plan_route(asked, self.directory(settings)), asked))

    async def accept(self, agent_id: AgentId = GRACE) -> Decision:
        """The agent takes the offer."""
        return await self.do(AcceptOffer(CNV, agent_id))

    async def end(self) -> Decision:
        """Ada ends the chat."""
        return await self.do(EndConversation(CNV, ADA))

    async def say(self, number: int = 1) -> None:
        """A message, as the gateway marks and publishes it."""
        at = str(milliseconds(self.now))
        await self.redis.hset(view_key(self.workspace_id, CNV), "last_message_at", at)
        message = Message.model_validate(
            {
                "id": MessageId(f"msg_{number}"),
                "author": {"type": "visitor", "id": "ada"},
                "text": "hej",
                "sent_at": self.now,
            }
        )
        self.said = message

    async def see_visitor(self, until: datetime) -> None:
        """What the gateway notes of a visitor's stream."""
        score: dict[str, int] = {CNV: milliseconds(until)}
        await self.redis.zadd(visitor_presence_key(self.workspace_id), score)

    async def do(self, action: Action) -> Decision:
        """Decide one thing."""
        self._causes += 1
        cause = EventId(f"cause-{self._causes}")
        (decision,) = await self._carry_out([Instruction(self.workspace_id, cause, action)])
        return decision

    async def pass_time(self, seconds: float) -> list[tuple[float, str]]:
        """Let time pass, firing timers as they fall due: what happened, and so many seconds from the
        start."""
        until = self.now + timedelta(seconds=seconds)
        told: list[tuple[float, str]] = []
        while (due := await self._next_due()) is not None and due <= until:
            self.now = max(due, self.now)
            told += [(self.elapsed_s(), happened) for happened in await self.fire_due()]
        self.now = until
        return told

    async def fire_due(self) -> list[str]:
        """Fire what is due now: what happened to conversations."""
        timers = await self.board.due_timers([self.workspace_id], milliseconds(self.now))
        decisions = await self._carry_out([instruction_of_timer(read_timer(*each)) for each in timers])
        return [step.type for each in decisions for step in each.steps if isinstance(step, ChatStep)]

    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return (self.now - START).total_seconds()

    async def status(self) -> Status:
        """As everybody sees it."""
        return Status(str(await self.redis.hget(view_key(self.workspace_id, CNV), "status")))

    async def timers(self) -> list[str]:
        """The kinds of all timers."""
        return sorted(name.partition("/")[0] for name in await self.timer_names())

    async def timer_names(self) -> list[str]:
        """The names of all timers."""
        return [str(each) for each in await self.redis.zrange(self._timers_key, 0, -1)]

    async def set_timer(self, name: str) -> None:
        """Let a timer be due at once."""
        await self.redis.zadd(self._timers_key, {name: 0})

    @property
    def _timers_key(self) -> str:
        return workspace_key(self.workspace_id, "timers")

    async def forget(self, settings: WorkspaceSettings) -> None:
        """Redis loses the workspace, and the log brings it back."""
        keys = [key async for key in self.redis.scan_iter(f"{workspace_key(self.workspace_id)}*")]
        await self.redis.delete(*keys)
        memory = WorkspaceMemory(self.directory(settings))
        for record in self.log:
            memory.take(record)
        memory.settle()
        await self.board.restore(self.epoch, self.workspace_id, memory, milliseconds(self.now))
        await self.board.adopt(self.epoch, 0, [self.workspace_id])

    def directory(self, settings: WorkspaceSettings) -> WorkspaceDirectory:
        """The workspace with these settings, as the directory has it."""
        view = Directory()
        workspace = WorkspaceEntry(id=self.workspace_id, name="Acme", settings=settings, created_at=START)
        agent = AgentEntry(id=GRACE, name="Grace", email="grace@example.com", place=1)
        for offset, (kind, name, event) in enumerate(
            [
                (Kind.WORKSPACE, workspace.id, WorkspaceDefined(workspace=workspace)),
                (Kind.AGENT, agent.id, AgentDefined(agent=agent)),
            ]
        ):
            view.apply(DirectoryChange(self.workspace_id, kind, name, event, 0, offset))
        found = view.find(self.workspace_id)
        assert found is not None
        return found

    async def _carry_out(self, instructions: Sequence[Instruction]) -> list[Decision]:
        decisions = await self.board.decide(self.epoch, instructions, milliseconds(self.now))
        for decision in decisions:
            events = [] if decision.repeated else events_of(self.workspace_id, decision)
            first = len(self.log)
            self.log += [Recorded(each, first + number) for number, each in enumerate(events)]
            offsets = range(first, len(self.log))
            await self.board.show(self.epoch, [showing_of(self.workspace_id, decision, offsets)])
        return decisions

    async def _next_due(self) -> datetime | None:
        due = (await self.board.next_timers([self.workspace_id]))[self.workspace_id]
        return None if due is None else from_milliseconds(due)


async def open_waiting_room(redis: Redis, *agents: AgentId) -> WaitingRoom:
    """A waiting room with these agents."""
    epoch = await RedisSwitchboard(redis).claim(11, milliseconds(START))
    room = WaitingRoom(redis, epoch)
    await room.furnish(*agents)
    return room
