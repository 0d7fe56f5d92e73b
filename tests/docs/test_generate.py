"""The generated documents: fresh, complete, and true of the golden examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from docs import generate
from docs.generators.settings_page import variables
from rondo_common.events import EVENT_TYPES
from rondo_common.topics import TOPICS
from rondo_local.services import SERVICES

DOCS = generate.ROOT / "docs"
STRUCTURE = {"asyncapi", "info", "defaultContentType", "channels", "operations", "components"}


@pytest.fixture(scope="module")
def asyncapi() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DOCS / "api/asyncapi.yaml").read_text(encoding="utf-8"))
    return document


def _resolved(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [each for part in value.values() for each in _references(part)]
    return [each for part in value for each in _references(part)] if isinstance(value, list) else []


def test_the_generated_files_are_fresh() -> None:
    assert generate.stale_files(generate.ROOT) == []


def test_a_check_names_every_stale_file_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "GENERATED", {"a.md": lambda: "new", "b.md": lambda: "same"})
    (tmp_path / "a.md").write_text("old", encoding="utf-8")
    (tmp_path / "b.md").write_text("same", encoding="utf-8")
    assert generate.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert "a.md" in told
    assert "b.md" not in told
    assert "make generate" in told
    assert (tmp_path / "a.md").read_text(encoding="utf-8") == "old"


def test_writing_makes_a_check_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "GENERATED", {"new/folder/a.md": lambda: "text"})
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def test_the_asyncapi_document_has_the_parts_of_version_3(asyncapi: dict[str, Any]) -> None:
    assert asyncapi["asyncapi"] == "3.0.0"
    assert set(asyncapi) == STRUCTURE
    for operation in asyncapi["operations"].values():
        assert operation["action"] in {"send", "receive"}
        channel = operation["channel"]["$ref"]
        assert all(each["$ref"].startswith(f"{channel}/messages/") for each in operation["messages"])


def test_every_reference_of_the_asyncapi_document_leads_somewhere(asyncapi: dict[str, Any]) -> None:
    for reference in _references(asyncapi):
        assert _resolved(asyncapi, reference)


def test_every_topic_is_a_channel_as_it_is_declared(asyncapi: dict[str, Any]) -> None:
    channels = {each["address"]: each for each in asyncapi["channels"].values()}
    assert set(channels) == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        kafka = channels[topic.name]["bindings"]["kafka"]
        assert kafka["partitions"] == topic.partitions
        assert kafka["topicConfiguration"].get("retention.ms") == topic.retention_ms
        assert ("compact" in kafka["topicConfiguration"]["cleanup.policy"]) is topic.compacted


def test_every_writer_and_reader_of_a_topic_has_its_operation(asyncapi: dict[str, Any]) -> None:
    told = set()
    for name, operation in asyncapi["operations"].items():
        address = _resolved(asyncapi, operation["channel"]["$ref"])["address"]
        told.add((address, operation["action"], name.split(".")[0]))
    declared = {(topic.name, "send", who) for topic in TOPICS for who in topic.writers}
    declared |= {(topic.name, "receive", who) for topic in TOPICS for who in topic.readers}
    assert told == declared


def test_every_event_is_written_by_exactly_one_service(asyncapi: dict[str, Any]) -> None:
    for message in asyncapi["components"]["messages"].values():
        if message["name"] in EVENT_TYPES:
            assert len(message["x-rondo-writers"]) == 1


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_an_event_stands_on_its_channel_and_its_example_fits(
    asyncapi: dict[str, Any], event_type: str
) -> None:
    model = EVENT_TYPES[event_type]
    message = asyncapi["components"]["messages"][model.__name__]
    (channel,) = (each for each in asyncapi["channels"].values() if model.__name__ in each["messages"])
    assert message["name"] == event_type
    assert channel["address"] == model.TOPIC.name
    (example,) = message["examples"]
    golden = generate.ROOT / f"tests/schemas/{event_type}.json"
    assert example["payload"] == json.loads(golden.read_text(encoding="utf-8"))
    schemas = {"components": asyncapi["components"]}
    jsonschema_rs.validate(message["payload"] | schemas, example["payload"])
    jsonschema_rs.validate(message["headers"], example["headers"])


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_the_schema_of_an_event_stands_alone_and_its_example_fits(event_type: str) -> None:
    schema = json.loads((DOCS / f"api/schemas/{event_type}.json").read_text(encoding="utf-8"))
    jsonschema_rs.meta.validate(schema)
    assert schema["$id"] == f"urn:rondo:schema:{event_type}"
    assert all(each.startswith("#/$defs/") for each in _references(schema))
    golden = json.loads((generate.ROOT / f"tests/schemas/{event_type}.json").read_text(encoding="utf-8"))
    jsonschema_rs.validate(schema, golden)
    assert not jsonschema_rs.is_valid(schema, "no event")


def test_no_schema_is_left_of_an_event_that_is_gone() -> None:
    assert {path.stem for path in (DOCS / "api/schemas").glob("*.json")} == set(EVENT_TYPES)


def test_a_reader_by_the_asyncapi_schema_survives_a_later_field(asyncapi: dict[str, Any]) -> None:
    for model in EVENT_TYPES.values():
        assert "additionalProperties" not in asyncapi["components"]["schemas"][model.__name__]


def test_every_setting_stands_on_the_page_with_what_it_says() -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    for variable, (field, _) in variables().items():
        assert field.description, f"{variable} has no description"
        assert f"| `{variable}` |" in page


def test_every_variable_of_the_local_stack_stands_on_the_page() -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    for service in SERVICES:
        assert f"`{service.count_variable}`" in page
        assert f"`{service.port_variable}`" in page


def test_the_openapi_document_has_the_calls_of_a_chat() -> None:
    document = json.loads((DOCS / "api/openapi.json").read_text(encoding="utf-8"))
    assert document["openapi"].startswith("3.1")
    conversation = "/v1/conversations/{conversation_id}"
    for call in ("accept", "decline", "withdraw", "end", "messages"):
        assert "post" in document["paths"][f"{conversation}/{call}"]
    assert "post" in document["paths"]["/v1/conversations"]
    assert "get" in document["paths"][f"{conversation}/stream"]
