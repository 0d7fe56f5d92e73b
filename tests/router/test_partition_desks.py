"""Decided, then published, then shown: the router's order, and its repair after failures."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from rondo_common.availability import ScheduleBlock, Weekday
from rondo_common.clock import milliseconds
from rondo_common.conversation import Status
from rondo_common.directory.entries import Kind
from rondo_common.errors import Fenced, Retryable, Unavailable
from rondo_common.events import (
    AcceptChat,
    AssignmentOffered,
    ChatRequested,
    ConnectAgent,
    EndChat,
    Event,
    PlanRoute,
    TransferChat,
    WithdrawChat,
)
from rondo_common.ids import AgentId, ConversationId, EventId, WorkspaceId
from rondo_common.kafka.records import Record
from rondo_router.entrypoints import partition_desks
from tests.router.chats import ROUND_ROBIN, VISITOR, request
from tests.router.fake_switchboard import FakeSwitchboard
from tests.router.office import DirectoryLog, MemoryLog, Process, record_of
from tests.router.plain_workspace import Workspace
from tests.router.provisioned import NEVER, NOON, Provisioned

WORKSPACE = WorkspaceId("acme")
PARTITION = 3
DEADLINE_S = 60.0


class Office:
    """A workspace with two agents, and router processes that share everything but their views."""

    def __init__(self) -> None:
        self.board = FakeSwitchboard()
        self.log = MemoryLog()
        self.directory_log = DirectoryLog()
        self.here = Provisioned(WORKSPACE, partition=PARTITION)
        self.now = NOON
        self.offset = 0
        self.provision(
            self.here.settings(offer_timeout_s=10, offer_attempts={"round_robin": 2}),
            *self.here.agents("a", "b"),
        )
        self.process = self.new_process()

    def new_process(self) -> Process:
        return Process(self.board, self.log, self.log, self.directory_log, lambda: self.now)

    def provision(self, *changes: Any) -> None:
        self.directory_log.write(*changes)

    async def handle(self, *records: Record, process: Process | None = None) -> None:
        await (process or self.process).handle(PARTITION, records)

    def record(self, cause: str, event: Event, *, workspace: WorkspaceId = WORKSPACE) -> Record:
        self.offset += 1
        return record_of(PARTITION, self.offset, cause, workspace, event)

    def asked(self, conversation: str, **fields: Any) -> Record:
        event = ChatRequested(
            conversation_id=ConversationId(conversation), request=request(ROUND_ROBIN), **fields
        )
        return self.record(f"asked-{conversation}", event)

    def accepted(self, conversation: str, agent: str) -> Record:
        event = AcceptChat(conversation_id=ConversationId(conversation), agent_id=AgentId(agent))
        return self.record(f"{agent}-accepts-{conversation}", event)

    def withdrawn(self, conversation: str) -> Record:
        event = WithdrawChat(conversation_id=ConversationId(conversation), by=VISITOR)
        return self.record(f"{conversation}-withdrawn", event)

    @property
    def workspace(self) -> Workspace:
        return self.board.workspaces[WORKSPACE]

    def status(self, conversation: str) -> Status | None:
        shown = self.workspace.shown.get(ConversationId(conversation))
        return None if shown is None or shown.view is None else shown.view.status

    def refusal(self, command: str) -> str | None:
        return self.workspace.answers[EventId(command)].refusal

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
async def office() -> Office:
    office = Office()
    await office.process.assigned(PARTITION)
    return office


@contextlib.asynccontextmanager
async def timers_run(process: Process) -> AsyncIterator[None]:
    running = asyncio.create_task(process.desks.run_timers())
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def until_told(office: Office, *types: str) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while office.log.types() != list(types):
            await asyncio.sleep(0)


# --- the order -----------------------------------------------------------------------------------


async def test_a_batch_is_decided_published_and_shown_in_order(office: Office) -> None:
    await office.handle(office.asked("1"), office.asked("2"), office.accepted("1", "a"))
    assert office.log.types() == ["offered", "offered", "accepted"]
    assert (office.status("1"), office.status("2")) == (Status.ACTIVE, Status.OFFERED)
    assert office.refusal("a-accepts-1") is None
    offsets = {name: shown.log_offset for name, shown in office.workspace.shown.items()}
    assert offsets == {"1": 2, "2": 1}


async def test_nothing_is_shown_before_the_log_has_it(office: Office) -> None:
    office.log.failures = 1
    record = office.asked("1")
    with pytest.raises(Unavailable):
        await office.handle(record)
    assert office.status("1") is None
    await office.handle(record)
    assert office.log.types() == ["offered"]
    assert office.status("1") is Status.OFFERED


async def test_what_was_decided_and_not_told_comes_before_anything_newer(office: Office) -> None:
    office.log.failures = 1
    with pytest.raises(Unavailable):
        await office.handle(office.asked("1"))
    await office.handle(office.asked("2"))  # The consumer may come with other records first.
    assert [record.envelope.subject for record in office.log.records] == ["1", "2"]


async def test_a_crash_before_publishing_is_repaired_with_the_same_event_ids(office: Office) -> None:
    office.log.failures = 1
    record = office.asked("1")
    with pytest.raises(Unavailable):
        await office.handle(record)
    decided_at = office.now
    office.pass_time(3)
    successor = office.new_process()
    await successor.assigned(PARTITION)
    assert office.log.types() == ["offered"]  # Told before any record is read.
    await office.handle(record, process=successor)
    (told,) = office.log.records
    assert isinstance(told.envelope.event, AssignmentOffered)
    assert told.envelope.time == decided_at  # When it was decided, not when it was told.


async def test_a_crash_between_publishing_and_showing_tells_again_under_the_same_id(
    office: Office,
) -> None:
    office.log.failures = 1
    record = office.asked("1")
    with pytest.raises(Unavailable):
        await office.handle(record)
    ((_, decision),) = await office.board.untold([WORKSPACE])
    first, second = office.new_process(), office.new_process()
    await first.assigned(PARTITION)  # Publishes; imagine that it dies before it has shown it …
    office.workspace.decisions[decision.cause] = decision
    office.workspace.untold.append(decision.cause)
    await second.assigned(PARTITION)
    await office.handle(record, process=second)
    assert len(office.log.ids()) == 2
    assert len(set(office.log.ids())) == 1


async def test_a_record_that_comes_again_is_not_published_again(office: Office) -> None:
    record = office.asked("1")
    await office.handle(record, record)
    await office.handle(record)
    assert office.log.types() == ["offered"]


async def test_a_command_that_is_refused_is_answered_and_publishes_nothing(office: Office) -> None:
    await office.handle(office.asked("1"), office.accepted("1", "b"))
    assert office.refusal("b-accepts-1") == "not-offered-to-you"
    assert office.log.types() == ["offered"]


async def test_a_preview_is_answered_and_publishes_nothing(office: Office) -> None:
    await office.handle(office.record("what-if", PlanRoute(request=request())))
    preview = office.workspace.answers[EventId("what-if")].preview
    assert preview is not None
    assert preview.agent is not None
    assert (preview.agent.id, [each.name for each in preview.stages]) == ("a", ["round_robin"])
    assert office.log.types() == []


async def test_every_kind_of_command_is_understood(office: Office) -> None:
    here = ConversationId("1")
    transfer = TransferChat(conversation_id=here, by=AgentId("a"), agent_id=AgentId("b"), team_id=None)
    await office.handle(
        office.asked("1"),
        office.accepted("1", "a"),
        office.record("hand-over", transfer),
        office.accepted("1", "b"),
        office.record("end", EndChat(conversation_id=here, by=VISITOR)),
        office.record("present", ConnectAgent(agent_id=AgentId("b"))),
    )
    assert office.log.types() == [
        "offered",
        "accepted",
        "offered",
        "accepted",
        "transferred",
        "ended",
        "connected",
    ]


async def test_a_request_of_a_workspace_that_is_gone_falls_back(office: Office) -> None:
    office.provision(office.here.remove(Kind.WORKSPACE, WORKSPACE))
    await office.process.follow()
    await office.handle(office.asked("1"))
    assert office.log.types() == ["fell_back"]


# --- owners --------------------------------------------------------------------------------------


async def test_an_owner_who_was_replaced_can_do_no_harm(office: Office) -> None:
    await office.handle(office.asked("1"))
    successor = office.new_process()
    await successor.assigned(PARTITION)
    before = list(office.log.records)
    with pytest.raises(Fenced):
        await office.handle(office.asked("2"))
    await office.process.desks.mind_desks(is_check_due=True)
    office.provision(office.here.agent("c"))
    await office.process.follow()  # It leaves that to the new owner.
    assert office.log.records == before
    assert AgentId("c") not in office.workspace.seats


async def test_one_who_was_paused_in_the_middle_tells_late_and_shows_nothing(office: Office) -> None:
    gate = asyncio.Event()
    arrived = asyncio.Event()

    class Slow:
        async def announce(self, envelopes: Any) -> list[int]:
            arrived.set()
            await gate.wait()
            return await office.log.announce(envelopes)

    paused = Process(office.board, Slow(), office.log, office.directory_log, lambda: office.now)
    await paused.assigned(PARTITION)
    handling = asyncio.create_task(office.handle(office.asked("1"), process=paused))
    async with asyncio.timeout(DEADLINE_S):
        await arrived.wait()
    await office.process.assigned(PARTITION)  # It tells what the other had decided.
    await office.handle(office.accepted("1", "a"))
    gate.set()
    with pytest.raises(Fenced):
        async with asyncio.timeout(DEADLINE_S):
            await handling
    assert office.log.types() == ["offered", "accepted", "offered"]
    assert office.log.ids()[0] == office.log.ids()[2]
    assert office.status("1") is Status.ACTIVE


# --- the directory -------------------------------------------------------------------------------


async def test_a_request_waits_for_the_directory_it_was_made_under(office: Office) -> None:
    office.provision(office.here.agents("a", "b", schedule=NEVER), office.here.agent("c"))
    asked = office.asked("1", directory_offset=office.here.offset + 1)
    waiting = asyncio.create_task(office.handle(asked))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    await office.process.follow()
    async with asyncio.timeout(DEADLINE_S):
        await waiting
    offer = office.log.records[-1].envelope.event
    assert isinstance(offer, AssignmentOffered)
    assert offer.agent.id == "c"  # The switchboard had it too, not only the view.


async def test_a_new_workspace_is_taken_in_as_it_comes(office: Office) -> None:
    new = Provisioned("new", partition=PARTITION)
    office.provision(new.settings(), new.agent("n"))
    await office.process.follow()
    event = ChatRequested(conversation_id=ConversationId("1"), request=request())
    await office.handle(office.record("r", event, workspace=WorkspaceId("new")))
    assert office.log.types() == ["offered"]


async def test_removing_an_agent_deals_with_what_they_had(office: Office) -> None:
    await office.handle(office.asked("1"), office.accepted("1", "a"), office.asked("2"))
    office.provision(office.here.remove(Kind.AGENT, "a"), office.here.remove(Kind.AGENT, "b"))
    await office.process.follow()
    assert office.log.types()[3:] == ["ended", "rescinded", "fell_back"]


async def test_a_change_that_could_not_be_told_is_told_when_it_is_repeated(office: Office) -> None:
    await office.handle(office.asked("1"))
    change = office.here.remove(Kind.AGENT, "a")
    office.provision(change)
    office.process.reader.catch_up()
    office.log.failures = 1
    with pytest.raises(Retryable):
        await office.process.desks.directory_changed([change])
    await office.process.desks.directory_changed([change])
    assert office.log.types() == ["offered", "rescinded", "offered"]


async def test_a_takeover_brings_what_was_removed_while_nobody_owned_it(office: Office) -> None:
    await office.process.revoked(PARTITION)
    office.provision(office.here.remove(Kind.AGENT, "a"), office.here.team("sales", "b"))
    successor = office.new_process()
    await successor.assigned(PARTITION)
    assert set(office.workspace.seats) == {"b"}
    assert set(office.workspace.circle("team:sales").places) == {"b"}


# --- time ----------------------------------------------------------------------------------------


async def test_a_missed_offer_goes_on_when_its_time_has_come(office: Office) -> None:
    await office.handle(office.asked("1"))
    office.pass_time(9.999)
    await office.process.desks.mind_desks(is_check_due=False)
    assert office.log.types() == ["offered"]
    office.pass_time(0.001)
    await office.process.desks.mind_desks(is_check_due=False)
    assert office.log.types() == ["offered", "timed_out", "offered"]


async def test_timers_run_by_themselves(office: Office) -> None:
    await office.handle(office.asked("1"))
    office.pass_time(10)
    async with timers_run(office.process):
        await until_told(office, "offered", "timed_out", "offered")


async def test_timers_end_when_they_are_told_to_also_as_one_is_set(office: Office) -> None:
    running = asyncio.create_task(office.process.desks.run_timers())
    await asyncio.sleep(0)
    await office.handle(office.asked("1"))  # Sets a timer, which wakes them.
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=DEADLINE_S)
    assert done == {running}


async def test_what_is_due_comes_before_a_newer_command(office: Office) -> None:
    await office.handle(office.asked("1"))
    office.pass_time(10)
    await office.handle(office.accepted("1", "a"))
    assert office.log.types() == ["offered", "timed_out", "offered"]
    assert office.refusal("a-accepts-1") == "offer-expired"


async def test_timers_left_by_an_earlier_owner_come_before_new_commands(office: Office) -> None:
    await office.handle(office.asked("1"))
    office.pass_time(10)
    office.log.failures = 1
    successor = office.new_process()
    with pytest.raises(Unavailable):
        await successor.assigned(PARTITION)  # It decides the timeout and fails to publish it.
    third = office.new_process()
    await third.assigned(PARTITION)
    await office.handle(office.withdrawn("1"), process=third)
    assert office.log.types() == ["offered", "timed_out", "offered", "rescinded", "withdrawn"]


async def test_a_timer_that_could_not_be_told_is_told_before_a_newer_command(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_desks, "RETRY_S", 0)
    await office.handle(office.asked("1"))
    office.pass_time(10)
    office.log.failures = 1
    await office.process.desks.mind_desks(is_check_due=False)
    assert office.log.types() == ["offered"]
    await office.handle(office.withdrawn("1"))
    assert office.log.types() == ["offered", "timed_out", "offered", "rescinded", "withdrawn"]


async def test_an_agent_comes_at_the_minute(office: Office) -> None:
    block = ScheduleBlock(weekday=Weekday.THU, from_="12:30", to="13:00")
    office.provision(
        office.here.settings(queue={"enabled": True, "max_wait_s": 7200}),
        office.here.agents("a", "b", schedule=[block]),
    )
    await office.process.follow()
    await office.handle(office.asked("1"))
    async with timers_run(office.process):
        office.pass_time(30 * 60 - 0.001)
        await office.handle(office.accepted("9", "a"))
        assert office.log.types()[-1] == "queued"
        office.pass_time(0.001)
        await office.handle(office.accepted("8", "a"))
    assert "offered" in office.log.types()
    assert office.status("1") is Status.OFFERED


# --- a switchboard that forgot -------------------------------------------------------------------


async def test_a_switchboard_that_forgot_is_rebuilt_by_the_next_record(office: Office) -> None:
    await office.handle(office.asked("1"), office.asked("2"), office.accepted("1", "a"))
    office.board.forget()
    await office.handle(office.asked("3"), office.accepted("2", "b"))
    assert office.log.types()[3:] == ["offered", "accepted"]
    offer = office.log.records[3].envelope.event
    assert isinstance(offer, AssignmentOffered)
    assert offer.agent.id == "a"  # The rotation went on.
    assert {office.status(each) for each in "12"} == {Status.ACTIVE}
    assert office.status("3") is Status.OFFERED


async def test_what_was_told_before_it_forgot_is_not_told_again(office: Office) -> None:
    record = office.asked("1")
    await office.handle(record)
    office.board.forget()
    await office.handle(record)
    assert office.log.types() == ["offered"]


async def test_forgetting_between_publishing_and_showing_loses_nothing_and_tells_nothing_twice(
    office: Office,
) -> None:
    class Forgetful:
        """The switchboard is wiped just when the log has the events."""

        def __init__(self) -> None:
            self.is_armed = False

        async def announce(self, envelopes: Any) -> list[int]:
            offsets = await office.log.announce(envelopes)
            if self.is_armed:
                self.is_armed = False
                office.board.forget()
            return offsets

    announcer = Forgetful()
    process = Process(office.board, announcer, office.log, office.directory_log, lambda: office.now)
    await process.assigned(PARTITION)
    announcer.is_armed = True
    await office.handle(office.asked("1"), process=process)
    assert office.log.types() == ["offered"]
    assert office.status("1") is Status.OFFERED
    await office.handle(office.accepted("1", "a"), process=process)
    assert office.status("1") is Status.ACTIVE


async def test_what_was_decided_and_forgotten_before_it_was_told_is_decided_again(
    office: Office,
) -> None:
    office.log.failures = 1
    record = office.asked("1")
    with pytest.raises(Unavailable):
        await office.handle(record)
    office.board.forget()
    await office.handle(record)
    assert office.log.types() == ["offered"]
    assert office.status("1") is Status.OFFERED


async def test_a_loss_while_nothing_happens_is_found_by_the_check(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partition_desks, "LOST_CHECK_S", 0.01)
    await office.handle(office.asked("1"))
    office.board.forget()
    async with timers_run(office.process), asyncio.timeout(DEADLINE_S):
        while WORKSPACE not in office.board.workspaces:
            await asyncio.sleep(0.001)
    assert office.status("1") is Status.OFFERED
    due = await office.board.next_timers([WORKSPACE])
    assert due == {WORKSPACE: milliseconds(NOON + timedelta(seconds=10))}


async def test_offers_that_fell_due_while_it_had_forgotten_are_missed_then(office: Office) -> None:
    await office.handle(office.asked("1"))
    office.board.forget()
    office.pass_time(60)
    await office.process.desks.mind_desks(is_check_due=True)
    assert office.log.types() == ["offered", "timed_out", "offered"]


async def test_a_switchboard_that_was_never_lost_is_not_rebuilt(office: Office) -> None:
    recalls = office.log.recalls
    await office.handle(office.asked("1"))
    await office.process.desks.mind_desks(is_check_due=True)
    await office.new_process().assigned(PARTITION)
    assert office.log.recalls == recalls


async def test_a_new_owner_rebuilds_what_was_lost_before_it_came(office: Office) -> None:
    await office.handle(office.asked("1"), office.accepted("1", "a"))
    office.board.forget()
    successor = office.new_process()
    await successor.assigned(PARTITION)
    assert office.status("1") is Status.ACTIVE
    assert office.log.types() == ["offered", "accepted"]
