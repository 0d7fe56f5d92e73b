"""When people are alarmed: once when nobody is reached or waits are long, once when that is over."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from rondo_common.alerts import AlarmKind
from rondo_common.availability import ScheduleBlock, Toggle
from rondo_common.clock import milliseconds
from rondo_common.conversation import (
    Fallback,
    FallbackReason,
    Queue,
    Request,
    RoundRobinRoute,
    Visitor,
    Why,
)
from rondo_common.directory.entries import (
    AgentEntry,
    AlertSettings,
    Kind,
    ToggleEntry,
    WorkspaceEntry,
    WorkspaceSettings,
)
from rondo_common.directory.view import Directory, DirectoryChange
from rondo_common.envelope import Envelope
from rondo_common.errors import Unavailable
from rondo_common.events import (
    AgentDefined,
    AlertEvent,
    AvailabilityToggled,
    ChatFellBack,
    ChatQueued,
    CoverageAlarm,
    CoverageAlarmRaised,
    CoverageAlarmResolved,
    Event,
    WorkspaceDefined,
)
from rondo_common.ids import AgentId, ConversationId, EventId, VisitorId, WorkspaceId
from rondo_common.redis.keys import presence_key, queue_key
from rondo_notifier.adapters.redis_coverage import RedisCoverage
from rondo_notifier.handlers.coverage import CoverageWatch
from tests.notifier.alert_offers import offer

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)  # A Thursday.
CNV = ConversationId("cnv_1")
GRACE = AgentId("grace")
REQUEST = Request(visitor=Visitor(id=VisitorId("ada")), route=RoundRobinRoute(), requested_at=NOON)


class Log:
    """What was told, each event once; it can be out of reach."""

    def __init__(self) -> None:
        self.events: dict[EventId, CoverageAlarm] = {}
        self.is_away = False

    async def publish_alerts(self, envelopes: Sequence[Envelope[AlertEvent | CoverageAlarm]]) -> None:
        if self.is_away:
            raise Unavailable("kafka", "switched off by the test")
        for each in envelopes:
            assert isinstance(each.event, CoverageAlarm)
            self.events[each.id] = each.event

    def told(self) -> list[tuple[str, AlarmKind]]:
        words: dict[type[CoverageAlarm], str] = {
            CoverageAlarmRaised: "raised",
            CoverageAlarmResolved: "resolved",
        }
        return [(words[type(each)], each.alarm) for each in self.events.values()]


class Floor:
    """A workspace whose coverage is watched; its clock is moved by hand."""

    def __init__(self, redis: Redis, **settings: Any) -> None:
        self.redis = redis
        self.workspace_id = WorkspaceId(f"w-{uuid.uuid4().hex[:12]}")
        self.now = NOON
        self.directory = Directory()
        self.log = Log()
        self.said: list[str] = []
        alerts = AlertSettings(queue_wait_s=120, coverage_grace_s=60)
        entry = WorkspaceEntry(
            id=self.workspace_id,
            name="Acme",
            settings=WorkspaceSettings(alerts=alerts, **settings),
            created_at=NOON,
        )
        self.put(Kind.WORKSPACE, self.workspace_id, WorkspaceDefined(workspace=entry))
        self.staff()
        self.store = RedisCoverage(redis)
        self.watch = self.fresh_watch()

    def fresh_watch(self) -> CoverageWatch:
        async def say(_: WorkspaceId, text: str) -> None:
            self.said.append(text)

        return CoverageWatch(self.directory, self.store, self.log, say, lambda: self.now)

    def put(self, kind: Kind, name: str, event: Event | None) -> None:
        self.directory.apply(DirectoryChange(self.workspace_id, kind, name, event, 0, 0))

    def staff(self, schedule: tuple[ScheduleBlock, ...] | None = None) -> None:
        agent = AgentEntry(id=GRACE, name="Grace", email="g@example.com", schedule=schedule, place=1)
        self.put(Kind.AGENT, GRACE, AgentDefined(agent=agent))

    def switch(self, available: bool | None) -> None:
        if available is None:
            self.put(Kind.TOGGLE, GRACE, None)
            return
        toggle = ToggleEntry(agent_id=GRACE, toggle=Toggle(available=available, set_at=self.now))
        self.put(Kind.TOGGLE, GRACE, AvailabilityToggled(toggle=toggle))

    async def happen(self, event: Event) -> None:
        await self.watch.take([Envelope(EventId("e"), "/tests", self.now, self.workspace_id, event)])

    async def look(self, after_s: float = 0) -> list[tuple[str, AlarmKind]]:
        self.now += timedelta(seconds=after_s)
        await self.watch.look(self.workspace_id)
        return self.log.told()


def fell_back(reason: FallbackReason = FallbackReason.NOBODY_AVAILABLE) -> Event:
    fallback = Fallback(reason=reason, message="x", offer_meeting=False)
    return ChatFellBack(conversation_id=CNV, fallback=fallback, why=Why(stage="all"), request=REQUEST)


@pytest.fixture
def floor(redis: Redis) -> Floor:
    return Floor(redis)


RAISED = ("raised", AlarmKind.NOBODY_REACHABLE)
RESOLVED = ("resolved", AlarmKind.NOBODY_REACHABLE)


async def test_nobody_there_for_a_minute_is_one_alarm_and_one_all_clear(floor: Floor) -> None:
    assert await floor.look() == []
    floor.switch(False)
    assert await floor.look(5) == []
    assert await floor.look(59) == []
    assert await floor.look(2) == [RAISED]
    assert await floor.look(600) == [RAISED]
    assert len(floor.said) == 1
    floor.switch(True)
    assert await floor.look(5) == [RAISED, RESOLVED]
    assert await floor.look(600) == [RAISED, RESOLVED]


async def test_a_visitor_who_finds_nobody_does_not_wait_for_the_minute(floor: Floor) -> None:
    floor.switch(False)
    await floor.look()
    await floor.happen(fell_back(FallbackReason.NOT_ANSWERED))
    assert await floor.look(1) == []
    await floor.happen(fell_back())
    assert await floor.look(1) == [RAISED]


async def test_everybody_being_full_is_an_alarm_until_somebody_is_offered_a_chat(floor: Floor) -> None:
    await floor.look()
    floor.now += timedelta(seconds=5)
    await floor.happen(fell_back())
    assert await floor.look(1) == [RAISED]
    await floor.happen(offer(floor.now))
    assert await floor.look(1) == [RAISED, RESOLVED]


async def test_out_of_hours_nobody_is_missed(floor: Floor) -> None:
    block = ScheduleBlock.model_validate({"weekday": "fri", "from_": "09:00", "to": "17:00"})
    floor.staff((block,))
    await floor.happen(fell_back())
    assert await floor.look() == []
    assert await floor.look(3600) == []


async def test_where_presence_is_required_an_open_inbox_counts(redis: Redis) -> None:
    floor = Floor(redis, presence_required=True)
    await floor.look()
    assert await floor.look(61) == [RAISED]
    lease: dict[str, int] = {GRACE: milliseconds(floor.now + timedelta(seconds=75))}
    await redis.zadd(presence_key(floor.workspace_id), lease)
    assert await floor.look(1) == [RAISED, RESOLVED]


async def test_a_long_wait_in_the_queue_is_an_alarm_until_it_is_over(floor: Floor) -> None:
    queued = ChatQueued(
        conversation_id=CNV,
        queue=Queue(position=1, estimated_wait_s=60),
        queued_at=NOON,
        expires_at=NOON + timedelta(seconds=300),
        why=Why(stage="all"),
        request=REQUEST,
    )
    waiting: dict[str, int] = {CNV: 1}
    await floor.redis.zadd(queue_key(floor.workspace_id), waiting)
    await floor.happen(queued)
    assert await floor.look(120) == []
    assert await floor.look(1) == [("raised", AlarmKind.QUEUE_WAIT)]
    await floor.redis.delete(queue_key(floor.workspace_id))
    assert await floor.look(1) == [("raised", AlarmKind.QUEUE_WAIT), ("resolved", AlarmKind.QUEUE_WAIT)]


async def test_whoever_looks_next_finishes_what_was_begun_under_the_same_ids(floor: Floor) -> None:
    floor.switch(False)
    await floor.look()
    floor.log.is_away = True
    with pytest.raises(Unavailable):
        await floor.look(61)
    floor.log.is_away = False
    floor.watch = floor.fresh_watch()
    assert await floor.look(5) == [RAISED]
    floor.switch(True)
    floor.log.is_away = True
    with pytest.raises(Unavailable):
        await floor.look(5)
    floor.log.is_away = False
    floor.watch = floor.fresh_watch()
    assert await floor.look(5) == [RAISED, RESOLVED]
    assert len({each.alarm_id for each in floor.log.events.values()}) == 1
