"""A switchboard with one workspace, played on: decide, tell, show, at a time that is moved by hand."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from redis.asyncio import Redis

from rondo_common.clock import from_milliseconds
from rondo_common.conversation import Status
from rondo_common.conversation_view import ConversationView
from rondo_common.directory.view import DirectoryChange
from rondo_common.ids import AgentId, ConversationId, WorkspaceId
from rondo_common.redis.keys import (
    agent_conversations_key,
    presence_key,
    view_key,
    visitor_presence_key,
    workspace_key,
)
from rondo_router.adapters.redis_switchboard import RedisSwitchboard
from rondo_router.domain.decision import ChatStep, Decision, Offered
from rondo_router.domain.instruction import Instruction, instruction_of_timer, read_timer
from rondo_router.domain.memory import Recorded
from rondo_router.domain.outcome import events_of, showing_of
from rondo_router.domain.seat import seat_of
from rondo_router.domain.seating import follow_changes, take_over
from rondo_router.ports import Epoch, Seated, Switchboard
from tests.router.chats import NOW, Asking
from tests.router.fake_switchboard import FakeSwitchboard
from tests.router.provisioned import Provisioned

PARTITION = 0


class World(Protocol):
    """What others than the router read and write beside a switchboard."""

    async def renew_lease(self, workspace_id: WorkspaceId, agent: AgentId, until_ms: int) -> None: ...

    async def see_visitor(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, until_ms: int
    ) -> None: ...

    async def note_message(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, at_ms: int
    ) -> None: ...

    async def view(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> ConversationView | None: ...

    async def desk(self, workspace_id: WorkspaceId, agent: AgentId) -> set[str]: ...

    async def held(self, workspace_id: WorkspaceId, agent: AgentId) -> set[str]:
        """The conversations that take a place of the agent's capacity."""
        ...

    async def capacity(self, workspace_id: WorkspaceId, agent: AgentId) -> int:
        """How many the agent has room for, as the switchboard knows; 0 if they are not seated."""
        ...

    async def forget(self, workspace_ids: Sequence[WorkspaceId], partitions: Sequence[int]) -> None:
        """Lose everything of them, as a server does that comes back empty."""
        ...


