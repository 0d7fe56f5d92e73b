"""What every switchboard promises of availability and presence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rondo_common.availability import ScheduleBlock, Weekday
from rondo_common.clock import milliseconds
from rondo_common.conversation import Status
from rondo_common.directory.entries import Kind
from rondo_router.domain.decision import AvailabilityChanged, CoverageLost
from tests.router.chats import agent_route
from tests.router.hall import Hall, OpenHall, told, told_of
from tests.router.provisioned import NEVER, NOON

# --- availability --------------------------------------------------------------------------------


def thursday(start: str, end: str) -> ScheduleBlock:
    """A block of the day on which these tests play."""
    return ScheduleBlock(weekday=Weekday.THU, from_=start, to=end)


async def test_an_agent_comes_and_goes_at_the_minute_without_anyone_asking(open_hall: OpenHall) -> None:
    hall = await open_hall(queue={"enabled": True, "max_wait_s": 7200}, offer_timeout_s=600)
    await hall.provision(hall.here.agent("a", schedule=(thursday("13:00", "14:00"),)))
    await hall.one(hall.asking.ask("1"))
    assert told(*await hall.wait(3599.999)) == []
    assert told(*await hall.wait(0.001)) == ["availability_changed:a", "offered:a"]
    await hall.one(hall.asking.accept("1", "a"))
    (step,) = [step for each in await hall.wait(3600) for step in each.steps]
    assert isinstance(step, AvailabilityChanged)
    assert not step.availability.available
    assert await hall.status("1") is Status.ACTIVE
    assert told(await hall.one(hall.asking.ask("2"))) == ["queued"]


async def test_a_schedule_that_changed_moves_the_timer(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", schedule=(thursday("13:00", "14:00"),)))
    at_one, at_two = (milliseconds(NOON + timedelta(hours=hours)) for hours in (1, 2))
    due = await hall.board.next_timers([hall.workspace_id])
    assert due == {hall.workspace_id: at_one}
    await hall.provision(hall.here.agent("a", schedule=(thursday("14:00", "15:00"),)))
    assert await hall.board.next_timers([hall.workspace_id]) == {hall.workspace_id: at_two}
    await hall.provision(hall.here.agent("a"))  # Always.
    assert await hall.board.next_timers([hall.workspace_id]) == {hall.workspace_id: None}


async def test_the_toggle_holds_until_its_end(hall: Hall) -> None:
    here = hall.here
    await hall.provision(here.agent("a", schedule=(thursday("11:00", "17:00"),)))
    await hall.provision(here.toggle("a", available=False, at=NOON))
    assert await hall.offered("1") is None
    await hall.provision(here.remove(Kind.TOGGLE, "a"))
    assert await hall.offered("2") == "a"
    hall.now = milliseconds(datetime(2026, 1, 1, 18, tzinfo=UTC))
    await hall.wait(0)
    assert await hall.offered("3") is None
    await hall.provision(here.toggle("a", available=True, at=datetime(2026, 1, 1, 18, tzinfo=UTC)))
    assert await hall.offered("4") == "a"
    decisions = await hall.wait(6 * 3600)  # Midnight.
    assert "availability_changed:a" in told(*decisions)
    assert await hall.offered("5") is None


async def test_what_stays_as_it_was_is_no_news(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a"))
    assert told(*await hall.provision(hall.here.agent("a", email="anna@acme.example"))) == []
    assert told(*await hall.take_over()) == []


async def test_one_who_is_removed_leaves_no_timer(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", schedule=(thursday("13:00", "14:00"),)))
    await hall.provision(hall.here.remove(Kind.AGENT, "a"))
    assert await hall.board.next_timers([hall.workspace_id]) == {hall.workspace_id: None}


# --- presence ------------------------------------------------------------------------------------


@pytest.fixture
async def present_hall(open_hall: OpenHall) -> Hall:
    """A hall where only the present are offered chats; ``a`` and ``b`` are seated."""
    hall = await open_hall(presence_required=True, queue={"enabled": True}, offer_timeout_s=600)
    await hall.provision(hall.here.agents("a", "b"))
    return hall


async def test_only_the_present_are_offered_chats_where_that_is_required(present_hall: Hall) -> None:
    hall = present_hall
    await hall.provision(hall.here.settings(presence_required=True))
    assert told(await hall.connect("b")) == ["connected:b"]
    assert await hall.offers("1", "2") == ["b", "b"]
    assert told(await hall.connect("b")) == []  # Another device.


async def test_presence_is_told_but_not_asked_for_elsewhere(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a"))
    assert await hall.offered("1") == "a"
    assert told(await hall.connect("a")) == ["connected:a"]
    assert told(*await hall.wait(75)) == ["disconnected:a"]
    assert await hall.status("1") is Status.OFFERED
    assert await hall.offered("2") == "a"


async def test_who_comes_takes_who_waits(present_hall: Hall) -> None:
    hall = present_hall
    assert told(await hall.one(hall.asking.ask("1"))) == ["queued"]
    assert told(await hall.connect("a")) == ["connected:a", "offered:a"]


async def test_a_lease_that_was_renewed_holds_on_and_one_that_was_not_is_lost(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a"))
    await hall.connect("a")
    await hall.wait(60)
    await hall.renew_lease("a")
    assert told(*await hall.wait(15)) == []
    assert told(*await hall.wait(59.999)) == []
    assert told(*await hall.wait(0.001)) == ["disconnected:a"]
    assert told(await hall.connect("a")) == ["connected:a"]


async def test_an_open_offer_of_one_who_is_gone_goes_to_the_next_at_no_attempts_cost(
    present_hall: Hall,
) -> None:
    hall = present_hall
    await hall.connect("a")
    await hall.connect("b", lease_s=500)
    assert await hall.offered("1") == "a"
    (lost,) = await hall.wait(75)
    assert told(lost) == ["disconnected:a", "rescinded:a:agent_absent", "offered:b"]
    assert told(await hall.one(hall.asking.decline("1", "b"))) == ["declined:b", "fell_back:not_answered"]


async def test_a_visitor_whose_agents_are_gone_waits_for_those_who_were_not_asked(
    present_hall: Hall,
) -> None:
    hall = present_hall
    await hall.connect("a")
    await hall.one(hall.asking.ask("1"))
    (lost,) = await hall.wait(75)
    assert told(lost) == ["disconnected:a", "rescinded:a:agent_absent", "queued"]
    assert told(await hall.connect("a")) == ["connected:a"]  # They were asked.
    assert told(await hall.connect("b")) == ["connected:b", "offered:b"]


async def test_active_chats_of_one_who_is_gone_stay_and_it_is_told_that_nobody_is_there(
    present_hall: Hall,
) -> None:
    hall = present_hall
    await hall.connect("a")
    await hall.decide(hall.asking.ask("1"), hall.asking.accept("1", "a"), hall.asking.ask("2"))
    (lost,) = await hall.wait(75)
    assert told_of("1", lost) == []
    last = lost.steps[-1]
    assert isinstance(last, CoverageLost)
    assert (last.agent_id, last.conversation_ids) == ("a", ("1",))
    assert await hall.status("1") is Status.ACTIVE


async def test_what_was_handed_to_one_who_is_gone_returns(present_hall: Hall) -> None:
    hall = present_hall
    await hall.connect("a", lease_s=500)
    await hall.connect("b")
    await hall.decide(
        hall.asking.ask("1", agent_route("a")),
        hall.asking.accept("1", "a"),
        hall.asking.transfer("1", "a", agent="b"),
    )
    (lost,) = await hall.wait(75)
    assert told(lost) == ["disconnected:b", "rescinded:b:agent_absent", "returned:a"]


async def test_the_presence_of_one_who_is_not_seated_is_no_news(hall: Hall) -> None:
    assert told(await hall.connect("ghost")) == []
    assert told(await hall.one(hall.asking.check_presence("ghost"))) == []


async def test_requiring_presence_later_shuts_out_who_is_not_there(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b"))
    await hall.connect("b")
    await hall.provision(hall.here.settings(presence_required=True))
    assert await hall.offers("1", "2") == ["b", "b"]
    await hall.provision(hall.here.settings())
    assert await hall.offers("3", "4") == ["a", "b"]


async def test_away_comes_before_absent_in_saying_why(present_hall: Hall) -> None:
    hall = present_hall
    await hall.provision(hall.here.agent("a", schedule=NEVER))
    step = (await hall.one(hall.asking.ask("1"))).steps[-1]
    assert [each["reason"] for each in step.model_dump()["why"]["passed_over"]] == ["away", "not_present"]
