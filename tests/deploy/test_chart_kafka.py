"""How the chart's pods are let in at Kafka: variables, files, and KEDA's way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rondo_common.kafka.settings import KafkaSettings
from rondo_local.services import SERVICES
from tests.deploy.helm_process import refusal, render
from tests.deploy.pod_files import files_in, secret_of
from tests.deploy.value_sets import Resource, of_kind, pods, value_set, variables

InHelm = Callable[..., Any]
FILES = "/etc/rondo/kafka"
NAMES = [service.name for service in SERVICES]
SCRAM = {"protocol": "SASL_SSL"}
TRYING = {"replicationFactor": 1, "minInsyncReplicas": 1, "topics": {"createdBy": "strimzi"}}
OWN = {"bootstrap": "kafka:9093"}


def trying(in_helm: InHelm, security: Resource, **users: str) -> list[Resource]:
    """All of it by Strimzi, with its users."""
    values = value_set(
        "trying",
        kafka=TRYING | {"security": security},
        strimzi={"kafka": {"enabled": True}, "users": {"enabled": True, **users}},
        autoscaling={"by": "keda"},
    )
    rendered: list[Resource] = in_helm(render, values)
    return rendered


def kafka_variables(pod: Resource) -> dict[str, Resource]:
    return {name: each for name, each in variables(pod).items() if name.startswith("RONDO_KAFKA_")}


def test_without_security_pods_have_none_of_it(rendered: dict[str, list[Resource]]) -> None:
    for pod in pods(rendered["least"]).values():
        assert set(kafka_variables(pod)) <= {
            "RONDO_KAFKA_BOOTSTRAP",
            "RONDO_KAFKA_REPLICATION_FACTOR",
            "RONDO_KAFKA_MIN_INSYNC_REPLICAS",
        }
        assert files_in(pod, FILES) == {}


def test_with_a_certificate_each_service_shows_its_own(rendered: dict[str, list[Resource]]) -> None:
    found = pods(rendered["secure"])
    owners = {f"Deployment/rondo-{name}": f"kafka-{name}" for name in NAMES}
    for owner, secret in {**owners, "Job/rondo-create-topics": "kafka-admin"}.items():
        told = {name: each.get("value") for name, each in kafka_variables(found[owner]).items()}
        assert told["RONDO_KAFKA_SECURITY_PROTOCOL"] == "SSL"
        assert "RONDO_KAFKA_PASSWORD" not in told
        assert files_in(found[owner], FILES) == {
            told["RONDO_KAFKA_CA_FILE"]: ("kafka-authority", "authority.pem"),
            told["RONDO_KAFKA_CERTIFICATE_FILE"]: (secret, "tls.crt"),
            told["RONDO_KAFKA_KEY_FILE"]: (secret, "tls.key"),
        }
    assert kafka_variables(found["Job/rondo-migrate"]) == {}
    assert files_in(found["Job/rondo-migrate"], FILES) == {}


def test_users_of_strimzi_are_wired_by_themselves_with_their_passwords(in_helm: InHelm) -> None:
    rendered = trying(in_helm, SCRAM)
    users = of_kind(rendered, "KafkaUser")
    for name in NAMES:
        told = kafka_variables(pods(rendered)[f"Deployment/rondo-{name}"])
        user = told["RONDO_KAFKA_USERNAME"]["value"]
        assert users[user]["spec"]["authentication"] == {"type": "scram-sha-512"}
        assert secret_of(told["RONDO_KAFKA_PASSWORD"]) == (user, "password")
        assert told["RONDO_KAFKA_SASL_MECHANISM"]["value"] == "SCRAM-SHA-512"
        assert files_in(pods(rendered)[f"Deployment/rondo-{name}"], FILES) == {
            told["RONDO_KAFKA_CA_FILE"]["value"]: ("rondo-kafka-cluster-ca-cert", "ca.crt")
        }
        assert told["RONDO_KAFKA_BOOTSTRAP"]["value"].endswith(":9093")
    spec = of_kind(rendered, "Kafka")["rondo-kafka"]["spec"]["kafka"]
    (listener,) = spec["listeners"]
    assert (listener["port"], listener["tls"], listener["authentication"]) == (
        9093,
        True,
        {"type": "scram-sha-512"},
    )
    assert spec["authorization"] == {"type": "simple"}


def test_users_of_strimzi_are_wired_by_themselves_with_their_certificates(in_helm: InHelm) -> None:
    rendered = trying(in_helm, {"protocol": "SSL"}, authentication="tls")
    for name in NAMES:
        user = f"rondo-{name}"
        assert files_in(pods(rendered)[f"Deployment/{user}"], FILES) == {
            f"{FILES}/ca.crt": ("rondo-kafka-cluster-ca-cert", "ca.crt"),
            f"{FILES}/user.crt": (user, "user.crt"),
            f"{FILES}/user.key": (user, "user.key"),
        }


def test_keda_comes_as_the_service_that_it_scales(
    in_helm: InHelm, rendered: dict[str, list[Resource]]
) -> None:
    by_certificate = rendered["secure"]
    by_password = trying(in_helm, SCRAM)
    for name in ("router", "notifier", "history"):
        entrance = of_kind(by_certificate, "TriggerAuthentication")[f"rondo-{name}-kafka"]["spec"]
        assert {each["parameter"]: (each["name"], each["key"]) for each in entrance["secretTargetRef"]} == {
            "ca": ("kafka-authority", "authority.pem"),
            "cert": (f"kafka-{name}", "tls.crt"),
            "key": (f"kafka-{name}", "tls.key"),
        }
        entrance = of_kind(by_password, "TriggerAuthentication")[f"rondo-{name}-kafka"]["spec"]
        assert {each["parameter"]: each["name"] for each in entrance["secretTargetRef"]} == {
            "ca": "rondo-kafka-cluster-ca-cert",
            "password": f"rondo-{name}",
        }
        (username,) = entrance["env"]
        (container,) = pods(by_password)[f"Deployment/rondo-{name}"]["containers"]
        assert username["containerName"] == container["name"]
        assert username["name"] in variables(pods(by_password)[f"Deployment/rondo-{name}"])
        for rendering, words in (
            (by_certificate, {"tls": "enable"}),
            (by_password, {"tls": "enable", "sasl": "scram_sha512"}),
        ):
            for trigger in of_kind(rendering, "ScaledObject")[f"rondo-{name}"]["spec"]["triggers"]:
                assert trigger["authenticationRef"] == {"name": f"rondo-{name}-kafka"}
                assert words.items() <= trigger["metadata"].items()


def test_one_secret_may_do_for_all(in_helm: InHelm) -> None:
    credentials = {"existingSecret": "kafka-rondo", "usernameKey": "user", "passwordKey": "pass"}
    security = SCRAM | {"credentials": credentials}
    rendered = in_helm(render, value_set("least", kafka=OWN | {"security": security}))
    for name in ("Deployment/rondo-router", "Job/rondo-create-topics"):
        told = kafka_variables(pods(rendered)[name])
        assert secret_of(told["RONDO_KAFKA_USERNAME"]) == ("kafka-rondo", "user")
        assert secret_of(told["RONDO_KAFKA_PASSWORD"]) == ("kafka-rondo", "pass")
        # The authorities that the image trusts vouch for these brokers.
        assert "RONDO_KAFKA_CA_FILE" not in told
        assert files_in(pods(rendered)[name], FILES) == {}


def test_every_variable_is_one_that_the_code_reads(
    in_helm: InHelm, rendered: dict[str, list[Resource]]
) -> None:
    known = {f"RONDO_{name}".upper() for name in KafkaSettings.model_fields}
    for rendering in (rendered["secure"], trying(in_helm, SCRAM)):
        for pod in pods(rendering).values():
            assert set(kafka_variables(pod)) <= known


UNFIT: dict[str, tuple[Resource, str]] = {
    "a password that nobody has": (OWN | {"security": SCRAM}, "credentials.perService.gateway"),
    "topics by nobody": (
        OWN | {"security": SCRAM | {"credentials": {"perService": dict.fromkeys(NAMES, "kafka")}}},
        "perService.create-topics",
    ),
    "Secrets without a use": (
        OWN | {"security": {"credentials": {"existingSecret": "kafka"}}},
        "kafka.security.protocol",
    ),
    "an authority without TLS": (
        OWN
        | {
            "security": {
                "protocol": "SASL_PLAINTEXT",
                "ca": {"existingSecret": "kafka"},
                "credentials": {"existingSecret": "kafka"},
            }
        },
        "SASL_SSL or SSL",
    ),
}
UNFIT_OF_STRIMZI: dict[str, tuple[Resource, Resource, str]] = {
    "certificates for passwords": (SCRAM, {"authentication": "tls"}, "authentication=scram-sha-512"),
    "passwords for certificates": ({"protocol": "SSL"}, {}, "authentication=tls"),
    "users without TLS": ({"protocol": "SASL_PLAINTEXT"}, {}, "over TLS"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_what_does_not_go_together_is_refused(in_helm: InHelm, what: str) -> None:
    kafka, remedy = UNFIT[what]
    assert remedy in in_helm(refusal, value_set("least", kafka=kafka))


@pytest.mark.parametrize("what", UNFIT_OF_STRIMZI)
def test_what_strimzi_has_not_is_refused(in_helm: InHelm, what: str) -> None:
    security, users, remedy = UNFIT_OF_STRIMZI[what]
    strimzi = {"kafka": {"enabled": True}, "users": {"enabled": True, **users}}
    values = value_set("trying", kafka=TRYING | {"security": security}, strimzi=strimzi)
    assert remedy in in_helm(refusal, values)


def test_secrets_of_another_namespace_are_refused(in_helm: InHelm) -> None:
    kafka = {
        "bootstrap": "main-kafka-bootstrap.kafka.svc:9093",
        "topics": {"createdBy": "strimzi"},
        "security": SCRAM,
    }
    assert "copy Strimzi's Secrets" in in_helm(refusal, value_set("keda", kafka=kafka))
