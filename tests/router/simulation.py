"""Several routers in one process, driven by a seed: what one machine room can do to them in a bad week.

Two partitions with a workspace each; routers that come, go, crash before, during and after they tell the
log, are paused and come back when others own what they had; records that come again; a directory that
each router reads late; a log that takes only part of what it is told; a switchboard that forgets
everything. After each step the invariants hold, and at the end every conversation is over.

What the log alone cannot mend does not happen at the same time: a switchboard is not wiped while a
decision is told in part, nor while a router that was replaced has not heard of it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from rondo_common.clock import milliseconds
from rondo_common.directory.entries import Kind
from rondo_common.directory.view import DirectoryChange
from rondo_common.envelope import Envelope
from rondo_common.errors import Fenced, Retryable, Unavailable
from rondo_common.events import (
    AcceptChat,
    ChatRequested,
    ConversationEvent,
    DeclineChat,
    EndChat,
    Event,
    TakeChat,
    TransferChat,
    WithdrawChat,
)
from rondo_common.ids import AgentId, TeamId
from rondo_common.kafka.records import Record
from rondo_router.domain.instruction import (
    AcceptOffer,
    Action,
    DeclineOffer,
    EndConversation,
    RequestChat,
    TakeFromQueue,
    TransferConversation,
    WithdrawRequest,
)
from rondo_router.domain.outcome import RouterEvent, events_of
from rondo_router.ports import Switchboard
from tests.router import invariants
from tests.router.chats import Asking
from tests.router.course import AGENTS, Course, provision
from tests.router.fake_switchboard import FakeSwitchboard
from tests.router.hall import World
from tests.router.office import DirectoryLog, MemoryLog, Process, record_of
from tests.router.provisioned import NEVER, NOON, Provisioned
from tests.router.story import Story

PARTITIONS = 2
ROUTERS = 3
BATCH_MAX = 5
LOOKS_MAX = 2_000
"""How often the loop is let go round before a task counts as stuck."""


class Crashed(Exception):
    """The router was killed at this point."""


class Faulty:
    """One router's way to the log. ``fault`` is what happens to its next announcement."""

    def __init__(self, log: MemoryLog, chosen: random.Random) -> None:
        self._log = log
        self._chosen = chosen
        self.has_told_in_part = False
        self.fault = "none"
        self.gate = asyncio.Event()
        self.is_paused = False

    async def announce(self, envelopes: Sequence[Envelope[RouterEvent]]) -> list[int]:
        fault, self.fault = self.fault, "none"
        match fault:
            case "refused":
                raise Unavailable("kafka", "told to fail")
            case "crash before":
                raise Crashed
            case "in part" | "crash in part":
                self.has_told_in_part = True
                self._write_some(envelopes)
                raise Unavailable("kafka", "told to fail in part") if fault == "in part" else Crashed()
            case "crash after":
                await self._log.announce(envelopes)
                raise Crashed
            case "paused":
                self.is_paused = True
                await self.gate.wait()
        return await self._log.announce(envelopes)

    def _write_some(self, envelopes: Sequence[Envelope[RouterEvent]]) -> None:
        """Some partitions of the log take what is theirs, others do not."""
        keys = {_key(each) for each in envelopes}
        taken = {each for each in sorted(keys) if self._chosen.random() < 0.5}
        for each in envelopes:
            if _key(each) in taken:
                self._log.write(each)


@dataclass(eq=False)
class Site:
    """One partition: its workspace, its requests, and who owns it."""

    partition: int
    here: Provisioned
    story: Story
    course: Course
    records: list[Record] = field(default_factory=list)
    committed: int = 0
    owner: Router | None = None
    held: dict[AgentId, set[str]] = field(default_factory=dict)
    capacities: dict[AgentId, int] = field(default_factory=dict)


@dataclass(eq=False)
class Router:
    """One router process."""

    process: Process
    announcer: Faulty


class Written(Provisioned):
    """A workspace whose every change is written to the directory's log."""

    def __init__(self, name: str, log: DirectoryLog, partition: int) -> None:
        self._log = log
        super().__init__(name, partition=partition)

    def _change(self, kind: Kind, entry_id: str, event: Event | None) -> DirectoryChange:
        change = super()._change(kind, entry_id, event)
        self._log.write(change)
        return change


