"""Routers alone: chat requests put straight into the log, until the last offer stands in it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from aiokafka import AIOKafkaConsumer

from rondo_bench.figures import Latency
from rondo_bench.processes import cpu_s, resident_kib
from rondo_common.conversation import Request, RoundRobinRoute, Visitor
from rondo_common.directory.entries import (
    AgentEntry,
    Kind,
    WorkspaceEntry,
    WorkspaceSettings,
    directory_key,
)
from rondo_common.envelope import Envelope
from rondo_common.events import AgentDefined, ChatRequested, Event, WorkspaceDefined
from rondo_common.ids import (
    AgentId,
    ConversationId,
    VisitorId,
    WorkspaceId,
    new_conversation_id,
    new_event_id,
)
from rondo_common.kafka.connection import KafkaConnection, make_producer
from rondo_common.kafka.publisher import KafkaPublisher, Outgoing, outgoing
from rondo_local.layout import Layout
from rondo_local.servers import SERVER_NAMES
from rondo_local.stack import Stack

OFFERED = b"rondo.assignment.offered.v1"
SETTLE_TIMEOUT_S = 300.0
PUBLISH_BATCH = 2_000
PUBLISH_DEADLINE_S = 60.0
KIB = 1024


@dataclass
class Log:
    """The log of one stack: puts things into it, and sees offers come out of it."""

    bootstrap: str
    publisher: KafkaPublisher
    directory_offsets: dict[WorkspaceId, int] = field(default_factory=dict)
    """How far the router must have read the directory for each workspace made here; others it knows."""

    async def provision(
        self, workspaces: int, agents_each: int, capacity: int = 1_000_000
    ) -> list[WorkspaceId]:
        """New workspaces with so many agents each, written as the gateway would."""
        made = [WorkspaceId(f"bench-{uuid.uuid4().hex[:10]}") for _ in range(workspaces)]
        for each in made:
            offsets = await self._put(_provisions(each, agents_each, capacity))
            self.directory_offsets[each] = max(offsets) + 1
        return made

    async def ask(self, workspace_ids: Sequence[WorkspaceId]) -> dict[ConversationId, float]:
        """One request in each of these workspaces, as fast as it goes: when each was put there."""
        now = datetime.now(UTC)
        envelopes = [_requested(each, now, self.directory_offsets.get(each, 0)) for each in workspace_ids]
        await self._put([outgoing(each, each.workspace_id) for each in envelopes])
        at = time.time()
        return {each.event.conversation_id: at for each in envelopes}

    async def _put(self, records: list[Outgoing]) -> list[int]:
        offsets: list[int] = []
        for start in range(0, len(records), PUBLISH_BATCH):
            written = await self.publisher.publish(records[start : start + PUBLISH_BATCH])
            offsets += [each.offset for each in written]
        return offsets

    @asynccontextmanager
    async def offers(self) -> AsyncIterator[Offers]:
        """Every offer from here on."""
        consumer = AIOKafkaConsumer(
            "rondo.conversations", bootstrap_servers=self.bootstrap, enable_auto_commit=False
        )
        await consumer.start()
        await consumer.seek_to_end()
        offers = Offers()
        following = asyncio.create_task(offers.follow(consumer))
        try:
            yield offers
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await consumer.stop()


class Offers:
    """Offers by conversation, each with when the broker got it (seconds since the epoch)."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self._more = asyncio.Condition()

    async def follow(self, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            headers = dict(record.headers)
            if headers["ce_type"] == OFFERED:
                async with self._more:
                    self.at[headers["ce_subject"].decode()] = record.timestamp / 1000
                    self._more.notify_all()

    async def reach(self, conversation_ids: Collection[str]) -> float:
        """When the last of these conversations was offered."""
        async with asyncio.timeout(SETTLE_TIMEOUT_S), self._more:
            # Looked at from the end: the latest is nearly always the last to come.
            missing = list(conversation_ids)
            while missing:
                if missing[-1] in self.at:
                    missing.pop()
                else:
                    await self._more.wait()
        return max(self.at[each] for each in conversation_ids)


@asynccontextmanager
async def stack_of(root: Path, routers: int) -> AsyncIterator[tuple[Stack, Log, dict[str, str]]]:
    """A stack of this bench's own, with so many routers; stopped and deleted afterwards."""
    layout = Layout(root=root, jars=Layout.of_checkout().jars)
    environ = {**os.environ, "ROUTERS": str(routers)}
    stack = Stack(layout, environ, lambda _, __: None)
    env = await stack.up()
    try:
        async with log_of(env["RONDO_KAFKA_BOOTSTRAP"]) as log:
            yield stack, log, env
    finally:
        await stack.clean()


@asynccontextmanager
async def log_of(bootstrap: str) -> AsyncIterator[Log]:
    """The log of a running stack."""
    connection = KafkaConnection(bootstrap, client_id="rondo-bench")
    publisher = KafkaPublisher(
        lambda: make_producer(connection, request_timeout_ms=30_000), deadline_s=PUBLISH_DEADLINE_S
    )
    try:
        yield Log(bootstrap, publisher)
    finally:
        await publisher.stop()


async def decisions_per_second(root: Path, *, requests: int, agents: int) -> float:
    """Routed requests a second of one router in one workspace, while everybody else holds still."""
    async with stack_of(root, 1) as (stack, log, _):
        (workspace_id,) = await log.provision(1, agents)
        await _routed(log, [workspace_id] * 200)
        with _still(stack, besides="router"):
            return requests / await _routed(log, [workspace_id] * requests)


@contextmanager
def _still(stack: Stack, *, besides: str) -> Iterator[None]:
    """Every service but this one is stopped in its tracks; the servers go on."""
    names = [each.name for each in stack.status() if each.name not in {*SERVER_NAMES, besides}]
    pids = [_pid(stack, name) for name in names]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def cpu_per_assignment(root: Path, *, routers: int, requests: int, workspaces: int) -> float:
    """Microseconds of CPU time that all routers together spend on one assignment."""
    async with stack_of(root, routers) as (stack, log, _):
        made = await log.provision(workspaces, 10)
        await _routed(log, made)
        before = _cpu_s(stack)
        await _routed(log, [made[number % workspaces] for number in range(requests)])
        return 1e6 * (_cpu_s(stack) - before) / requests


async def latency_over(log: Log, *, workspaces: int, per_second: float, seconds: float) -> Latency:
    """From a request in the log to its offer in the log, spread over so many workspaces."""
    made = await log.provision(workspaces, 2)
    await _routed(log, made)
    asked: dict[ConversationId, float] = {}
    async with log.offers() as offers:
        started = time.perf_counter()
        for number in range(int(per_second * seconds)):
            await asyncio.sleep(max(0.0, started + number / per_second - time.perf_counter()))
            asked |= await log.ask([made[number % workspaces]])
        await offers.reach(asked)
        return Latency.of([max(0.0, offers.at[each] - at) for each, at in asked.items()])


@dataclass(frozen=True)
class LargeDirectory:
    """A router with a large directory: how long until it decided, and what it then held."""

    start_s: float
    resident_mib: float
    small_start_s: float
    small_mib: float


async def large_directory(root: Path, *, agents: int, workspaces: int) -> LargeDirectory:
    """Start a router with an empty directory, and one with a large one."""
    async with stack_of(root, 1) as (stack, log, _):
        (probe,) = await log.provision(1, 1)
        small_start_s, small_mib = await _first_decision(stack, log, probe)
        await log.provision(workspaces, agents // workspaces)
        start_s, resident_mib = await _first_decision(stack, log, probe)
        return LargeDirectory(start_s, resident_mib, small_start_s, small_mib)


async def _first_decision(stack: Stack, log: Log, workspace_id: WorkspaceId) -> tuple[float, float]:
    """Stop the router, ask, start it: the seconds until the offer, and the memory it has then."""
    os.kill(_pid(stack, "router"), signal.SIGTERM)
    while _is_running(_pid(stack, "router")):
        await asyncio.sleep(0.05)
    async with log.offers() as offers:
        asked = await log.ask([workspace_id])
        started = time.perf_counter()
        await stack.up()
        await offers.reach(asked)
        taken = time.perf_counter() - started
    return taken, resident_kib(_pid(stack, "router")) / KIB


async def _routed(log: Log, workspace_ids: Sequence[WorkspaceId]) -> float:
    """Ask in all of them; the seconds until the last offer."""
    async with log.offers() as offers:
        started = time.time()
        return await offers.reach(await log.ask(workspace_ids)) - started


def _provisions(workspace_id: WorkspaceId, agents: int, capacity: int) -> list[Outgoing]:
    now = datetime.now(UTC)
    settings = WorkspaceSettings(offer_timeout_s=600, agent_capacity=10_000)
    workspace = WorkspaceEntry(id=workspace_id, name="bench", settings=settings, created_at=now)
    defined = WorkspaceDefined(workspace=workspace)
    key = directory_key(workspace_id, Kind.WORKSPACE, workspace_id)
    records = [outgoing(_envelope(workspace_id, defined), key)]
    for number in range(1, agents + 1):
        agent_id = AgentId(f"agent-{number:05}")
        agent = AgentEntry(
            id=agent_id,
            name=f"Agent {number}",
            email=f"{agent_id}@example.com",
            capacity=capacity,
            place=number,
        )
        key = directory_key(workspace_id, Kind.AGENT, agent_id)
        records.append(outgoing(_envelope(workspace_id, AgentDefined(agent=agent)), key))
    return records


def _envelope(workspace_id: WorkspaceId, event: Event) -> Envelope[Event]:
    return Envelope(new_event_id(), "/rondo/bench", datetime.now(UTC), workspace_id, event)


def _requested(workspace_id: WorkspaceId, now: datetime, directory_offset: int) -> Envelope[ChatRequested]:
    request = Request(
        visitor=Visitor(id=VisitorId("u-17"), first_name="Ada", email="ada@example.com"),
        route=RoundRobinRoute(),
        requested_at=now,
    )
    event = ChatRequested(
        conversation_id=new_conversation_id(now), request=request, directory_offset=directory_offset
    )
    return Envelope(new_event_id(), "/rondo/bench", now, workspace_id, event)


def _cpu_s(stack: Stack) -> float:
    """The CPU time of all routers so far, in seconds."""
    names = [each.name for each in stack.status() if each.name.startswith("router")]
    return sum(cpu_s(_pid(stack, name)) for name in names)


def _pid(stack: Stack, name: str) -> int:
    return int(stack.layout.pid_file(name).read_text(encoding="utf-8").split()[0])


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
