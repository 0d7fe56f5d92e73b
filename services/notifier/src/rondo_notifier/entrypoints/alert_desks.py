"""Where alerts come from: events, time, and what channels answer; one desk a partition of conversations.

A desk is taken over with the partition of its number and let go with it. Channels are told beside the
desks, so that a slow one holds nothing up; what they answer comes back to the desk.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from aiokafka import TopicPartition

from rondo_common.clock import Clock
from rondo_common.envelope import Envelope
from rondo_common.errors import Retryable
from rondo_common.events import AlertEvent
from rondo_common.ids import WorkspaceId
from rondo_common.kafka.partitioning import partition_of
from rondo_common.kafka.records import Record
from rondo_common.tasks import end_tasks
from rondo_common.topics import AGENTS, ALERTS, CONVERSATIONS
from rondo_common.webhooks import Reread
from rondo_notifier.handlers.alerts import AlertDesk, Owed, Reach, open_records
from rondo_notifier.handlers.coverage import CoverageWatch
from rondo_notifier.handlers.mails import NewsDesk
from rondo_notifier.ports import AlertName, AlertStore, PastEvents, Receipt

log = structlog.get_logger(__name__)

LOOK_INTERVAL_S = 0.25
"""How often what is due is looked for."""
DUE_AT_ONCE_MAX = 500
TELLING_MAX = 200
"""How many notices are under way at a time; the others wait in Redis."""
RETRY_DELAY_S = 0.5
REBUILD_S = 15 * 60
"""How far back the topics are read when Redis has lost the alerts: more than an offer lasts."""
LET_GO_S = 2.0

Key = tuple[AlertName, str]


class Telling:
    """Tells channels what is owed, beside everything else, each thing by one task at a time."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._under_way: dict[Key, asyncio.Task[None]] = {}

    @property
    def busy(self) -> set[AlertName]:
        """The alerts of which something is being told."""
        return {name for name, _ in self._under_way}

    def begin(self, owed: Sequence[Owed], settle: Callable[[Owed, Receipt], Awaitable[None]]) -> None:
        """Tell what is not being told yet. What there is no room for is due again."""
        for each in owed:
            key = (each.name, f"{each.debt.channel}/{each.debt.act}")
            if key in self._under_way or len(self._under_way) >= TELLING_MAX:
                continue
            task = asyncio.create_task(self._tell(each, settle))
            self._under_way[key] = task
            task.add_done_callback(lambda _, key=key: self._under_way.pop(key, None))  # type: ignore[misc]  # of a default

    async def end(self) -> None:
        """Wait a moment for what is under way; leave the rest to whoever comes next."""
        tasks = list(self._under_way.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=LET_GO_S)
            await end_tasks(late)

    async def _tell(self, owed: Owed, settle: Callable[[Owed, Receipt], Awaitable[None]]) -> None:
        channel = self._reach.channel(owed.debt.channel)
        try:
            if channel is None:
                receipt = Receipt("refused", "this installation does not have the channel")
            else:
                (receipt,) = await channel.deliver([owed.notice])
            await settle(owed, receipt)
        except Retryable as error:
            log.warning("alert_not_settled", alert=owed.name.alert_id, reason=str(error))
        except Exception:
            log.exception("channel_failed", channel=owed.debt.channel, alert=owed.name.alert_id)
            await settle(owed, Receipt("refused", "a defect of Rondo's; its log says more"))


class AlertDesks:
    """A :class:`rondo_common.kafka.consumer.Handler`, and what is due, for the partitions it was given."""

    def __init__(
        self,
        desk: AlertDesk,
        store: AlertStore,
        telling: Telling,
        coverage: CoverageWatch,
        news: NewsDesk,
        past: PastEvents,
        catch_up: Callable[[], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._store = store
        self._telling = telling
        self._coverage = coverage
        self._news = news
        self._past = past
        self._catch_up = catch_up
        self._clock = clock
        self._locks: dict[int, asyncio.Lock] = {}
        self._owned: set[int] = set()
        self.covered: set[int] = set()
        """The partitions of ``rondo.agents`` that are ours: whose workspaces are looked after here."""
        self.blocked_by: str | None = None

    async def assigned(self, partition: TopicPartition) -> None:
        """Take a partition over."""
        await self._catch_up()
        if partition.topic == AGENTS.name:
            self.covered.add(partition.partition)
        if partition.topic == CONVERSATIONS.name:
            async with self._turn(partition.partition):
                await self._make_sure(partition.partition)
            self._owned.add(partition.partition)

    async def handle(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        """Do what a batch leads to."""
        await self._catch_up()
        envelopes = [each.envelope for each in records]
        await self._news.take(envelopes)
        if partition.topic != CONVERSATIONS.name:
            return
        await self._coverage.take(envelopes)
        async with self._turn(partition.partition):
            owed = await self._desk.take(envelopes)
        self._tell(partition.partition, owed)

    async def revoked(self, partition: TopicPartition) -> None:
        """Let a partition go."""
        if partition.topic == AGENTS.name:
            self.covered.discard(partition.partition)
        if partition.topic == CONVERSATIONS.name:
            self._owned.discard(partition.partition)
            if not self._owned:
                await self._telling.end()

    async def run(self) -> None:
        """Do what is due, until cancelled."""
        while True:
            for number in list(self._owned):
                try:
                    await self._look(number)
                    self.blocked_by = None
                except Retryable as error:
                    if self.blocked_by != str(error):
                        log.warning("alerts_blocked", reason=str(error))
                    self.blocked_by = str(error)
                    await asyncio.sleep(RETRY_DELAY_S)
            await asyncio.sleep(LOOK_INTERVAL_S)

    async def _look(self, number: int) -> None:
        async with self._turn(number):
            if number not in self._owned:
                return
            await self._make_sure(number)
            owed = await self._desk.fire(number, DUE_AT_ONCE_MAX, self._telling.busy)
        self._tell(number, owed)

    def _tell(self, number: int, owed: Sequence[Owed]) -> None:
        async def settle(each: Owed, receipt: Receipt) -> None:
            async with self._turn(number):
                following = await self._desk.settle_receipt(each, receipt)
            self._tell(number, following)

        self._telling.begin(owed, settle)

    async def _make_sure(self, number: int) -> None:
        """Bring back from the log what Redis has lost."""
        if await self._store.is_known(number):
            return
        now = self._clock()
        reread = Reread(since=now - timedelta(seconds=REBUILD_S), until=now)
        told: list[Envelope[AlertEvent]] = []
        async for envelopes, _ in self._past.read({ALERTS.name: range(ALERTS.partitions)}, reread):
            for each in envelopes:
                event = each.event
                if isinstance(event, AlertEvent) and _partition_of(each.workspace_id, event) == number:
                    told.append(Envelope(each.id, each.source, each.time, each.workspace_id, event))
        await self._desk.resume(open_records(told))
        async for envelopes, _ in self._past.read({CONVERSATIONS.name: [number]}, reread):
            await self._coverage.take(envelopes)
            await self._desk.take(envelopes)
        await self._store.note_known(number)
        log.info("alerts_rebuilt", partition=number)

    @asynccontextmanager
    async def _turn(self, number: int) -> AsyncIterator[None]:
        """One at a time at a desk."""
        async with self._locks.setdefault(number, asyncio.Lock()):
            yield


def _partition_of(workspace_id: WorkspaceId, event: AlertEvent) -> int:
    return partition_of(CONVERSATIONS, workspace_id, event.conversation_id)