def event_of(action: Action, directory_offset: int) -> Event:
    """The record that the gateway writes for what is asked."""
    match action:
        case RequestChat(conversation_id, _, request):
            return ChatRequested(
                conversation_id=conversation_id, request=request, directory_offset=directory_offset
            )
        case AcceptOffer(conversation_id, agent):
            return AcceptChat(conversation_id=conversation_id, agent_id=agent)
        case DeclineOffer(conversation_id, agent):
            return DeclineChat(conversation_id=conversation_id, agent_id=agent)
        case TakeFromQueue(conversation_id, agent):
            return TakeChat(
                conversation_id=conversation_id, agent_id=agent, directory_offset=directory_offset
            )
        case WithdrawRequest(conversation_id, by):
            return WithdrawChat(conversation_id=conversation_id, by=by)
        case EndConversation(conversation_id, by):
            return EndChat(conversation_id=conversation_id, by=by)
        case TransferConversation(conversation_id, agent, plan):
            pool = plan.stage.pool
            return TransferChat(
                conversation_id=conversation_id,
                by=agent,
                agent_id=plan.stage.agent_id,
                team_id=None if pool is None else TeamId(pool.removeprefix("team:")),
            )
    raise TypeError(action)


def _key(envelope: Envelope[RouterEvent]) -> str:
    event = envelope.event
    return event.conversation_id if isinstance(event, ConversationEvent) else event.agent_id


