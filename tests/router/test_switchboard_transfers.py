"""What every switchboard promises of handing a conversation over."""

from __future__ import annotations

import pytest

from rondo_common.conversation import Status
from rondo_common.directory.entries import Kind
from rondo_router.domain.decision import Offered
from tests.router.hall import Hall, OpenHall, offered, told, told_of
from tests.router.provisioned import NEVER


@pytest.fixture
async def hall(open_hall: OpenHall) -> Hall:
    """A hall where ``a`` talks in conversation 1; ``b``, ``c`` and ``d`` are there, in team sales."""
    hall = await open_hall(offer_timeout_s=30)
    await hall.provision(hall.here.agents("a", "b", "c", "d"), hall.here.team("sales", "b", "c", "d", "a"))
    await hall.decide(hall.asking.ask("1"), hall.asking.accept("1", "a"))
    return hall


async def test_it_stays_with_the_sender_until_the_receiver_accepts(hall: Hall) -> None:
    decision = await hall.one(hall.asking.transfer("1", "a", agent="c"))
    step = decision.steps[-1]
    assert isinstance(step, Offered)
    assert (step.agent.id, step.attempt, step.transferred_by and step.transferred_by.id) == ("c", 2, "a")
    assert step.expires_at == hall.now + 30_000
    view = await hall.view("1")
    assert view is not None
    assert view.offer is not None
    assert (view.status, view.agent_id, view.offer.agent_id) == (Status.ACTIVE, "a", "c")
    assert await hall.desk("a") == await hall.desk("c") == {"1"}
    assert await hall.held("a") == await hall.held("c") == {"1"}
    accepted = await hall.one(hall.asking.accept("1", "c"))
    assert [step.type for step in accepted.steps] == ["accepted", "transferred"]
    view = await hall.view("1")
    assert view is not None
    assert (view.status, view.agent_id, view.offer) == (Status.ACTIVE, "c", None)
    assert (await hall.desk("a"), await hall.desk("c")) == (set(), {"1"})
    assert (await hall.held("a"), await hall.held("c")) == (set(), {"1"})


async def test_once_accepted_only_the_receiver_may_go_on(hall: Hall) -> None:
    await hall.decide(hall.asking.transfer("1", "a", agent="c"), hall.asking.accept("1", "c"))
    old, new = await hall.decide(
        hall.asking.end("1", by_agent="a"), hall.asking.transfer("1", "c", agent="a")
    )
    assert old.refusal == "not-your-conversation"
    assert offered(new) == "a"


async def test_declined_by_one_agent_it_returns(hall: Hall) -> None:
    await hall.one(hall.asking.transfer("1", "a", agent="c"))
    assert told(await hall.one(hall.asking.decline("1", "c"))) == ["declined:c", "returned:a"]
    view = await hall.view("1")
    assert view is not None
    assert (view.status, view.agent_id, view.offer) == (Status.ACTIVE, "a", None)
    assert (await hall.desk("c"), await hall.held("c")) == (set(), set())
    assert await hall.held("a") == {"1"}
    # And may be handed over anew, also to them.
    assert offered(await hall.one(hall.asking.transfer("1", "a", agent="c"))) == "c"


async def test_a_team_is_asked_in_turn_without_the_sender_and_then_it_returns(hall: Hall) -> None:
    first = await hall.one(hall.asking.transfer("1", "a", team="sales"))
    assert offered(first) == "b"
    step = first.steps[-1]
    assert isinstance(step, Offered)
    assert (step.why.pool, step.why.attempts_left, step.why.stages_left) == ("team:sales", 1, ())
    (second,) = await hall.wait(30)
    assert told(second) == ["timed_out:b", "offered:c"]
    assert told(await hall.one(hall.asking.decline("1", "c"))) == ["declined:c", "returned:a"]


async def test_a_team_of_which_only_the_sender_is_there_is_refused(hall: Hall) -> None:
    await hall.provision(hall.here.agents("b", "c", "d", schedule=NEVER))
    refused = await hall.one(hall.asking.transfer("1", "a", team="sales"))
    assert (refused.steps, refused.refusal) == ((), "nobody-available")
    # Nothing is left of it.
    assert told(await hall.one(hall.asking.end("1"))) == ["ended:a:visitor_ended"]


@pytest.mark.parametrize("to", [{"agent": "a"}, {"agent": "ghost"}, {"team": "ghosts"}])
async def test_nobody_to_hand_it_to_is_a_refusal(hall: Hall, to: dict[str, str]) -> None:
    assert (await hall.one(hall.asking.transfer("1", "a", **to))).refusal == "nobody-available"
    assert await hall.status("1") is Status.ACTIVE


