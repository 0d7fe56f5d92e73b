"""Decided, then published, then shown: the router's order, and its repair after failures."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import TopicPartition

from rondo_common.conversation import Status
from rondo_common.directory.entries import OfferAttempts, WorkspaceSettings
from rondo_common.envelope import Envelope
from rondo_common.errors import Unavailable
from rondo_common.events import (
    AcceptChat,
    AssignmentOffered,
    ChatRequested,
    ConversationEvent,
    Event,
    WithdrawChat,
)
from rondo_common.ids import AgentId, ConversationId, EventId, WorkspaceId
from rondo_common.kafka.records import Record
from rondo_common.topics import CHAT_REQUESTS
from rondo_router.bootstrap import TRANSLATIONS
from rondo_router.entrypoints.partition_desks import PartitionDesks
from rondo_router.handlers import Router
from rondo_router.ports import Epoch
from tests.router.chats import NOON, VISITOR, request, seat
from tests.router.fake_switchboard import FakeSwitchboard

WORKSPACE = WorkspaceId("acme")
PARTITION = TopicPartition(CHAT_REQUESTS.name, 3)
DEADLINE_S = 10.0


class FakeLog:
    """An announcer that keeps what it was told, or fails when told to."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope[ConversationEvent]] = []
        self.failures = 0

    async def announce(self, envelopes: Sequence[Envelope[ConversationEvent]]) -> list[int]:
        if self.failures:
            self.failures -= 1
            raise Unavailable("kafka", "told to fail")
        self.envelopes.extend(envelopes)
        return list(range(len(self.envelopes) - len(envelopes), len(self.envelopes)))

    def types(self) -> list[str]:
        return [envelope.event.TYPE.split(".")[-2] for envelope in self.envelopes]


class FakeDirectory:
    """A view that is as new as it was told."""

    def __init__(self, settings: WorkspaceSettings) -> None:
        self._settings = settings
        self.offset = 0
        self.moved = asyncio.Event()

    async def reached(self, workspace_id: WorkspaceId, offset: int) -> None:  # noqa: ARG002 - the port's
        while self.offset < offset:
            self.moved.clear()
            await self.moved.wait()

    def settings(self, workspace_id: WorkspaceId) -> WorkspaceSettings | None:
        return self._settings if workspace_id == WORKSPACE else None


