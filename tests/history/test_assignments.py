"""How a conversation's facts tell whom it was offered to, and why."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rondo_common.conversation import AgentCard, FallbackReason, Queue, RescindReason, Why
from rondo_common.events import (
    AssignmentAccepted,
    AssignmentOffered,
    AssignmentRescinded,
    AssignmentTimedOut,
    ChatQueued,
    ChatTransferred,
)
from rondo_history.domain.assignments import Assignments, assignments_of
from rondo_history.domain.fact import Fact
from tests.history.conversations import EDSGER, GRACE, NOON, Conversation, asked


def assignments(*facts: Fact) -> Assignments:
    found = assignments_of(facts)
    assert found is not None
    return found


def outcomes(*facts: Fact) -> list[tuple[str, str]]:
    return [(each.agent.id, each.outcome) for each in assignments(*facts).data]


def handed_over(chat: Conversation, to: AgentCard, attempt: int = 1) -> Fact:
    return chat.tell(
        AssignmentOffered(
            conversation_id=chat.id,
            agent=to,
            attempt=attempt,
            offered_at=NOON,
            expires_at=NOON + timedelta(seconds=100),
            why=Why(stage="transfer"),
            request=asked(),
            transferred_by=GRACE,
        )
    )


def queued(chat: Conversation) -> Fact:
    return chat.tell(
        ChatQueued(
            conversation_id=chat.id,
            queue=Queue(position=3, estimated_wait_s=90),
            queued_at=NOON,
            expires_at=NOON + timedelta(seconds=300),
            why=Why(stage="queue", passed_over_count=2),
            request=asked(),
        )
    )


def rescinded(chat: Conversation, agent: AgentCard, reason: RescindReason) -> Fact:
    return chat.tell(
        AssignmentRescinded(conversation_id=chat.id, agent_id=agent.id, attempt=1, reason=reason)
    )


def test_every_attempt_is_told_in_order_with_its_outcome_and_when() -> None:
    chat = Conversation()
    requested, first, missed = chat.requested(), chat.offered(EDSGER), chat.missed(EDSGER)
    second = chat.offered(GRACE, attempt=2)
    accepted = chat.tell(AssignmentAccepted(conversation_id=chat.id, agent=GRACE, attempt=2))
    told = assignments(requested, first, missed, second, accepted)
    assert [each.attempt for each in told.data] == [1, 2]
    assert [each.agent for each in told.data] == [EDSGER, GRACE]
    assert [each.outcome for each in told.data] == ["timed_out", "accepted"]
    assert [each.outcome_at for each in told.data] == [missed.occurred_at, accepted.occurred_at]
    assert told.data[0].why == Why(stage="round_robin")
    assert (told.data[0].stage, told.data[0].expires_at) == ("round_robin", NOON + timedelta(seconds=100))
    assert (told.queued, told.fell_back) == ((), None)


def test_an_offer_without_an_answer_is_open() -> None:
    chat = Conversation()
    (attempt,) = assignments(chat.requested(), chat.offered()).data
    assert (attempt.outcome, attempt.outcome_at, attempt.transferred_by) == ("open", None, None)


def test_a_declined_and_a_rescinded_offer_say_so_and_why() -> None:
    chat = Conversation()
    facts = [chat.offered(GRACE), chat.declined(GRACE), chat.offered(EDSGER)]
    told = assignments(*facts, rescinded(chat, EDSGER, RescindReason.AGENT_ABSENT))
    assert [each.outcome for each in told.data] == ["declined", "rescinded"]
    assert [each.rescind_reason for each in told.data] == [None, RescindReason.AGENT_ABSENT]


def test_a_transfer_is_told_with_who_handed_it_over() -> None:
    chat = Conversation()
    facts = [chat.offered(GRACE), chat.accepted(GRACE), handed_over(chat, EDSGER), chat.accepted(EDSGER)]
    over = ChatTransferred(conversation_id=chat.id, from_agent=GRACE, to_agent=EDSGER)
    told = assignments(*facts, chat.tell(over))
    assert [each.transferred_by for each in told.data] == [None, GRACE]
    assert outcomes(*facts) == [("grace", "accepted"), ("edsger", "accepted")]


def test_an_outcome_belongs_to_the_latest_open_offer_of_its_number_to_that_agent() -> None:
    chat = Conversation()
    facts = [
        chat.offered(EDSGER),
        rescinded(chat, EDSGER, RescindReason.AGENT_ABSENT),
        chat.offered(GRACE),
        chat.accepted(GRACE),
        handed_over(chat, EDSGER),
        chat.tell(AssignmentTimedOut(conversation_id=chat.id, agent_id=EDSGER.id, attempt=1)),
        handed_over(chat, EDSGER),
    ]
    expected = [("edsger", "rescinded"), ("grace", "accepted"), ("edsger", "timed_out"), ("edsger", "open")]
    assert outcomes(*facts) == expected


def test_an_outcome_of_an_offer_that_is_not_known_is_none() -> None:
    chat = Conversation()
    assert outcomes(chat.requested(), chat.accepted(EDSGER), chat.offered(GRACE)) == [("grace", "open")]


def test_why_nobody_was_rung_is_told_too() -> None:
    chat = Conversation()
    told = assignments(chat.requested(), queued(chat), chat.fell_back(FallbackReason.QUEUE_TIMEOUT))
    assert told.data == ()
    (wait,) = told.queued
    assert (wait.queue.position, wait.why.passed_over_count) == (3, 2)
    assert wait.expires_at == NOON + timedelta(seconds=300)
    assert told.fell_back is not None
    assert told.fell_back.fallback.reason is FallbackReason.QUEUE_TIMEOUT
    assert told.fell_back.why == Why(stage="round_robin")


def test_without_any_fact_nothing_is_known() -> None:
    assert assignments_of([]) is None


@given(st.randoms(use_true_random=False))
def test_the_same_facts_tell_the_same_however_they_are_given(chance: object) -> None:
    chat = Conversation()
    facts = [
        chat.requested(),
        queued(chat),
        chat.offered(EDSGER),
        chat.declined(EDSGER),
        chat.offered(GRACE),
        chat.accepted(GRACE),
        chat.said("Hello"),
        handed_over(chat, EDSGER),
    ]
    shuffled = list(facts)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random of hypothesis
    assert assignments(*shuffled) == assignments(*facts)
