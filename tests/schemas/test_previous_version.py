"""Two adjacent versions side by side: each reads what the other writes.

``previous.json`` has, of the version before this one, every event's golden example and the JSON Schema
by which its readers understood it. It is never edited; with a release it is written anew by
``python -m tests.schemas.test_previous_version 1.2.0``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from docs.generators.asyncapi import schema_json
from rondo_common.events import EVENT_TYPES

EXAMPLES = Path(__file__).parent
PREVIOUS = EXAMPLES / "previous.json"


def _previous() -> dict[str, Any]:
    events: dict[str, Any] = json.loads(PREVIOUS.read_text(encoding="utf-8"))["events"]
    return events


def _example(event_type: str) -> Any:
    return json.loads((EXAMPLES / f"{event_type}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("event_type", sorted(_previous()))
def test_this_version_reads_what_the_one_before_wrote(event_type: str) -> None:
    assert event_type in EVENT_TYPES, f"records of {event_type} still stand on the topics"
    example = _previous()[event_type]["example"]
    event = EVENT_TYPES[event_type].model_validate(example, extra="ignore")
    understood = json.loads(event.model_dump_json(exclude_none=True))
    assert _without_additions(understood, example) == example


@pytest.mark.parametrize("event_type", sorted(_previous()))
def test_the_version_before_reads_what_this_one_writes(event_type: str) -> None:
    jsonschema_rs.validate(_previous()[event_type]["schema"], _example(event_type))


def test_the_gate_sees_what_breaks_a_reader() -> None:
    before = _previous()["rondo.assignment.accepted.v1"]
    renamed = {("try" if key == "attempt" else key): value for key, value in before["example"].items()}
    with pytest.raises(jsonschema_rs.ValidationError, match="attempt"):
        jsonschema_rs.validate(before["schema"], renamed)


def _without_additions(understood: Any, example: Any) -> Any:
    """What was understood, without the defaults of fields that the example's version had not got."""
    if isinstance(understood, dict) and isinstance(example, dict):
        return {
            key: _without_additions(understood[key], example[key]) for key in example if key in understood
        }
    if isinstance(understood, list) and isinstance(example, list) and len(understood) == len(example):
        return [_without_additions(*pair) for pair in zip(understood, example, strict=True)]
    return understood


def _write(version: str) -> None:
    events = {
        name: {"example": _example(name), "schema": json.loads(schema_json(model))}
        for name, model in sorted(EVENT_TYPES.items())
    }
    text = json.dumps({"version": version, "events": events}, indent=1, ensure_ascii=False)
    PREVIOUS.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write(sys.argv[1])
