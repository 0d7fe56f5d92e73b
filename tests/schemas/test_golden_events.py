"""Every event as it stands on the wire: one golden example a type, kept for good.

A change that cannot read an example any more, or writes it differently, breaks readers and recorded
topics: give the event a new version instead. A new event gets its example from
``python -m tests.schemas.test_golden_events rondo.its.type.v1 < example.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from rondo_common.envelope import decode
from rondo_common.events import EVENT_TYPES, ConversationEvent

EXAMPLES = Path(__file__).parent


def _example(event_type: str) -> str:
    path = EXAMPLES / f"{event_type}.json"
    assert path.exists(), f"{event_type} has no golden example at {path}"
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_an_event_is_read_and_written_as_its_golden_example(event_type: str) -> None:
    example = _example(event_type)
    event = EVENT_TYPES[event_type].model_validate_json(example)
    assert json.loads(event.model_dump_json(exclude_none=True)) == json.loads(example)


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_a_reader_survives_fields_of_a_later_version(event_type: str) -> None:
    fields = json.loads(_example(event_type))
    headers = [
        ("ce_id", b"e-1"),
        ("ce_type", event_type.encode()),
        ("ce_source", b"/rondo/tests"),
        ("ce_time", b"2026-01-01T12:00:00Z"),
        ("ce_rondoworkspace", b"acme"),
    ]
    later = json.dumps(fields | {"from_a_later_version": {"deep": [1]}}).encode()
    assert decode(headers, later).event == EVENT_TYPES[event_type].model_validate(fields)


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_an_event_about_a_conversation_names_it(event_type: str) -> None:
    if issubclass(EVENT_TYPES[event_type], ConversationEvent):
        assert json.loads(_example(event_type))["conversation_id"].startswith("cnv_")


def test_no_example_is_left_of_an_event_that_is_gone() -> None:
    assert {path.stem for path in EXAMPLES.glob("rondo.*.json")} == set(EVENT_TYPES)


if __name__ == "__main__":
    wire_type = sys.argv[1]
    model = EVENT_TYPES[wire_type].model_validate_json(sys.stdin.read())
    text = json.dumps(json.loads(model.model_dump_json(exclude_none=True)), indent=2)
    (EXAMPLES / f"{wire_type}.json").write_text(text + "\n", encoding="utf-8")
