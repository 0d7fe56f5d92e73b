"""The envelope: what is written is read again, here and by the CloudEvents SDK; the rest is rejected."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from rondo_common.conversation import Author, Message
from rondo_common.directory.entries import WorkspaceEntry
from rondo_common.envelope import Envelope, decode, headers_of, rfc3339
from rondo_common.errors import Rejected
from rondo_common.events import EVENT_TYPES, AcceptChat, Event, MessagePosted, WorkspaceDefined
from rondo_common.ids import AgentId, ConversationId, EventId, MessageId, WorkspaceId

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACCEPT = AcceptChat(conversation_id=ConversationId("cnv_1"), agent_id=AgentId("grace"))


def carried(event: Event = ACCEPT, *, at: datetime = NOON) -> Envelope[Event]:
    return Envelope(EventId("e-1"), "/rondo/gateway", at, WorkspaceId("acme"), event)


def said(text: str) -> MessagePosted:
    message = Message(
        id=MessageId("msg_1"), author=Author(type="visitor", id="u-17"), text=text, sent_at=NOON
    )
    return MessagePosted(
        conversation_id=ConversationId("cnv_1"),
        message=message,
        client_message_id="m-1",
        agent_id=AgentId("grace"),
    )


def value_of(envelope: Envelope[Event]) -> bytes:
    return envelope.event.model_dump_json(exclude_none=True).encode()


def changed(name: str, value: bytes | None) -> list[tuple[str, bytes]]:
    """The headers of a good record, but for one; None leaves it out."""
    others = [(each, text) for each, text in headers_of(carried()) if each != name]
    return others if value is None else [*others, (name, value)]


@given(
    text=st.text(),
    at=st.datetimes(
        min_value=datetime(1000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone itself
        timezones=st.just(UTC),
    ),
)
def test_what_is_written_is_read_again(text: str, at: datetime) -> None:
    envelope = carried(said(text), at=at)
    assert decode(headers_of(envelope), value_of(envelope)) == envelope


def models_in(annotation: Any, found: set[type[BaseModel]] | None = None) -> set[type[BaseModel]]:
    """The models that a value of this type may be or hold."""
    found = set() if found is None else found
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in found:
        found.add(annotation)
        for field in annotation.model_fields.values():
            models_in(field.annotation, found)
    for argument in get_args(annotation):
        models_in(argument, found)
    return found


@pytest.mark.parametrize("event", EVENT_TYPES.values(), ids=EVENT_TYPES)
def test_whatever_may_be_null_may_be_left_out_as_the_wire_does(event: type[Event]) -> None:
    fields = {
        f"{model.__name__}.{name}": field
        for model in models_in(event)
        for name, field in model.model_fields.items()
    }
    nullable = {name for name, field in fields.items() if type(None) in get_args(field.annotation)}
    assert [name for name in sorted(nullable) if fields[name].is_required()] == []


@pytest.mark.parametrize("text", ["Hej 👋", "", "a\nb", '"quoted"'])
def test_the_cloudevents_sdk_reads_it(text: str) -> None:
    envelope = carried(said(text))
    event = from_kafka_event(KafkaMessage(dict(headers_of(envelope)), b"cnv_1", value_of(envelope)))
    assert (event.get_id(), event.get_type()) == ("e-1", "rondo.message.posted.v1")
    assert (event.get_source(), event.get_subject()) == ("/rondo/gateway", "cnv_1")
    assert (event.get_time(), event.get_specversion()) == (NOON, "1.0")
    assert event.get_extension("rondoworkspace") == "acme"
    assert event.get_datacontenttype() == "application/json"
    data = event.get_data()
    assert data == json.loads(value_of(envelope))


def test_the_sdk_reads_the_trace_it_belongs_to() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    envelope = carried()
    headers = dict(headers_of(envelope, trace))
    event = from_kafka_event(KafkaMessage(headers, None, value_of(envelope)))
    assert event.get_extension("traceparent") == trace


def test_what_is_about_no_conversation_has_no_subject() -> None:
    workspace = WorkspaceEntry(id=WorkspaceId("acme"), name="Acme", created_at=NOON)
    names = [name for name, _ in headers_of(carried(WorkspaceDefined(workspace=workspace)))]
    assert "ce_subject" not in names


def test_an_older_reader_ignores_what_a_newer_writer_added() -> None:
    newer = json.loads(value_of(carried())) | {"mood": "splendid"}
    assert decode(headers_of(carried()), json.dumps(newer).encode()) == carried()


def test_headers_that_are_not_ours_are_ignored() -> None:
    headers = [*headers_of(carried()), ("x-proxy", b"\xff")]
    assert decode(headers, value_of(carried())) == carried()


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_source", "ce_time", "ce_rondoworkspace"])
@pytest.mark.parametrize("without", ["header", "value", "UTF-8"])
def test_a_record_whose_attribute_cannot_be_read_is_rejected(name: str, without: str) -> None:
    headers = changed(name, b"\xff" if without == "UTF-8" else None)
    if without == "value":
        headers.append((name, None))  # type: ignore[arg-type]  # Kafka has headers without a value
    with pytest.raises(Rejected, match="header"):
        decode(headers, value_of(carried()))


def test_a_time_that_is_none_is_rejected() -> None:
    with pytest.raises(Rejected, match="header"):
        decode(changed("ce_time", b"yesterday"), value_of(carried()))


def test_a_type_that_is_unknown_here_is_rejected_by_name() -> None:
    with pytest.raises(Rejected, match=r"rondo\.chat\.danced\.v1"):
        decode(changed("ce_type", b"rondo.chat.danced.v1"), value_of(carried()))


@pytest.mark.parametrize("value", [None, b"", b"no JSON", b"[]", b"{}", b"\xff\xfe"])
def test_a_value_that_does_not_fit_its_type_is_rejected(value: bytes | None) -> None:
    with pytest.raises(Rejected, match=r"is no rondo\.chat\.accept\.v1"):
        decode(headers_of(carried()), value)


@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from(["ce_id", "ce_type", "ce_source", "ce_time", "ce_rondoworkspace"])
            | st.text(max_size=8),
            st.none() | st.binary(max_size=40) | st.just(b"rondo.chat.accept.v1"),
        )
    ),
    value=st.none() | st.binary(max_size=40),
)
def test_whatever_a_stranger_writes_is_read_or_rejected(
    headers: list[tuple[str, bytes]], value: bytes | None
) -> None:
    try:
        decode(headers, value)
    except Rejected as refusal:
        assert str(refusal)


def test_times_are_rfc_3339_in_utc() -> None:
    assert rfc3339(NOON) == "2026-01-01T12:00:00.000000Z"
    elsewhere = timezone(timedelta(hours=2))
    assert datetime.fromisoformat(rfc3339(NOON.astimezone(elsewhere))) == NOON