class FakeWorld:
    """The world of the fake switchboard."""

    def __init__(self, board: FakeSwitchboard) -> None:
        self._board = board

    async def renew_lease(self, workspace_id: WorkspaceId, agent: AgentId, until_ms: int) -> None:
        self._board.workspaces[workspace_id].leases[agent] = until_ms

    async def see_visitor(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, until_ms: int
    ) -> None:
        self._board.workspaces[workspace_id].visitors_seen[conversation_id] = until_ms

    async def note_message(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, at_ms: int
    ) -> None:
        self._board.workspaces[workspace_id].last_message_at[conversation_id] = at_ms

    async def view(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> ConversationView | None:
        shown = self._board.workspaces[workspace_id].shown.get(conversation_id)
        if shown is None or shown.view is None:
            return None
        fields = shown.view.to_hash() | {
            "log_offset": str(shown.log_offset),
            "state_offset": str(shown.state_offset),
        }
        return ConversationView.from_hash(conversation_id, fields)

    async def desk(self, workspace_id: WorkspaceId, agent: AgentId) -> set[str]:
        return set(self._board.workspaces[workspace_id].desks.get(agent, ()))

    async def held(self, workspace_id: WorkspaceId, agent: AgentId) -> set[str]:
        chats = self._board.workspaces[workspace_id].chats_of(agent)
        return {chat.conversation_id for chat in chats}

    async def capacity(self, workspace_id: WorkspaceId, agent: AgentId) -> int:
        seat = self._board.workspaces[workspace_id].seats.get(agent)
        return 0 if seat is None else seat.capacity

    async def forget(self, workspace_ids: Sequence[WorkspaceId], partitions: Sequence[int]) -> None:  # noqa: ARG002 - all is lost
        self._board.forget()


class RedisWorld:
    """The world of the real one."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def renew_lease(self, workspace_id: WorkspaceId, agent: AgentId, until_ms: int) -> None:
        await self._redis.zadd(presence_key(workspace_id), {agent: until_ms})

    async def see_visitor(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, until_ms: int
    ) -> None:
        await self._redis.zadd(visitor_presence_key(workspace_id), {conversation_id: until_ms})

    async def note_message(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, at_ms: int
    ) -> None:
        await self._redis.hset(view_key(workspace_id, conversation_id), "last_message_at", str(at_ms))

    async def view(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> ConversationView | None:
        found = await self._redis.hgetall(view_key(workspace_id, conversation_id))
        fields = {str(name): str(value) for name, value in found.items()}
        return ConversationView.from_hash(conversation_id, fields) if "status" in fields else None

    async def desk(self, workspace_id: WorkspaceId, agent: AgentId) -> set[str]:
        return await self._members(agent_conversations_key(workspace_id, agent))

    async def held(self, workspace_id: WorkspaceId, agent: AgentId) -> set[str]:
        return await self._members(workspace_key(workspace_id, "agent", agent, "chats"))

    async def capacity(self, workspace_id: WorkspaceId, agent: AgentId) -> int:
        known = await self._redis.hget(workspace_key(workspace_id, "agent", agent), "capacity")
        return int(known or 0)

    async def forget(self, workspace_ids: Sequence[WorkspaceId], partitions: Sequence[int]) -> None:
        keys = [f"rondo:{kind}:{{{each}}}" for each in partitions for kind in ("epoch", "adopted")]
        for workspace_id in workspace_ids:
            keys += [key async for key in self._redis.scan_iter(f"{workspace_key(workspace_id)}:*")]
        await self._redis.delete(*keys)

    async def _members(self, key: str) -> set[str]:
        return {str(each) for each in await self._redis.smembers(key)}


class Hall:
    """One owner at one switchboard. The log is a list."""

    def __init__(self, board: Switchboard, world: World, provisioned: Provisioned, epoch: Epoch) -> None:
        self.board = board
        self.world = world
        self.here = provisioned
        self.epoch = epoch
        self.asking = Asking(provisioned)
        self.now = NOW
        self.log: list[Recorded] = []

    @property
    def workspace_id(self) -> WorkspaceId:
        return self.here.workspace_id

    # -- playing --------------------------------------------------------------------------------

    async def decide(self, *instructions: Instruction) -> list[Decision]:
        """Decide, tell the log, show."""
        decisions = await self.board.decide(self.epoch, instructions, self.now)
        for decision in decisions:
            await self.tell(decision)
        return decisions

    async def tell(self, decision: Decision) -> None:
        """Tell the log, then show it, if there is anything to tell or to show."""
        if not (decision.steps or decision.is_command or decision.timer):
            return
        events = [] if decision.repeated else events_of(self.workspace_id, decision)
        offsets = range(len(self.log), len(self.log) + len(events))
        self.log += [Recorded(each, offset) for each, offset in zip(events, offsets, strict=True)]
        await self.board.show(self.epoch, [showing_of(self.workspace_id, decision, offsets)])

    async def one(self, instruction: Instruction) -> Decision:
        (decision,) = await self.decide(instruction)
        return decision

    async def provision(self, *changes: DirectoryChange | Sequence[DirectoryChange]) -> list[Decision]:
        """Carry changes of the directory over, each as a batch of its own."""
        decisions: list[Decision] = []
        for change in changes:
            batch = [change] if isinstance(change, DirectoryChange) else change
            decisions += await self.decide(*self.instructions_for(batch))
        return decisions

    def instructions_for(self, changes: Sequence[DirectoryChange]) -> list[Instruction]:
        """What one batch of changes asks."""
        return follow_changes(changes, self.here.directory, from_milliseconds(self.now))

    async def take_over(self) -> list[Decision]:
        """Seat everybody as the directory says, as a new owner does."""
        seated = await self.board.seated(self.workspace_id)
        return await self.decide(*self.instructions_to_take_over(seated))

    def instructions_to_take_over(self, seated: Seated) -> list[Instruction]:
        """What a new owner asks of a switchboard where these are seated."""
        occasion = f"{self.epoch}/{self.now}/{len(self.log)}"
        now = from_milliseconds(self.now)
        return take_over(self.workspace_id, self.here.found, seated.agents, seated.pools, occasion, now)

    async def wait(self, seconds: float) -> list[Decision]:
        """Let time pass, and fire what is due by then."""
        self.now += round(seconds * 1000)
        decisions: list[Decision] = []
        while timers := await self.board.due_timers([self.workspace_id], self.now):
            decisions += await self.decide(*(self.instruction_of(name) for _, name in timers))
        return decisions

    def instruction_of(self, name: str) -> Instruction:
        timer = read_timer(self.workspace_id, name)
        seat = seat_of(self.here.found, timer.agent_id, from_milliseconds(self.now))
        return instruction_of_timer(timer, seat)

    async def connect(self, agent: str, *, lease_s: float = 75) -> Decision:
        """The agent opens an inbox."""
        await self.renew_lease(agent, lease_s=lease_s)
        return await self.one(self.asking.present(agent))

    async def renew_lease(self, agent: str, *, lease_s: float = 75) -> None:
        until = self.now + round(lease_s * 1000)
        await self.world.renew_lease(self.workspace_id, AgentId(agent), until)

    # -- looking --------------------------------------------------------------------------------

    async def offered(self, conversation: str, *args: Any, **kwargs: Any) -> str | None:
        """Ask for a chat; whom it is offered to."""
        return offered(await self.one(self.asking.ask(conversation, *args, **kwargs)))

    async def offers(self, *conversations: str, **kwargs: Any) -> list[str | None]:
        """The same of several, one after the other."""
        return [await self.offered(each, **kwargs) for each in conversations]

    async def status(self, conversation: str) -> Status | None:
        view = await self.view(conversation)
        return None if view is None else view.status

    async def view(self, conversation: str) -> ConversationView | None:
        return await self.world.view(self.workspace_id, ConversationId(conversation))

    async def desk(self, agent: str) -> set[str]:
        return await self.world.desk(self.workspace_id, AgentId(agent))

    async def held(self, agent: str) -> set[str]:
        return await self.world.held(self.workspace_id, AgentId(agent))


OpenHall = Callable[..., Awaitable[Hall]]
"""Opens a hall; its workspace has the settings given."""


async def open_hall(
    board: Switchboard, world: World, provisioned: Provisioned | None = None, **settings: Any
) -> Hall:
    """A hall whose workspace is adopted and empty."""
    here = provisioned or Provisioned(f"w-{uuid.uuid4().hex[:12]}", **settings)
    epoch = await board.claim(PARTITION, NOW)
    await board.adopt(epoch, PARTITION, [here.workspace_id])
    return Hall(board, world, here, epoch)


async def fake_hall(provisioned: Provisioned | None = None, **settings: Any) -> Hall:
    """On the plain switchboard."""
    board = FakeSwitchboard()
    return await open_hall(board, FakeWorld(board), provisioned, **settings)


async def redis_hall(redis: Redis, provisioned: Provisioned | None = None, **settings: Any) -> Hall:
    """On the real one."""
    return await open_hall(RedisSwitchboard(redis), RedisWorld(redis), provisioned, **settings)


def offered(decision: Decision) -> str | None:
    """Whom the last offer of a decision goes to, if its last word is an offer."""
    last = decision.steps[-1] if decision.steps else None
    return last.agent.id if isinstance(last, Offered) else None


def told(*decisions: Decision) -> list[str]:
    """What happened, in short: each step as ``type:agent`` or ``type``."""
    return [_in_short(step) for decision in decisions for step in decision.steps]


def _in_short(step: object) -> str:
    fields: Mapping[str, Any] = dict(step)  # type: ignore[call-overload]  # Every step is a model.
    agent = fields.get("agent_id") or getattr(fields.get("agent"), "id", None)
    reason = fields.get("reason")
    return ":".join(str(each) for each in (fields["type"], agent, reason) if each is not None)


def told_of(conversation: str, *decisions: Decision) -> list[str]:
    """The same, of one conversation only."""
    return [
        _in_short(step)
        for decision in decisions
        for step in decision.steps
        if isinstance(step, ChatStep) and step.conversation_id == conversation
    ]
