"""The compose file: what the specification allows, healthy, bounded, and with every service of Rondo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from docs.generate import ROOT
from docs.generators.chart import STOP_S
from docs.generators.settings_page import SERVICES, variables

FILE = ROOT / "deploy/compose/compose.yaml"
SPECIFICATION = Path(__file__).parent / "compose/compose-spec.json"
SERVERS = {"kafka", "valkey", "postgres"}
ONCE = {"create-topics", "migrate"}

Json = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Json:
    read: Json = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return read


def test_it_is_what_the_specification_allows(document: Json) -> None:
    schema = json.loads(SPECIFICATION.read_text(encoding="utf-8"))
    errors = [error.message for error in jsonschema_rs.validator_for(schema).iter_errors(document)]
    assert errors == []
    wrong = {**document, "services": {**document["services"], "kafka": {"imagge": "kafka"}}}
    assert not jsonschema_rs.validator_for(schema).is_valid(wrong)


def test_every_service_of_rondo_is_there(document: Json) -> None:
    assert set(document["services"]) == {*SERVERS, *ONCE, *SERVICES}


def test_every_image_has_a_version(document: Json) -> None:
    for name, service in document["services"].items():
        image = service["image"]
        assert "latest" not in image, name
        assert image.count(":-") >= 1, f"{name}: others can be named by a variable"


def test_what_runs_on_is_asked_whether_it_is_healthy(document: Json) -> None:
    for name, service in document["services"].items():
        if name in ONCE:
            assert service["healthcheck"] == {"disable": True}
            assert service["restart"] == "on-failure"
        else:
            assert service["healthcheck"]["test"][0] == "CMD", name


def test_nobody_starts_before_what_they_need(document: Json) -> None:
    for service in SERVICES:
        needed = document["services"][service]["depends_on"]
        assert needed["create-topics"] == {"condition": "service_completed_successfully"}
    assert "migrate" in document["services"]["history"]["depends_on"]


def test_rondos_containers_have_no_privilege_and_time_to_stop(document: Json) -> None:
    for name in {*ONCE, *SERVICES}:
        service = document["services"][name]
        assert service["read_only"] is True
        assert service["user"] == "10001:10001"
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert int(service["stop_grace_period"].removesuffix("s")) > max(STOP_S.values())


def test_nothing_but_the_gateway_is_reached_and_that_from_this_machine(document: Json) -> None:
    reached = {name: each["ports"] for name, each in document["services"].items() if "ports" in each}
    assert set(reached) == {"gateway"}
    assert all(port.startswith("127.0.0.1:") for port in reached["gateway"])


def test_each_service_is_given_all_that_it_requires_and_nothing_that_is_none(document: Json) -> None:
    # The images say where they listen.
    said = {"RONDO_HTTP_PORT"}
    for variable, (field, readers) in variables().items():
        for service in readers:
            if field.is_required() and variable not in said:
                assert variable in document["services"][service]["environment"], (service, variable)
    for service in SERVICES:
        for variable in document["services"][service]["environment"]:
            assert service in variables()[variable][1], (service, variable)


def test_secrets_have_no_default(document: Json) -> None:
    gateway = document["services"]["gateway"]["environment"]
    for name in ("RONDO_ROOT_KEY", "RONDO_TOKEN_SECRET"):
        assert gateway[name].startswith(f"${{{name}:?")
