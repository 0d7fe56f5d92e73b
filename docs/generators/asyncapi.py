"""The topics and their events as AsyncAPI 3.0, from the registry and the models alone."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic.json_schema import models_json_schema

from rondo_common.envelope import Envelope, headers_of
from rondo_common.events import (
    EVENT_TYPES,
    AcknowledgeAlert,
    ConversationErased,
    ConversationRated,
    Event,
    MessagePosted,
    MessagesRead,
    TranscriptRequested,
)
from rondo_common.ids import WorkspaceId, derived_event_id
from rondo_common.topics import CONVERSATIONS, DEAD_LETTERS, DIRECTORY, TOPICS, Partitioner, Topic

Json = dict[str, Any]

KAFKA_BINDING = "0.5.0"
EXAMPLE_TIME = datetime(2026, 1, 1, 12, tzinfo=UTC)
EXAMPLE_WORKSPACE = WorkspaceId("acme")
DEAD_LETTER = "DeadLetter"

SHARES: Mapping[type[Event], tuple[str, ...]] = {
    MessagePosted: ("gateway",),
    MessagesRead: ("gateway",),
    TranscriptRequested: ("gateway",),
    ConversationRated: ("gateway",),
    ConversationErased: ("history",),
    AcknowledgeAlert: ("gateway",),
}
"""On a topic with several writers: who writes what. All else there is the router's."""

INTRODUCTION = """\
Every record is a CloudEvent 1.0 in the Kafka binding's binary mode: the attributes stand in headers,
the value is JSON. A reader must ignore fields and event types it does not know, and know an event by
`ce_id`: the same event may be there twice, always with the same id.
"""

DEAD_LETTER_HEADERS = {
    "rondo_reason": "Why it can never be handled",
    "rondo_topic": "The topic it was read from",
    "rondo_partition": "Its partition there, in decimal",
    "rondo_offset": "Its offset there, in decimal",
    "rondo_reader": "The consumer group that rejected it",
}


def asyncapi_yaml(examples: Path) -> str:
    """The document's text. ``examples`` holds one golden example an event type. Deterministic."""
    document = asyncapi_document(examples)
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return "# Written by `make generate` from rondo_common; do not edit.\n" + text


