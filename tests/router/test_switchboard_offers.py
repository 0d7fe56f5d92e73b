"""What every switchboard promises of an offer and its answers."""

from __future__ import annotations

from rondo_common.conversation import RescindReason
from rondo_common.directory.entries import Kind
from rondo_router.domain.decision import Offered, Rescinded
from tests.router.chats import ROUND_ROBIN, agent_route
from tests.router.hall import Hall, told
from tests.router.provisioned import NEVER


async def test_an_accept_wins_once_and_again_is_no_second_event(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b"))
    await hall.one(hall.asking.ask("1"))
    first, again, other = await hall.decide(
        hall.asking.accept("1", "a"), hall.asking.accept("1", "a"), hall.asking.accept("1", "b")
    )
    assert told(first) == ["accepted:a"]
    assert (again.steps, again.refusal) == ((), None)
    assert (other.steps, other.refusal) == ((), "conversation-already-taken")


async def test_who_was_not_offered_the_chat_can_neither_accept_nor_decline(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b"))
    await hall.one(hall.asking.ask("1"))
    decisions = await hall.decide(hall.asking.accept("1", "b"), hall.asking.decline("1", "b"))
    assert [each.refusal for each in decisions] == ["not-offered-to-you"] * 2
    unknown = await hall.one(hall.asking.accept("nowhere", "a"))
    assert unknown.refusal == "not-offered-to-you"


async def test_an_offer_that_is_over_cannot_be_answered(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a"))
    await hall.one(hall.asking.ask("1"))
    hall.now += 99_999
    assert not (await hall.board.due_timers([hall.workspace_id], hall.now))
    hall.now += 1
    late = await hall.one(hall.asking.accept("1", "a"))
    assert late.refusal == "offer-expired"
    assert told(*await hall.wait(0)) == ["timed_out:a", "fell_back:not_answered"]
    later = await hall.decide(hall.asking.accept("1", "a"), hall.asking.decline("1", "a"))
    assert [each.refusal for each in later] == ["offer-expired"] * 2


async def test_an_accept_before_the_timer_wins(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a"))
    await hall.one(hall.asking.ask("1"))
    hall.now += 99_999
    assert told(await hall.one(hall.asking.accept("1", "a"))) == ["accepted:a"]
    assert told(*await hall.wait(10)) == []


async def test_whoever_comes_first_wins_an_accept_or_a_withdrawal(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b"))
    await hall.decide(hall.asking.ask("1"), hall.asking.ask("2"))
    accepted, refused = await hall.decide(hall.asking.accept("1", "a"), hall.asking.withdraw("1"))
    assert (told(accepted), refused.refusal) == (["accepted:a"], "conversation-already-active")
    withdrawn, late = await hall.decide(hall.asking.withdraw("2"), hall.asking.accept("2", "b"))
    assert told(withdrawn) == ["rescinded:b:withdrawn", "withdrawn"]
    assert late.refusal == "offer-expired"


async def test_a_decline_does_not_take_what_another_has(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b"))
    await hall.decide(hall.asking.ask("1"), hall.asking.accept("1", "a"))
    mine, others = await hall.decide(hall.asking.decline("1", "a"), hall.asking.decline("1", "b"))
    assert [mine.refusal, others.refusal] == ["conversation-already-taken"] * 2


async def test_withdrawing_rescinds_the_offer_frees_the_agent_and_again_is_nothing_new(
    hall: Hall,
) -> None:
    await hall.provision(hall.here.agent("a", capacity=1))
    await hall.one(hall.asking.ask("1"))
    decision, again = await hall.decide(hall.asking.withdraw("1"), hall.asking.withdraw("1"))
    rescinded = decision.steps[0]
    assert isinstance(rescinded, Rescinded)
    assert rescinded.reason is RescindReason.WITHDRAWN
    assert (again.steps, again.refusal) == ((), None)
    assert await hall.offered("2") == "a"


async def test_ending_frees_the_agent_and_again_is_nothing_new(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a", capacity=1))
    await hall.one(hall.asking.ask("1"))
    early, _, ended, again, withdrawn = await hall.decide(
        hall.asking.end("1"),
        hall.asking.accept("1", "a"),
        hall.asking.end("1", by_agent="a"),
        hall.asking.end("1"),
        hall.asking.withdraw("1"),
    )
    assert early.refusal == "conversation-not-active"
    assert told(ended) == ["ended:a:agent_ended"]
    assert (again.steps, again.refusal) == ((), None)
    assert withdrawn.refusal == "conversation-over"
    assert await hall.offered("2") == "a"


async def test_only_its_agent_ends_a_conversation_for_the_agents(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b"))
    await hall.decide(hall.asking.ask("1"), hall.asking.accept("1", "a"))
    assert (await hall.one(hall.asking.end("1", by_agent="b"))).refusal == "not-your-conversation"
    assert told(await hall.one(hall.asking.end("1"))) == ["ended:a:visitor_ended"]


async def test_a_conversation_is_asked_for_once(hall: Hall) -> None:
    await hall.provision(hall.here.agents("a", "b"))
    first, again = await hall.decide(hall.asking.ask("1"), hall.asking.ask("1", agent_route("b")))
    assert (told(first), told(again)) == (["offered:a"], [])


async def test_going_away_leaves_offers_and_chats_alone(hall: Hall) -> None:
    await hall.provision(hall.here.agent("a"))
    await hall.decide(hall.asking.ask("1"), hall.asking.accept("1", "a"), hall.asking.ask("2"))
    decisions = await hall.provision(hall.here.agent("a", schedule=NEVER))
    assert told(*decisions) == ["availability_changed:a"]
    assert told(await hall.one(hall.asking.accept("2", "a"))) == ["accepted:a"]
    assert await hall.held("a") == {"1", "2"}


async def test_who_is_removed_loses_what_they_had_and_offers_go_to_the_next(hall: Hall) -> None:
    here = hall.here
    await hall.provision(here.agents("a", "b"))
    await hall.decide(hall.asking.ask("1", agent_route("a")), hall.asking.accept("1", "a"))
    assert await hall.offered("2") == "a"
    (decision,) = await hall.provision(here.remove(Kind.AGENT, "a"))
    assert told(decision) == [
        "ended:a:agent_lost",
        "rescinded:a:agent_removed",
        "offered:b",
    ]
    assert await hall.held("a") == set()
    # It cost no attempt: b's is the first.
    step = decision.steps[-1]
    assert isinstance(step, Offered)
    assert step.why.attempts_left == 0
    assert await hall.offered("3", ROUND_ROBIN) == "b"