class Office:
    """A router with everything around it in memory, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.board = FakeSwitchboard()
        self.log = FakeLog()
        self.directory = FakeDirectory(
            WorkspaceSettings(offer_timeout_s=10, offer_attempts=OfferAttempts(round_robin=2))
        )
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.offset = 0
        self.desks = self.desks_of_a_new_process()

    def desks_of_a_new_process(self) -> PartitionDesks:
        router = Router(TRANSLATIONS, self.directory, self.directory, self.board, self.log)
        return PartitionDesks(
            router,
            self.board,
            take_over=self._take_over,
            give_up=lambda _: None,
            workspaces_of=lambda _: [WORKSPACE],
            clock=lambda: self.now,
        )

    async def _take_over(self, _: int, epoch: Epoch) -> None:
        await self.board.seat_agents(epoch, WORKSPACE, [seat("a"), seat("b")])

    def record(self, cause: str, event: Event, *, workspace: str = WORKSPACE) -> Record:
        self.offset += 1
        envelope = Envelope(EventId(cause), "/test", NOON, WorkspaceId(workspace), event)
        return Record(PARTITION.topic, PARTITION.partition, self.offset, envelope)

    def asked(self, conversation: str, **fields: int) -> Record:
        event = ChatRequested(conversation_id=ConversationId(conversation), request=request(), **fields)
        return self.record(f"asked-{conversation}", event)

    def status(self, conversation: str) -> Status:
        return self.board.workspaces[WORKSPACE].views[ConversationId(conversation)].status


@pytest.fixture
async def office() -> Office:
    office = Office()
    await office.desks.assigned(PARTITION)
    return office


async def _until(office: Office, types: list[str]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while office.log.types() != types:
            await asyncio.sleep(0)


async def test_a_batch_is_decided_published_and_shown_in_order(office: Office) -> None:
    accept = AcceptChat(conversation_id=ConversationId("cnv_1"), agent_id=AgentId("a"))
    await office.desks.handle(
        PARTITION, [office.asked("cnv_1"), office.asked("cnv_2"), office.record("yes", accept)]
    )
    assert office.log.types() == ["offered", "offered", "accepted"]
    assert office.status("cnv_1") is Status.ACTIVE
    assert office.status("cnv_2") is Status.OFFERED
    assert office.board.workspaces[WORKSPACE].answers[EventId("yes")].refusal is None
    assert office.board.workspaces[WORKSPACE].log_offsets == {"cnv_1": 2, "cnv_2": 1}


async def test_nothing_is_shown_before_the_log_has_it(office: Office) -> None:
    office.log.failures = 1
    record = office.asked("cnv_1")
    with pytest.raises(Unavailable):
        await office.desks.handle(PARTITION, [record])
    assert office.board.workspaces[WORKSPACE].views == {}
    await office.desks.handle(PARTITION, [record])
    assert office.log.types() == ["offered"]
    assert office.status("cnv_1") is Status.OFFERED


async def test_a_crash_before_publishing_is_repaired_with_the_same_event_ids(office: Office) -> None:
    office.log.failures = 1
    record = office.asked("cnv_1")
    with pytest.raises(Unavailable):
        await office.desks.handle(PARTITION, [record])
    office.now += timedelta(seconds=3)
    desks = office.desks_of_a_new_process()
    await desks.assigned(PARTITION)
    await desks.handle(PARTITION, [record])
    (envelope,) = office.log.envelopes
    assert isinstance(envelope.event, AssignmentOffered)
    assert envelope.time == office.now - timedelta(seconds=3)  # When it was decided, not retold.


async def test_a_record_that_comes_again_after_all_was_shown_is_not_published_again(
    office: Office,
) -> None:
    record = office.asked("cnv_1")
    await office.desks.handle(PARTITION, [record, record])
    await office.desks.handle(PARTITION, [record])
    assert office.log.types() == ["offered"]


async def test_a_request_waits_for_the_directory_it_was_made_under(office: Office) -> None:
    waiting = asyncio.create_task(
        office.desks.handle(PARTITION, [office.asked("cnv_1", directory_offset=7)])
    )
    await asyncio.sleep(0)
    assert office.log.types() == []
    office.directory.offset = 7
    office.directory.moved.set()
    await asyncio.wait_for(waiting, DEADLINE_S)
    assert office.log.types() == ["offered"]


async def test_a_request_of_a_workspace_that_is_gone_falls_back(office: Office) -> None:
    event = ChatRequested(conversation_id=ConversationId("cnv_1"), request=request())
    await office.desks.handle(PARTITION, [office.record("r", event, workspace="gone")])
    assert office.log.types() == ["fell_back"]


async def test_a_missed_offer_goes_on_when_its_time_has_come(office: Office) -> None:
    timers = asyncio.create_task(office.desks.run_timers())
    office.now -= timedelta(seconds=11)  # The offer was made a while ago …
    await office.desks.handle(PARTITION, [office.asked("cnv_1")])
    office.now += timedelta(seconds=11)  # … and is due now.
    second = AcceptChat(conversation_id=ConversationId("cnv_9"), agent_id=AgentId("a"))
    await office.desks.handle(PARTITION, [office.record("wake", second)])
    await _until(office, ["offered", "timed_out", "offered"])
    timers.cancel()
    assert office.status("cnv_1") is Status.OFFERED


async def test_timers_left_by_an_earlier_owner_come_before_new_commands(office: Office) -> None:
    await office.desks.handle(PARTITION, [office.asked("cnv_1")])
    office.now += timedelta(seconds=11)
    office.log.failures = 1
    successor = office.desks_of_a_new_process()
    with pytest.raises(Unavailable):
        await successor.assigned(PARTITION)  # It decides the timeout and fails to publish it.
    third = office.desks_of_a_new_process()
    await third.assigned(PARTITION)
    withdraw = WithdrawChat(conversation_id=ConversationId("cnv_1"), by=VISITOR)
    await third.handle(PARTITION, [office.record("leave", withdraw)])
    assert office.log.types() == ["offered", "timed_out", "offered", "rescinded", "withdrawn"]


async def test_a_timer_that_could_not_be_told_is_told_before_a_newer_command(office: Office) -> None:
    await office.desks.handle(PARTITION, [office.asked("cnv_1")])
    office.now += timedelta(seconds=11)
    office.log.failures = 1
    timers = asyncio.create_task(office.desks.run_timers())
    async with asyncio.timeout(DEADLINE_S):
        while office.log.failures:
            await asyncio.sleep(0)
    withdraw = WithdrawChat(conversation_id=ConversationId("cnv_1"), by=VISITOR)
    await office.desks.handle(PARTITION, [office.record("leave", withdraw)])
    timers.cancel()
    assert office.log.types() == ["offered", "timed_out", "offered", "rescinded", "withdrawn"]


async def test_a_command_that_is_refused_is_answered_and_publishes_nothing(office: Office) -> None:
    await office.desks.handle(PARTITION, [office.asked("cnv_1")])
    accept = AcceptChat(conversation_id=ConversationId("cnv_1"), agent_id=AgentId("b"))
    await office.desks.handle(PARTITION, [office.record("mine", accept)])
    answer = office.board.workspaces[WORKSPACE].answers[EventId("mine")]
    assert answer.refusal == "not-offered-to-you"
    assert office.log.types() == ["offered"]
