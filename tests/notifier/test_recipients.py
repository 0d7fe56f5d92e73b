"""Who is told what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rondo_common.envelope import Envelope
from rondo_common.events import (
    EVENT_TYPES,
    AcknowledgeAlert,
    ConversationErased,
    Event,
    TranscriptRequested,
)
from rondo_common.ids import AgentId, ConversationId, EventId, WorkspaceId
from rondo_common.topics import AGENTS, CONVERSATIONS
from rondo_notifier.domain.recipients import (
    AGENT_TELLINGS,
    TELLINGS,
    Delivery,
    ToAgent,
    ToConversation,
    deliveries_of,
)
from tests.router.provisioned import NOON

GOLDEN = Path(__file__).parents[1] / "schemas"
VISITOR = ToConversation(ConversationId("cnv_01kdwccye0t4m9b2n5x8r7q3wz"))
BARBARA = {"id": "agent-9", "name": "Barbara"}


def told(event_type: str, **changes: Any) -> list[Delivery]:
    """Who is told of the golden example of an event, with these fields changed."""
    example = json.loads((GOLDEN / f"{event_type}.json").read_text(encoding="utf-8"))
    event = EVENT_TYPES[event_type].model_validate_json(json.dumps(example | changes))
    envelope: Envelope[Event] = Envelope(EventId("e-1"), "/test", NOON, WorkspaceId("acme"), event)
    return deliveries_of(envelope, 7)


def data(delivery: Delivery) -> dict[str, Any]:
    return delivery.entry.data


def test_every_event_of_a_conversation_is_told() -> None:
    public = {each for each in EVENT_TYPES.values() if each.TOPIC is CONVERSATIONS}
    for_a_service = {TranscriptRequested, ConversationErased, AcknowledgeAlert}
    assert set(TELLINGS) == public - for_a_service
    assert {each for each in EVENT_TYPES.values() if each.TOPIC is AGENTS} >= set(AGENT_TELLINGS)


@pytest.mark.parametrize(
    "event_type",
    [
        "rondo.assignment.offered.v1",
        "rondo.assignment.declined.v1",
        "rondo.assignment.timed_out.v1",
        "rondo.assignment.rescinded.v1",
    ],
)
def test_a_visitor_never_learns_who_was_asked_nor_why(event_type: str) -> None:
    public, private = told(event_type)
    assert public.to == VISITOR
    text = json.dumps(data(public))
    assert "agent" not in text
    assert "why" not in text
    assert private.to == ToAgent(AgentId("agent-3"))


def test_the_rung_agent_learns_who_asks_and_why_it_is_them() -> None:
    _, private = told("rondo.assignment.offered.v1")
    assert data(private)["request"]["visitor"]["first_name"] == "Ada"
    assert data(private)["why"]["place"] == 3
    assert private.entry.type == "assignment.offered"


def test_after_acceptance_the_visitor_sees_the_agent() -> None:
    public, _ = told("rondo.assignment.accepted.v1")
    assert data(public)["agent"]["name"] == "Grace"


def test_a_fallback_tells_the_visitor_the_message_and_not_who_was_passed_over() -> None:
    (public,) = told("rondo.conversation.fell_back.v1")
    assert set(data(public)) == {"reason", "message", "offer_meeting"}


def test_a_visitor_who_waits_learns_their_place_and_nobodys_name() -> None:
    (public,) = told("rondo.conversation.queued.v1")
    assert public.to == VISITOR
    assert public.entry.type == "conversation.queued"
    assert data(public) == {
        "queue": {"position": 2, "estimated_wait_s": 90},
        "queued_at": "2026-01-01T12:00:00Z",
        "expires_at": "2026-01-01T12:05:00Z",
    }


def test_while_a_conversation_is_handed_over_only_the_agent_who_is_asked_hears_of_it() -> None:
    (private,) = told("rondo.assignment.offered.v1", transferred_by=BARBARA)
    assert private.to == ToAgent(AgentId("agent-3"))
    assert data(private)["transferred_by"]["name"] == "Barbara"
    (ended,) = told("rondo.assignment.rescinded.v1", reason="ended")
    assert (ended.to, data(ended)["reason"]) == (ToAgent(AgentId("agent-3")), "ended")


def test_a_transfer_names_the_new_agent_to_the_visitor_and_both_agents_to_each_other() -> None:
    deliveries = told("rondo.conversation.transferred.v1")
    assert [each.to for each in deliveries] == [
        VISITOR,
        ToAgent(AgentId("agent-3")),
        ToAgent(AgentId("agent-4")),
    ]
    for each in deliveries:
        assert each.entry.type == "conversation.transferred"
        assert (data(each)["from_agent"]["name"], data(each)["to_agent"]["name"]) == ("Grace", "Edsger")


def test_a_transfer_that_nobody_took_is_told_to_the_agent_who_keeps_the_conversation() -> None:
    (private,) = told("rondo.conversation.transfer_returned.v1")
    assert private.to == ToAgent(AgentId("agent-3"))
    assert private.entry.conversation_id == VISITOR.conversation_id


def test_an_agent_is_told_of_their_availability_without_a_place_in_the_log_of_conversations() -> None:
    (private,) = told("rondo.agent.availability_changed.v1")
    assert private.to == ToAgent(AgentId("agent-3"))
    assert (private.entry.type, private.entry.conversation_id) == ("agent.availability_changed", None)
    assert private.log_offset is None
    assert data(private) == {
        "available": True,
        "source": "schedule",
        "until": "2026-01-01T16:00:00Z",
        "next_change_at": "2026-01-01T16:00:00Z",
    }


def test_an_agent_who_left_visitors_alone_finds_out_which() -> None:
    (private,) = told("rondo.agent.coverage_lost.v1")
    assert (private.entry.type, private.to) == ("agent.coverage_lost", ToAgent(AgentId("agent-3")))
    assert data(private) == {"conversation_ids": [VISITOR.conversation_id]}


def test_nobody_is_told_that_an_inbox_was_opened_or_closed() -> None:
    assert told("rondo.agent.connected.v1") == []
    assert told("rondo.agent.disconnected.v1") == []


def test_both_sides_get_the_same_message() -> None:
    public, private = told("rondo.message.posted.v1")
    assert public.entry == private.entry
    assert data(public)["text"] == "Hej! 👋"


def test_commands_and_directory_entries_are_told_to_nobody() -> None:
    assert told("rondo.chat.accept.v1") == []
    assert told("rondo.agent.defined.v1") == []


def test_both_sides_are_told_what_was_read() -> None:
    public, private = told("rondo.messages.read.v1")
    assert isinstance(public.to, ToConversation)
    assert public.entry.type == "messages.read"
    assert set(data(public)) == {"reader", "message_id", "read_at"}
    assert isinstance(private.to, ToAgent)
    assert data(private)["message_id"] == data(public)["message_id"]


def test_both_sides_are_warned_before_a_silent_chat_ends() -> None:
    public, private = told("rondo.conversation.idle_warning.v1")
    assert isinstance(public.to, ToConversation)
    assert public.entry.type == "conversation.idle_warning"
    assert data(public) == {"ends_at": "2026-01-01T12:10:00Z"}
    assert isinstance(private.to, ToAgent)
    assert data(private)["ends_at"] == data(public)["ends_at"]


def test_both_sides_are_told_how_the_visitor_rated_their_chat() -> None:
    public, private = told("rondo.conversation.rated.v1")
    assert (public.to, public.entry.type) == (VISITOR, "conversation.rated")
    rating = {"score": 4, "comment": "Snabbt och vänligt 👍", "rated_at": "2026-01-01T12:20:00Z"}
    assert data(public) == {"rating": rating}
    assert private.to == ToAgent(AgentId("agent-3"))
    assert data(private)["rating"] == rating
