"""The envelope of every record: CloudEvents 1.0, Kafka binding, binary mode.

Attributes stand in headers (``ce_id``, ``ce_type``, …), the value is the event's JSON. Any CloudEvents
SDK reads it; so does a person with a plain consumer. See the Kafka protocol binding of CloudEvents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import ValidationError

from rondo_common.errors import Rejected
from rondo_common.events import EVENT_TYPES, ConversationEvent, Event
from rondo_common.ids import EventId, WorkspaceId

E_co = TypeVar("E_co", bound=Event, covariant=True)

Headers = Sequence[tuple[str, bytes]]
TRACEPARENT_HEADER = "ce_traceparent"


@dataclass(frozen=True, slots=True)
class Envelope(Generic[E_co]):
    """An event with what the wire says about it. ``time`` is when it happened, in UTC."""

    id: EventId
    source: str
    time: datetime
    workspace_id: WorkspaceId
    event: E_co
    cause: EventId | None = None
    """The id of the request, command or timer this is the outcome of."""

    @property
    def subject(self) -> str | None:
        """The conversation it is about, if it is about one."""
        return self.event.conversation_id if isinstance(self.event, ConversationEvent) else None


def headers_of(envelope: Envelope[Event], traceparent: str | None = None) -> list[tuple[str, bytes]]:
    """The CloudEvents headers of a record that carries ``envelope``."""
    attributes = {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": envelope.id,
        "ce_type": envelope.event.TYPE,
        "ce_source": envelope.source,
        "ce_time": rfc3339(envelope.time),
        "ce_rondoworkspace": envelope.workspace_id,
    }
    if envelope.subject is not None:
        attributes["ce_subject"] = envelope.subject
    if envelope.cause is not None:
        attributes["ce_rondocause"] = envelope.cause
    if traceparent is not None:
        attributes[TRACEPARENT_HEADER] = traceparent
    return [(name, value.encode()) for name, value in attributes.items()]


def rfc3339(moment: datetime) -> str:
    """``moment`` in RFC 3339 with microseconds, ending in ``Z`` for UTC."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def decode(headers: Headers, value: bytes | None) -> Envelope[Event]:
    """The event a record carries.

    Raises:
        Rejected: it is not a CloudEvent, its type is unknown here, or its value does not fit the
            type. It says which, for the dead-letter topic.
    """
    attributes = dict(headers)
    try:
        event_id = EventId(attributes["ce_id"].decode())
        event_type = attributes["ce_type"].decode()
        source = attributes["ce_source"].decode()
        time = datetime.fromisoformat(attributes["ce_time"].decode())
        workspace_id = WorkspaceId(attributes["ce_rondoworkspace"].decode())
        cause = EventId(attributes["ce_rondocause"].decode()) if "ce_rondocause" in attributes else None
    except KeyError as missing:
        raise Rejected(f"not one of Rondo's CloudEvents: no header {missing}") from None
    except (ValueError, AttributeError) as error:  # Not UTF-8, no time, or a header without a value.
        raise Rejected(f"a header cannot be read: {error}") from None
    model = EVENT_TYPES.get(event_type)
    if model is None:
        raise Rejected(f"unknown event type {event_type!r}")
    try:
        event = model.model_validate_json(value or b"", extra="ignore")
    except ValidationError as error:
        raise Rejected(f"the value is no {event_type}: {_what_is_wrong(error)}") from None
    return Envelope(event_id, source, time, workspace_id, event, cause)


def _what_is_wrong(error: ValidationError) -> str:
    """Where, and what: not what stands there, for the reason of a dead letter is logged, too."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'all'}: {each['msg']}" for each in problems)