class Simulation:
    """One run. Everything that is left to chance comes from the seed."""

    def __init__(self, seed: int, board: Switchboard, world: World, *, first_partition: int = 0) -> None:
        self.chosen = random.Random(seed)
        self.board = board
        self.world = world
        self.log = MemoryLog()
        self.directory_log = DirectoryLog()
        self.now = NOON
        self.read = 0
        self.is_calm = False
        """True when no more faults are wanted."""
        self.zombies: list[tuple[Router, Site]] = []
        self.paused: list[tuple[Router, asyncio.Task[None]]] = []
        self.sites = [
            self._open_site(first_partition + number, f"sim-{first_partition + number}")
            for number in range(PARTITIONS)
        ]
        self.announcers: list[Faulty] = []
        self.routers = [self._new_router() for _ in range(ROUTERS)]

    def _open_site(self, partition: int, name: str) -> Site:
        here = Written(name, self.directory_log, partition)
        provision(here)
        story = Story()
        return Site(partition, here, story, Course(Asking(here), story, self.chosen))

    def _new_router(self) -> Router:
        announcer = Faulty(self.log, self.chosen)
        self.announcers.append(announcer)
        process = Process(
            self.board,
            announcer,
            self.log,
            self.directory_log,
            lambda: self.now,
            reads_on_demand=True,
        )
        return Router(process, announcer)

    # -- the run --------------------------------------------------------------------------------

    async def run(self, steps: int) -> None:
        for site in self.sites:
            await self._assign(site)
        doings = {
            self._ask: 8,
            self._deliver: 8,
            self._let_time_pass: 2,
            self._change_directory: 1,
            self._follow: 1.5,
            self._move_partition: 0.5,
            self._wake_zombie: 0.5,
            self._wake_paused: 0.5,
            self._wipe: 0.3,
        }
        for _ in range(steps):
            (doing,) = self.chosen.choices(list(doings), weights=list(doings.values()))
            await doing(self.chosen.choice(self.sites))
            await self._everything_holds()
        await self._finish()

    async def _ask(self, site: Site) -> None:
        self._write(site, site.course.next(milliseconds(self.now)).action)

    def _write(self, site: Site, action: Action) -> None:
        offset = len(site.records)
        event = event_of(action, site.here.offset + 1)
        site.records.append(
            record_of(site.partition, offset, f"record-{offset}", site.here.workspace_id, event)
        )

    async def _deliver(self, site: Site) -> None:
        """The next records, sometimes with some that were there before."""
        start = max(0, site.committed - self.chosen.choice([0, 0, 0, 1, 4]))
        records = site.records[start : site.committed + self.chosen.randint(1, BATCH_MAX)]
        owner = site.owner
        if not records or owner is None:
            return
        owner.announcer.fault = self._fault(can_pause=True)
        task = asyncio.create_task(owner.process.handle(site.partition, records))
        await self._until(lambda: task.done() or owner.announcer.is_paused)
        if owner.announcer.is_paused:
            self.paused.append((owner, task))
            await self._replace(owner)
        elif await self._went_well(owner, task):
            site.committed = max(site.committed, start + len(records))
        owner.announcer.fault = "none"

    def _fault(self, *, can_pause: bool = False) -> str:
        if self.is_calm or self.chosen.random() < 0.8:
            return "none"
        faults = ["refused", "crash before", "in part", "crash in part", "crash after"]
        return self.chosen.choice([*faults, *(["paused"] if can_pause else [])])

    async def _went_well(self, router: Router, task: asyncio.Task[None]) -> bool:
        """Whether what the router did succeeded; who crashed is replaced."""
        try:
            await task
        except Fenced as error:
            raise AssertionError("the owner of a partition was fenced off") from error
        except Retryable:
            return False
        except Crashed:
            await self._replace(router)
            return False
        return True

    async def _replace(self, router: Router) -> None:
        """The router does nothing any more: others get its partitions."""
        self.routers = [each for each in self.routers if each is not router] + [self._new_router()]
        self.zombies = [(each, site) for each, site in self.zombies if each is not router]
        for site in self.sites:
            if site.owner is router:
                await self._assign(site)

    async def _assign(self, site: Site) -> None:
        """Somebody gets the partition; whoever crashes over it is replaced in turn."""
        site.owner = None
        while site.owner is None:
            router = self.chosen.choice(self.routers)
            router.announcer.fault = "none"
            await router.process.follow()  # The directory is read before a router joins its group.
            self.zombies = [each for each in self.zombies if each != (router, site)]
            router.announcer.fault = self._fault()
            task = asyncio.create_task(router.process.assigned(site.partition))
            await self._until(task.done)
            if await self._went_well(router, task):
                site.owner = router
            else:
                await router.process.revoked(site.partition)
            router.announcer.fault = "none"

    async def _let_time_pass(self, _: Site) -> None:
        self.now += timedelta(seconds=self.chosen.choice([0.5, 5, 30, 100]))
        for router in list(self.routers):
            if router in self.routers:
                await self._mind(router, is_check_due=self.chosen.random() < 0.5)

    async def _mind(self, router: Router, *, is_check_due: bool) -> None:
        router.announcer.fault = self._fault()
        task = asyncio.create_task(router.process.desks.mind_desks(is_check_due=is_check_due))
        await self._until(task.done)
        await self._went_well(router, task)
        router.announcer.fault = "none"

    async def _change_directory(self, site: Site) -> None:
        name, here = self.chosen.choice(AGENTS), site.here
        state = self.chosen.choice(["here", "here", "away", "gone"])
        if state == "gone":
            here.remove(Kind.AGENT, name)
        else:
            schedule = NEVER if state == "away" else None
            here.agent(name, capacity=self.chosen.randint(1, 3), schedule=schedule)

    async def _follow(self, _: Site) -> None:
        router = self.chosen.choice(self.routers)
        router.announcer.fault = self._fault()
        task = asyncio.create_task(router.process.follow())
        await self._until(task.done)
        await self._went_well(router, task)
        router.announcer.fault = "none"

    async def _move_partition(self, site: Site) -> None:
        """Another owner; the one before may not have heard of it."""
        before = site.owner
        assert before is not None
        if self.chosen.random() < 0.5:
            await before.process.revoked(site.partition)
        else:
            self.zombies.append((before, site))
        await self._assign(site)

    async def _wake_zombie(self, _: Site) -> None:
        """One that was replaced goes on with what it thinks is its own, and does no harm."""
        if not self.zombies:
            return
        router, site = self.chosen.choice(self.zombies)
        records = site.records[site.committed :][:BATCH_MAX]
        if not records or not await self._is_known(site):
            return
        told = len(self.log.records)
        untold = await self.board.untold([site.here.workspace_id])
        known = {each.id for at, decision in untold for each in events_of(at, decision)}
        try:
            await router.process.handle(site.partition, records)
        except Fenced:
            news = {each.envelope.id for each in self.log.records[told:]}
            assert news <= known, "a router that was replaced told what was not decided"
            return
        raise AssertionError("a router that was replaced was not fenced off")

    async def _is_known(self, site: Site) -> bool:
        """Whether the switchboard knows the workspace: else its next owner is whoever rebuilds it."""
        return not await self.board.lost(site.partition, [site.here.workspace_id])

    async def _wake_paused(self, _: Site) -> None:
        """It tells late what others told before, under the same ids, and shows nothing."""
        if not self.paused:
            return
        router, task = self.paused.pop()
        router.announcer.is_paused = False
        router.announcer.gate.set()
        await self._until(task.done)
        try:
            await task
        except Fenced:
            return
        raise AssertionError("a router that was paused was not fenced off")

    async def _wipe(self, site: Site) -> None:
        while self.paused:
            await self._wake_paused(site)
        for router, left in self.zombies:
            await router.process.revoked(left.partition)
        self.zombies.clear()
        if self.has_told_in_part:
            await self._tell_everything()
        self.now += timedelta(seconds=1)  # A server takes a moment to come back: see fencing.lua.
        await self.forget()

    async def forget(self) -> None:
        """The switchboard loses everything."""
        workspace_ids = [each.here.workspace_id for each in self.sites]
        await self.world.forget(workspace_ids, [each.partition for each in self.sites])
        for each in self.sites:
            each.held.clear()

    @property
    def has_told_in_part(self) -> bool:
        """Whether a decision may be told in part, since all was told for the last time."""
        return any(each.has_told_in_part for each in self.announcers)

    async def _tell_everything(self) -> None:
        """Each partition has a new owner, who tells what was left, and nothing fails."""
        was_calm, self.is_calm = self.is_calm, True
        for site in self.sites:
            await self._assign(site)
        for each in self.announcers:
            each.has_told_in_part = False
        self.is_calm = was_calm

    async def _until(self, condition: Callable[[], bool]) -> None:
        for _ in range(LOOKS_MAX):
            if condition():
                return
            await asyncio.sleep(0)
        async with asyncio.timeout(60):  # On a real server it takes as long as it takes.
            while not condition():
                await asyncio.sleep(0.0005)

    # -- what always holds ----------------------------------------------------------------------

    async def _everything_holds(self) -> None:
        for record in self.log.records[self.read :]:
            for site in self.sites:
                if record.envelope.workspace_id == site.here.workspace_id:
                    site.story.take(record.envelope)
        self.read = len(self.log.records)
        for site in self.sites:
            invariants.one_open_offer(site.story)
            invariants.nobody_tried_twice(site.story)
            invariants.exactly_one_winner(site.story)
            invariants.every_chat_ends_in_one_final_state(site.story)
            invariants.no_turn_served_twice(site.story)
            if await self._is_known(site):
                await self._places_hold(site)

    async def _places_hold(self, site: Site) -> None:
        workspace_id = site.here.workspace_id
        names = [AgentId(each) for each in AGENTS]
        held = {each: await self.world.held(workspace_id, each) for each in names}
        rooms = {each: await self.world.capacity(workspace_id, each) for each in names}
        most = {each: max(rooms[each], site.capacities.get(each, 0)) for each in names}
        gained = [(each, len(held[each])) for each in names if held[each] - site.held.get(each, held[each])]
        invariants.capacity_never_passed(gained, most)
        site.held, site.capacities = held, rooms
        if isinstance(self.board, FakeSwitchboard):
            invariants.nobody_waits_whom_an_agent_could_take(self.board.workspaces[workspace_id])

    # -- the end --------------------------------------------------------------------------------

    async def _finish(self) -> None:
        """Let everything come to its end without further faults."""
        while self.paused:
            await self._wake_paused(self.sites[0])
        self.is_calm = True
        await self._tell_everything()
        for _ in range(3):
            for site in self.sites:
                await self._deliver_all(site)
                await self._everything_holds()
                self._end_everything(site)
            self.now += timedelta(seconds=400)
            for router in self.routers:
                await router.process.follow()
                await router.process.desks.mind_desks(is_check_due=True)
            await self._everything_holds()
        for site in self.sites:
            await self._deliver_all(site)
            await self._everything_holds()
            await self._all_is_over(site)

    async def _deliver_all(self, site: Site) -> None:
        assert site.owner is not None
        await site.owner.process.handle(site.partition, site.records[site.committed :])
        site.committed = len(site.records)

    def _end_everything(self, site: Site) -> None:
        asking = Asking(site.here)
        for conversation, tale in site.story.tales.items():
            if not tale.finals:
                self._write(site, asking.withdraw(conversation).action)
                self._write(site, asking.end(conversation).action)

    async def _all_is_over(self, site: Site) -> None:
        asked = {
            record.event.conversation_id
            for record in site.records
            if isinstance(record.event, ChatRequested)
        }
        assert site.story.tales.keys() == asked, "every request was decided, and nothing else"
        invariants.every_chat_ends_in_one_final_state(site.story, is_over=True)
        held = {
            AgentId(each): await self.world.held(site.here.workspace_id, AgentId(each)) for each in AGENTS
        }
        invariants.holders_match_places(site.story, held)
        assert await self.board.untold([site.here.workspace_id]) == []
        for conversation, tale in site.story.tales.items():
            view = await self.world.view(site.here.workspace_id, conversation)
            assert view is not None
            assert [view.status] == tale.finals
