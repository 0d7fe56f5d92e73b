"""Who is told what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rondo_common.envelope import Envelope
from rondo_common.events import EVENT_TYPES, Event
from rondo_common.ids import EventId, WorkspaceId
from rondo_common.topics import CONVERSATIONS
from rondo_notifier.domain.recipients import TELLINGS, Delivery, deliveries_of
from tests.router.chats import NOON

GOLDEN = Path(__file__).parents[1] / "schemas"


def told(event_type: str) -> list[Delivery]:
    example = (GOLDEN / f"{event_type}.json").read_text(encoding="utf-8")
    event = EVENT_TYPES[event_type].model_validate_json(example)
    envelope: Envelope[Event] = Envelope(EventId("e-1"), "/test", NOON, WorkspaceId("acme"), event)
    return deliveries_of(envelope, 7)


def data(delivery: Delivery) -> dict[str, Any]:
    return delivery.entry.data


def test_every_event_of_a_conversation_is_told() -> None:
    public = {each for each in EVENT_TYPES.values() if each.TOPIC is CONVERSATIONS}
    assert set(TELLINGS) == public


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
    assert public.agent_id is None
    text = json.dumps(data(public))
    assert "agent" not in text
    assert "why" not in text
    assert private.agent_id == "agent-3"


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


def test_both_sides_get_the_same_message() -> None:
    public, private = told("rondo.message.posted.v1")
    assert public.entry == private.entry
    assert data(public)["text"] == "Hej! 👋"


def test_commands_and_directory_entries_are_told_to_nobody() -> None:
    assert told("rondo.chat.accept.v1") == []
    assert told("rondo.agent.defined.v1") == []