async def test_only_one_handing_over_at_a_time_and_only_by_who_has_it(hall: Hall) -> None:
    decisions = await hall.decide(
        hall.asking.transfer("1", "b", agent="c"),
        hall.asking.transfer("1", "a", agent="c"),
        hall.asking.transfer("1", "a", agent="d"),
        hall.asking.transfer("nowhere", "a", agent="d"),
    )
    assert [each.refusal for each in decisions] == [
        "not-your-conversation",
        None,
        "transfer-under-way",
        "conversation-not-active",
    ]


async def test_an_offered_chat_cannot_be_handed_over(hall: Hall) -> None:
    await hall.one(hall.asking.ask("2"))
    assert (await hall.one(hall.asking.transfer("2", "b", agent="c"))).refusal == "conversation-not-active"


@pytest.mark.parametrize("by", ["a", None])
async def test_ending_it_meanwhile_takes_the_offer_back(hall: Hall, by: str | None) -> None:
    await hall.one(hall.asking.transfer("1", "a", agent="c"))
    ended = await hall.one(hall.asking.end("1", by_agent=by))
    assert told(ended) == ["rescinded:c:ended", f"ended:a:{'agent' if by else 'visitor'}_ended"]
    late = await hall.one(hall.asking.accept("1", "c"))
    assert late.refusal == "not-offered-to-you"
    assert await hall.held("a") == await hall.held("c") == set()
    assert await hall.desk("a") == await hall.desk("c") == set()
    assert told(*await hall.wait(100)) == []


async def test_an_end_after_the_receiver_accepted_ends_it_with_them(hall: Hall) -> None:
    await hall.one(hall.asking.transfer("1", "a", agent="c"))
    accepted, ended = await hall.decide(hall.asking.accept("1", "c"), hall.asking.end("1"))
    assert told(ended) == ["ended:c:visitor_ended"]
    assert accepted.refusal is None


async def test_the_receiver_cannot_end_before_they_accepted(hall: Hall) -> None:
    await hall.one(hall.asking.transfer("1", "a", agent="c"))
    assert (await hall.one(hall.asking.end("1", by_agent="c"))).refusal == "not-your-conversation"


async def test_the_visitor_cannot_withdraw_what_is_active(hall: Hall) -> None:
    await hall.one(hall.asking.transfer("1", "a", agent="c"))
    assert (await hall.one(hall.asking.withdraw("1"))).refusal == "conversation-already-active"


async def test_with_the_receiver_removed_the_next_of_the_team_is_asked_at_no_cost(hall: Hall) -> None:
    await hall.one(hall.asking.transfer("1", "a", team="sales"))
    (decision,) = await hall.provision(hall.here.remove(Kind.AGENT, "b"))
    assert told(decision) == ["rescinded:b:agent_removed", "offered:c"]
    assert told(await hall.one(hall.asking.decline("1", "c"))) == ["declined:c", "offered:d"]


async def test_with_the_only_receiver_removed_it_returns(hall: Hall) -> None:
    await hall.one(hall.asking.transfer("1", "a", agent="c"))
    (decision,) = await hall.provision(hall.here.remove(Kind.AGENT, "c"))
    assert told(decision) == ["rescinded:c:agent_removed", "returned:a"]


async def test_with_the_sender_removed_it_ends(hall: Hall) -> None:
    await hall.one(hall.asking.transfer("1", "a", agent="c"))
    (decision,) = await hall.provision(hall.here.remove(Kind.AGENT, "a"))
    assert told(decision) == ["rescinded:c:ended", "ended:a:agent_lost"]
    assert await hall.held("c") == set()


async def test_the_place_of_who_handed_over_goes_to_who_waits(hall: Hall) -> None:
    here = hall.here
    await hall.provision(
        here.settings(queue={"enabled": True}, offer_timeout_s=30, agent_capacity=1),
        here.agents("c", "d", schedule=NEVER),
    )
    await hall.decide(hall.asking.ask("2"), hall.asking.ask("3"))
    assert await hall.status("2") is Status.OFFERED  # To b.
    assert await hall.status("3") is Status.QUEUED
    await hall.provision(here.agent("c", capacity=1))
    assert await hall.status("3") is Status.OFFERED
    await hall.provision(here.agent("d", capacity=1))
    await hall.one(hall.asking.transfer("1", "a", agent="d"))
    await hall.one(hall.asking.ask("4"))
    accepted = await hall.one(hall.asking.accept("1", "d"))
    assert told_of("4", accepted) == ["offered:a"]


async def test_while_it_is_handed_over_others_cannot_accept_it(hall: Hall) -> None:
    await hall.one(hall.asking.transfer("1", "a", agent="c"))
    other, sender = await hall.decide(hall.asking.accept("1", "b"), hall.asking.accept("1", "a"))
    assert other.refusal == "conversation-already-taken"
    assert (sender.steps, sender.refusal) == ((), None)  # They have it.
