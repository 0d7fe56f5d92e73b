"""What every switchboard promises of causes, owners, and what the world sees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rondo_common.conversation import Status
from rondo_common.errors import Fenced, Lost
from rondo_common.ids import WorkspaceId
from rondo_router.domain.memory import WorkspaceMemory
from rondo_router.domain.outcome import showing_of
from tests.router.chats import NOW
from tests.router.hall import PARTITION, Hall, OpenHall, told

# --- causes --------------------------------------------------------------------------------------


async def test_the_same_cause_gets_the_same_decision(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b"))
    ask = hall.asking.ask("1")
    (first,) = await hall.board.decide(hall.epoch, [ask], NOW)
    (again,) = await hall.board.decide(hall.epoch, [ask], NOW + 5_000)
    assert again == first
    await hall.tell(first)
    (shown,) = await hall.board.decide(hall.epoch, [ask], NOW + 9_000)
    assert shown == first.model_copy(update={"steps": (), "chats": (), "repeated": True})
    assert await hall.offered("2") == "b"


async def test_a_refusal_is_given_again_also_when_it_could_be_granted_now(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a"))
    early = hall.asking.accept("1", "a")
    assert (await hall.one(early)).refusal == "not-offered-to-you"
    await hall.one(hall.asking.ask("1"))
    again = await hall.one(early)
    assert (again.refusal, again.repeated) == ("not-offered-to-you", True)


async def test_what_was_not_told_is_known_in_the_order_it_was_decided(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b"))
    asked = [hall.asking.ask("1"), hall.asking.ask("2"), hall.asking.accept("1", "a")]
    decisions = await hall.board.decide(hall.epoch, asked, NOW)
    refused = await hall.board.decide(hall.epoch, [hall.asking.accept("1", "b")], NOW)
    untold = await hall.board.untold([hall.workspace_id])
    assert untold == [(hall.workspace_id, each) for each in decisions]
    await hall.tell(decisions[0])
    assert [each.cause for _, each in await hall.board.untold([hall.workspace_id])] == [
        each.cause for each in decisions[1:]
    ]
    for each in (*decisions[1:], *refused):
        await hall.tell(each)
    assert await hall.board.untold([hall.workspace_id]) == []


async def test_one_decision_can_move_several_conversations(open_hall: OpenHall) -> None:
    hall = await open_hall(queue={"enabled": True}, agent_capacity=1)
    await hall.provision(hall.here.agent("a"))
    await hall.decide(hall.asking.ask("1"), hall.asking.ask("2", priority=3))
    decision = await hall.one(hall.asking.withdraw("1"))
    assert [(each.conversation_id, each.version, each.status) for each in decision.chats] == [
        ("1", 2, Status.WITHDRAWN),
        ("2", 2, Status.OFFERED),
    ]
    assert decision.chats[1].request.priority == 3


# --- views, desks, timers ------------------------------------------------------------------------


async def test_nothing_is_seen_before_it_is_shown(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a"))
    (decision,) = await hall.board.decide(hall.epoch, [hall.asking.ask("1")], NOW)
    assert await hall.view("1") is None
    assert await hall.desk("a") == set()
    assert await hall.board.next_timers([hall.workspace_id]) == {hall.workspace_id: None}
    await hall.tell(decision)
    assert await hall.status("1") is Status.OFFERED
    assert await hall.desk("a") == {"1"}
    assert await hall.board.next_timers([hall.workspace_id]) == {hall.workspace_id: NOW + 100_000}


async def test_an_old_decision_shown_late_changes_nothing(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a"))
    asked = [hall.asking.ask("1"), hall.asking.accept("1", "a")]
    first, second = await hall.board.decide(hall.epoch, asked, NOW)
    await hall.board.show(hall.epoch, [showing_of(hall.workspace_id, second, [1])])
    await hall.board.show(hall.epoch, [showing_of(hall.workspace_id, first, [0])])
    view = await hall.view("1")
    assert view is not None
    assert (view.status, view.log_offset, view.state_offset) == (Status.ACTIVE, 1, 1)
    assert told(*await hall.wait(100)) == []  # Nor is the offer's timer back.


async def test_a_view_says_where_the_log_has_it(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a"))
    await hall.decide(hall.asking.ask("1"), hall.asking.ask("2"))
    await hall.decide(hall.asking.accept("1", "a"), hall.asking.end("1"))
    offsets = [(each and each.state_offset) for each in (await hall.view("1"), await hall.view("2"))]
    assert offsets == [3, 1]


async def test_an_answered_offer_leaves_no_timer(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a"))
    await hall.decide(*(hall.asking.ask(each) for each in "123"))
    await hall.decide(
        hall.asking.accept("1", "a"), hall.asking.decline("2", "a"), hall.asking.withdraw("3")
    )
    assert await hall.board.due_timers([hall.workspace_id], hall.now + 100_000) == []


async def test_timers_come_oldest_first_and_stay_until_they_are_shown(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a"))
    await hall.one(hall.asking.ask("1"))
    hall.now += 1_000
    await hall.one(hall.asking.ask("2"))
    due = await hall.board.due_timers([hall.workspace_id], NOW + 101_000)
    assert [name for _, name in due] == ["offer/1/1", "offer/2/1"]
    assert await hall.board.due_timers([hall.workspace_id], NOW + 100_999) == due[:1]
    assert await hall.board.due_timers([hall.workspace_id], NOW + 101_000) == due


async def test_a_timer_that_is_fired_twice_does_nothing_the_second_time(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b"))
    await hall.one(hall.asking.ask("1"))
    hall.now += 100_000
    ((_, name),) = await hall.board.due_timers([hall.workspace_id], hall.now)
    first, again = await hall.decide(*[hall.instruction_of(name)] * 2)
    assert told(first) == ["timed_out:a", "fell_back:not_answered"]
    assert again == first
    later = await hall.one(hall.instruction_of(name))
    assert (later.repeated, later.steps) == (True, ())
    assert await hall.board.due_timers([hall.workspace_id], hall.now) == []


# --- owners --------------------------------------------------------------------------------------


async def test_each_claim_is_greater_than_any_before(hall: Hall) -> None:
    second = await hall.board.claim(PARTITION, 0)
    third = await hall.board.claim(PARTITION, 0)
    assert hall.epoch < second < third


async def test_an_owner_who_outlived_the_servers_memory_is_followed_by_a_greater_claim(
    open_hall: OpenHall,
) -> None:
    hall = await open_hall()
    ahead = await hall.board.claim(PARTITION, NOW + 5_000)  # By a clock that is fast.
    await hall.world.forget([hall.workspace_id], [PARTITION])
    await hall.board.restore(ahead, hall.workspace_id, WorkspaceMemory(hall.here.found), NOW)
    await hall.board.adopt(ahead, PARTITION, [hall.workspace_id])
    following = await hall.board.claim(PARTITION, NOW)
    assert following > ahead
    await hall.board.adopt(following, PARTITION, [hall.workspace_id])


async def test_an_earlier_owner_is_fenced_off_from_everything(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a"))
    (decision,) = await hall.board.decide(hall.epoch, [hall.asking.ask("1")], NOW)
    newer = await hall.board.claim(PARTITION, NOW)
    await hall.board.adopt(newer, PARTITION, [hall.workspace_id])
    for refused in (
        hall.board.decide(hall.epoch, [hall.asking.ask("2")], NOW),
        hall.board.decide(hall.epoch, [hall.asking.preview()], NOW),
        hall.board.show(hall.epoch, [showing_of(hall.workspace_id, decision)]),
        hall.board.adopt(hall.epoch, PARTITION, [hall.workspace_id]),
    ):
        with pytest.raises(Fenced):
            await refused
    assert await hall.view("1") is None
    assert [each for _, each in await hall.board.untold([hall.workspace_id])] == [decision]


async def test_a_newer_owner_fences_by_its_first_effect_too(hall: Hall) -> None:
    newer = await hall.board.claim(PARTITION, NOW)
    await hall.board.decide(newer, [hall.asking.ask("1")], NOW)
    with pytest.raises(Fenced):
        await hall.one(hall.asking.ask("2"))


async def test_a_workspace_that_nobody_adopted_is_lost(hall: Hall) -> None:
    elsewhere = WorkspaceId(f"{hall.workspace_id}-strange")
    for asked in (hall.asking.ask("1"), hall.asking.preview()):
        with pytest.raises(Lost):
            await hall.board.decide(hall.epoch, [replace(asked, workspace_id=elsewhere)], NOW)


async def test_a_workspace_that_was_discarded_is_gone_and_not_lost(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a"))
    await hall.one(hall.asking.ask("1"))
    other = WorkspaceId(f"{hall.workspace_id}-other")
    await hall.board.adopt(hall.epoch, PARTITION, [other])
    await hall.board.discard(PARTITION, hall.workspace_id)
    assert await hall.board.lost(PARTITION, [hall.workspace_id, other]) == []
    assert (await hall.board.seated(hall.workspace_id)).agents == set()
    with pytest.raises(Lost):
        await hall.one(hall.asking.ask("2"))


async def test_only_what_was_adopted_once_is_found_lost(hall: Hall) -> None:
    stranger = WorkspaceId(f"{hall.workspace_id}-strange")
    assert await hall.board.lost(PARTITION, [hall.workspace_id, stranger]) == []
    # A server that knows nothing of a partition has forgotten all of it.
    unheard_of = 1_000_000 + PARTITION
    assert await hall.board.lost(unheard_of, [hall.workspace_id, stranger]) == [stranger]