def asyncapi_document(examples: Path) -> Json:
    """The document as plain values."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Rondo's topics",
            "version": "0.1.0",
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_channel_name(topic): _channel(topic) for topic in TOPICS},
        "operations": dict(_operation(topic, who, act) for topic in TOPICS for who, act in _users(topic)),
        "components": {
            "messages": {
                **{model.__name__: _message(model, examples) for model in EVENT_TYPES.values()},
                DEAD_LETTER: _dead_letter(),
            },
            "schemas": _schemas(),
        },
    }


# --- channels and operations ---------------------------------------------------------------------


def events_of(topic: Topic) -> list[type[Event]]:
    """The events that stand on a topic, in the order they are declared."""
    return [model for model in EVENT_TYPES.values() if model.TOPIC is topic]


def writers_of(model: type[Event]) -> tuple[str, ...]:
    """The services that write an event."""
    if model.TOPIC is DIRECTORY:
        return ("gateway",)  # The notifier only removes: push subscriptions that are gone.
    if model.TOPIC is not CONVERSATIONS:
        return model.TOPIC.writers
    return SHARES.get(model, ("router",))


def _channel(topic: Topic) -> Json:
    config = topic.config()
    retention = {} if topic.retention_ms is None else {"retention.ms": topic.retention_ms}
    return {
        "address": topic.name,
        "title": topic.name,
        "summary": topic.holds,
        "description": _channel_description(topic),
        "messages": {each: {"$ref": f"#/components/messages/{each}"} for each in _message_names(topic)},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": [config["cleanup.policy"]], **retention},
                "bindingVersion": KAFKA_BINDING,
            }
        },
        "x-rondo-key": topic.key,
        "x-rondo-partitioner": str(topic.partitioner),
        "x-rondo-config": config,
    }


def _channel_description(topic: Topic) -> str:
    by = "the workspace id" if topic.partitioner is Partitioner.WORKSPACE else "the key"
    lines = [f"Key: {topic.key}. Partition: murmur2 of {by}."]
    if topic.compacted:
        lines.append("Compacted: a key's last record stands; one without value and headers removes it.")
    return " ".join(lines)


def _users(topic: Topic) -> list[tuple[str, str]]:
    """Who writes a topic and who reads it, as (who, action)."""
    return [(who, "send") for who in topic.writers] + [(who, "receive") for who in topic.readers]


def _operation(topic: Topic, who: str, action: str) -> tuple[str, Json]:
    name = _channel_name(topic)
    messages = _message_names(topic)
    if action == "send" and topic is not DEAD_LETTERS:
        messages = [model.__name__ for model in events_of(topic) if who in writers_of(model)]
    verb = "writes" if action == "send" else "reads"
    operation = {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "title": f"{who} {verb} {topic.name}",
        "messages": [{"$ref": f"#/channels/{name}/messages/{each}"} for each in messages],
    }
    return f"{who}.{action}.{name}", operation


def _message_names(topic: Topic) -> list[str]:
    if topic is DEAD_LETTERS:
        return [DEAD_LETTER]
    return [model.__name__ for model in events_of(topic)]


def _channel_name(topic: Topic) -> str:
    """``rondo.chat.requests`` → ``chatRequests``."""
    first, *rest = topic.name.removeprefix("rondo.").replace("-", ".").split(".")
    return first + "".join(each.capitalize() for each in rest)


# --- messages ------------------------------------------------------------------------------------


def _message(model: type[Event], examples: Path) -> Json:
    example = json.loads((examples / f"{model.TYPE}.json").read_text(encoding="utf-8"))
    return {
        "name": model.TYPE,
        "title": model.__name__,
        "summary": _first_line(model.__doc__),
        "contentType": "application/json",
        "headers": _headers_schema(model),
        "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
        "bindings": _key_binding(model.TOPIC.key),
        "examples": [{"headers": _example_headers(model, example), "payload": example}],
        "x-rondo-writers": list(writers_of(model)),
    }


def _headers_schema(model: type[Event]) -> Json:
    sources = [f"/rondo/{writer}" for writer in writers_of(model)]
    properties: Json = {
        "content-type": {"const": "application/json"},
        "ce_specversion": {"const": "1.0"},
        "ce_id": _text("The event's id: the same for every record of the same event"),
        "ce_type": {"const": model.TYPE},
        "ce_source": {"enum": sources, "description": "The service that says so"},
        "ce_time": _text("When it happened, RFC 3339 in UTC", format="date-time"),
        "ce_rondoworkspace": _text("The workspace"),
        "ce_subject": _text("The conversation it is about"),
        "ce_traceparent": _text("W3C trace context, where there is one"),
    }
    if "conversation_id" not in model.model_fields:
        del properties["ce_subject"]
    required = [name for name in properties if name != "ce_traceparent"]
    return {"type": "object", "properties": properties, "required": required}


def _example_headers(model: type[Event], payload: Json) -> dict[str, str]:
    envelope = Envelope(
        id=derived_event_id("example", model.TYPE),
        source=f"/rondo/{writers_of(model)[0]}",
        time=EXAMPLE_TIME,
        workspace_id=EXAMPLE_WORKSPACE,
        event=model.model_validate_json(json.dumps(payload)),
    )
    return {name: value.decode() for name, value in headers_of(envelope)}


def _dead_letter() -> Json:
    properties = {name: _text(meaning) for name, meaning in DEAD_LETTER_HEADERS.items()}
    return {
        "name": "rondo.dead-letter",
        "title": DEAD_LETTER,
        "summary": "A record as it was, with its own key, value and headers, and why it lies here.",
        "headers": {"type": "object", "properties": properties, "required": list(properties)},
        "bindings": _key_binding(DEAD_LETTERS.key),
    }


def _key_binding(key: str) -> Json:
    return {
        "kafka": {
            "key": {"type": "string", "description": key},
            "bindingVersion": KAFKA_BINDING,
        }
    }


def _text(description: str, **more: str) -> Json:
    return {"type": "string", "description": description, **more}


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().splitlines()[0]


# --- payloads ------------------------------------------------------------------------------------


@functools.cache
def _schemas() -> Json:
    """Every payload and every value in one, as a reader meets them."""
    models = [(model, "serialization") for model in EVENT_TYPES.values()]
    _, schema = models_json_schema(
        models,  # type: ignore[arg-type]  # the literal's type is lost in the list
        ref_template="#/components/schemas/{model}",
    )
    definitions: Mapping[str, Json] = schema["$defs"]
    return {
        name: _without_discriminators(_as_read(definition))
        for name, definition in sorted(definitions.items())
    }


def schema_json(model: type[Event]) -> str:
    """One event's payload as a JSON Schema of its own, from a reader's side. Deterministic."""
    schemas, needed, open_names = _schemas(), {}, [model.__name__]
    while open_names:
        name = open_names.pop()
        if name not in needed:
            needed[name] = schemas[name]
            open_names += [each.rpartition("/")[2] for each in _references(schemas[name])]
    own = needed.pop(model.__name__)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:rondo:schema:{model.TYPE}",
        **own,
        **({"$defs": dict(sorted(needed.items()))} if needed else {}),
    }
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return text.replace('"#/components/schemas/', '"#/$defs/') + "\n"


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for part in schema.values():
            yield from _references(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def _without_discriminators(schema: Any) -> Any:
    """OpenAPI's discriminator is an object, AsyncAPI's a name: the ``const`` of each choice says it all."""
    if isinstance(schema, dict):
        return {
            key: _without_discriminators(part)
            for key, part in schema.items()
            if not (key == "discriminator" and isinstance(part, dict) and "propertyName" in part)
        }
    return [_without_discriminators(part) for part in schema] if isinstance(schema, list) else schema


def _as_read(definition: Json) -> Json:
    """The schema from a reader's side: unknown fields are allowed, and what is null is left out."""
    read = {key: value for key, value in definition.items() if key != "additionalProperties"}
    absent: list[str] = []
    properties: Json = {}
    for name, schema in definition.get("properties", {}).items():
        properties[name], may_be_absent = _without_null(_plain(schema))
        if may_be_absent:
            absent.append(name)
    if properties:
        read["properties"] = properties
        read["required"] = [name for name in definition.get("required", []) if name not in absent]
    return read


def _plain(schema: Json) -> Json:
    """Without the title, which repeats the name."""
    return {key: value for key, value in schema.items() if key != "title"}


def _without_null(schema: Json) -> tuple[Json, bool]:
    """The schema of a field that is left out where it would be null, and whether it may be."""
    options: Sequence[Json] = schema.get("anyOf", ())
    given = [option for option in options if option != {"type": "null"}]
    if len(given) == len(options):
        return schema, False
    rest = {key: value for key, value in schema.items() if key not in {"anyOf", "default"}}
    return (rest | given[0] if len(given) == 1 else rest | {"anyOf": given}), True


# --- YAML ----------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as they are."""


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text_node)
