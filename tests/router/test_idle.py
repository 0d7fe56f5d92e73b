"""A chat in which nobody writes is over after a warning, on the real Redis Functions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from redis.asyncio import Redis

from rondo_common.conversation import EndReason, Party, Status
from rondo_common.directory.entries import WorkspaceSettings
from rondo_common.envelope import Envelope
from rondo_common.events import ChatEnded, ConversationIdleWarned, MessagePosted
from rondo_common.ids import AgentId, EventId
from rondo_router.domain.instruction import TransferConversation
from rondo_router.domain.memory import Recorded
from rondo_router.domain.route_plan import plan_transfer
from tests.router.waiting_room import ALAN, CNV, GRACE, START, WaitingRoom, open_waiting_room

NO_LEASE = WorkspaceSettings(visitor_lease_s=0)


@pytest.fixture
async def room(redis: Redis) -> WaitingRoom:
    return await open_waiting_room(redis, GRACE, ALAN)


async def test_ten_silent_minutes_end_a_chat_a_minute_after_a_warning(room: WaitingRoom) -> None:
    await room.ask(NO_LEASE)
    await room.accept()
    assert await room.pass_time(3600) == [(540, "idle_warned"), (600, "ended")]
    warned, over = (record.envelope.event for record in room.log[-2:])
    assert isinstance(warned, ConversationIdleWarned)
    assert warned.ends_at == START + timedelta(minutes=10)
    assert isinstance(over, ChatEnded)
    assert (over.reason, over.by) == (EndReason.IDLE, Party(type="system", id="rondo"))
    assert await room.status() is Status.ENDED
    assert await room.timers() == []


@pytest.mark.parametrize(
    ("timeout_s", "warned_s"), [(5, 4), (60, 48), (299, 239.2), (300, 240), (301, 241)]
)
async def test_the_warning_is_a_fifth_before_the_end_and_a_minute_at_most(
    room: WaitingRoom, timeout_s: int, warned_s: float
) -> None:
    await room.ask(WorkspaceSettings(visitor_lease_s=0, idle_timeout_s=timeout_s))
    await room.accept()
    assert await room.pass_time(1000) == [(warned_s, "idle_warned"), (timeout_s, "ended")]


async def test_it_counts_from_acceptance_not_from_the_request(room: WaitingRoom) -> None:
    await room.ask(NO_LEASE)
    await room.pass_time(90)
    await room.accept()
    assert await room.pass_time(1000) == [(630, "idle_warned"), (690, "ended")]


async def test_whoever_writes_starts_the_time_anew(room: WaitingRoom) -> None:
    await room.ask(NO_LEASE)
    await room.accept()
    await room.pass_time(500)
    await room.say()
    assert await room.pass_time(2000) == [(1040, "idle_warned"), (1100, "ended")]


async def test_a_message_after_the_warning_saves_the_chat_and_the_next_silence_is_warned_of_again(
    room: WaitingRoom,
) -> None:
    await room.ask(NO_LEASE)
    await room.accept()
    assert await room.pass_time(560) == [(540, "idle_warned")]
    await room.say()
    assert await room.pass_time(2000) == [(1100, "idle_warned"), (1160, "ended")]


async def test_a_message_at_the_last_moment_counts(room: WaitingRoom) -> None:
    await room.ask(NO_LEASE)
    await room.accept()
    await room.pass_time(599.999)
    await room.say()
    await room.pass_time(1)
    assert await room.status() is Status.ACTIVE


async def test_nobody_is_cut_off_without_warning_when_the_router_was_away(room: WaitingRoom) -> None:
    await room.ask(NO_LEASE)
    await room.accept()
    room.now += timedelta(hours=1)
    assert await room.fire_due() == ["idle_warned"]
    assert await room.pass_time(1000) == [(3660, "ended")]


async def test_the_same_timer_twice_warns_once(room: WaitingRoom) -> None:
    await room.ask(NO_LEASE)
    await room.accept()
    room.now += timedelta(seconds=540)
    (name,) = await room.timer_names()
    assert await room.fire_due() == ["idle_warned"]
    await room.set_timer(name)
    assert await room.fire_due() == []
    assert await room.pass_time(1000) == [(600, "ended")]


async def test_a_chat_that_is_over_has_no_timers_left(room: WaitingRoom) -> None:
    await room.ask(NO_LEASE)
    await room.accept()
    assert await room.timers() == ["idle"]
    await room.end()
    assert await room.timers() == []


async def test_taking_a_chat_over_counts_as_a_beginning(room: WaitingRoom) -> None:
    await room.ask(NO_LEASE)
    await room.accept()
    await room.pass_time(500)
    plan = plan_transfer(room.directory(NO_LEASE), AgentId(ALAN), None)
    await room.do(TransferConversation(CNV, GRACE, plan))
    await room.accept(ALAN)
    assert await room.pass_time(2000) == [(1040, "idle_warned"), (1100, "ended")]


async def test_an_offer_to_another_agent_is_taken_back_with_the_silent_chat(room: WaitingRoom) -> None:
    settings = WorkspaceSettings(visitor_lease_s=0, idle_timeout_s=10, offer_timeout_s=600)
    await room.ask(settings)
    await room.accept()
    plan = plan_transfer(room.directory(settings), AgentId(ALAN), None)
    await room.do(TransferConversation(CNV, GRACE, plan))
    assert await room.pass_time(100) == [(8, "idle_warned"), (10, "rescinded"), (10, "ended")]
    assert await room.timers() == []


@pytest.mark.parametrize(
    ("lost_at_s", "left"),
    [
        (100, [(540, "idle_warned"), (600, "ended")]),
        (550, [(600, "ended")]),
        (700, [(700, "idle_warned"), (760, "ended")]),
    ],
)
async def test_silence_is_remembered_by_the_log(
    room: WaitingRoom, lost_at_s: int, left: list[tuple[float, str]]
) -> None:
    await room.ask(NO_LEASE)
    await room.accept()
    await room.pass_time(min(lost_at_s, 599))
    if lost_at_s > 600:  # Redis was away all the while, and had lost the warning's log record too.
        room.log.pop()
        room.now = START + timedelta(seconds=lost_at_s)
    await room.forget(NO_LEASE)
    assert await room.pass_time(1000) == left


async def test_a_message_is_remembered_by_the_log(room: WaitingRoom) -> None:
    await room.ask(NO_LEASE)
    await room.accept()
    await room.pass_time(550)
    await room.say()
    event = MessagePosted(conversation_id=CNV, message=room.said, client_message_id="1", agent_id=GRACE)
    envelope = Envelope(EventId("posted"), "/rondo/gateway", room.now, room.workspace_id, event)
    room.log.append(Recorded(envelope, len(room.log)))
    await room.forget(NO_LEASE)
    assert await room.pass_time(2000) == [(1090, "idle_warned"), (1150, "ended")]
