"""The chart renders to what Kubernetes and its operators expect, and lets in only values that fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.deploy.helm_process import complaints, refusal, render, schema_refusal
from tests.deploy.kubernetes_schemas import VERSIONS, mistakes
from tests.deploy.value_sets import NAMES, Resource, of_kind, value_set

InHelm = Callable[..., Any]

REFUSED: dict[str, dict[str, Any]] = {
    "a value that nobody knows": {"replicas": 3},
    "one below that nobody knows": {"services": {"gateway": {"replica": 3}}},
    "a service that nobody knows": {"services": {"mailer": {}}},
    "the tag latest": {"image": {"tag": "latest"}},
    "a digest that is none": {"image": {"digests": {"gateway": "abc"}}},
    "a text where a number belongs": {"services": {"gateway": {"replicas": "three"}}},
    "no limits": {"defaults": {"resources": {"limits": None}}},
    "a port that is none": {"metrics": {"port": 70000}},
    "a password among the values, of Redis": {"redis": {"url": "redis://user:secret@redis:6379/0"}},
    "a password among the values, of PostgreSQL": {"postgres": {"dsn": "postgresql://u:secret@pg/rondo"}},
    "brokers without a port": {"kafka": {"bootstrap": "kafka"}},
    "a scaler that nobody knows": {"autoscaling": {"by": "magic"}},
    "a setting that is none of Rondo's": {"settings": {"LOG_LEVEL": "debug"}},
}
UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "no keys": ({"auth": {}}, "auth.existingSecret"),
    "no brokers": ({"kafka": {}}, "kafka.bootstrap"),
    "no Redis": ({"redis": {}}, "redis.existingSecret"),
    "no PostgreSQL": ({"postgres": {}}, "postgres.existingSecret"),
    "an unknown setting": ({"settings": {"RONDO_LOG_LEVLE": "debug"}}, "RONDO_LOG_LEVLE"),
    "a secret among the settings": ({"settings": {"RONDO_ROOT_KEY": "k" * 16}}, "RONDO_ROOT_KEY"),
    "topics before there is a Kafka": ({"strimzi": {"kafka": {"enabled": True}}}, "createdBy=strimzi"),
    "users of no cluster": ({"strimzi": {"users": {"enabled": True}}}, "strimzi.cluster"),
    "an Ingress to all names": ({"ingress": {"enabled": True}}, "ingress.hosts"),
    "a route from nowhere": ({"httpRoute": {"enabled": True}}, "httpRoute.parentRefs"),
    "more confirmations than replicas": (
        {"kafka": {"bootstrap": "kafka:9092", "replicationFactor": 1}},
        "minInsyncReplicas",
    ),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_resource_is_what_kubernetes_expects(resources: list[Resource], version: str) -> None:
    told = {
        f"{each['kind']}/{each['metadata']['name']}": found
        for each in resources
        if (found := mistakes(each, version))
    }
    assert told == {}


@pytest.mark.parametrize("name", NAMES)
def test_lint_has_nothing_to_complain_about(in_helm: InHelm, name: str) -> None:
    assert in_helm(complaints, value_set(name)) == []


def test_a_mistyped_field_would_be_seen(rendered: dict[str, list[Resource]]) -> None:
    resources = rendered["keda"]
    for kind, name in (("Deployment", "rondo-router"), ("ScaledObject", "rondo-router")):
        resource = of_kind(resources, kind)[name]
        assert mistakes({**resource, "spec": {**resource["spec"], "replicaz": 1}}, VERSIONS[0])
    user = of_kind(resources, "KafkaUser")["rondo-router"]
    assert mistakes({**user, "spec": {"authentication": {"type": "password"}}}, VERSIONS[0])


def test_no_resource_is_rendered_twice(resources: list[Resource]) -> None:
    names = [
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in resources
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", NAMES)
def test_rendering_again_is_the_same(
    in_helm: InHelm, rendered: dict[str, list[Resource]], name: str
) -> None:
    again = in_helm(render, value_set(name))
    assert _without_drawn_keys(again) == _without_drawn_keys(rendered[name])


@pytest.mark.parametrize("what", REFUSED)
def test_the_schema_refuses(in_helm: InHelm, what: str) -> None:
    assert in_helm(schema_refusal, value_set("least")) == ""
    assert in_helm(schema_refusal, value_set("least", **REFUSED[what])) != ""


@pytest.mark.parametrize("what", UNFIT)
def test_what_does_not_go_together_is_refused_with_the_remedy(in_helm: InHelm, what: str) -> None:
    changes, remedy = UNFIT[what]
    assert remedy in in_helm(refusal, value_set("least", **changes))


def _without_drawn_keys(resources: list[Resource]) -> list[Resource]:
    return [each for each in resources if each["kind"] != "Secret"]
