"""How a process is told to come to Kafka, and what it refuses to start with."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from faust.auth import SASLCredentials
from pydantic import ValidationError

from rondo_common.access import OPERATORS, SERVICES, USERS, Operation, ResourceType, grants
from rondo_common.consumer_groups import CONSUMER_GROUPS
from rondo_common.given_settings import settings_of
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.kafka.settings import KafkaSettings
from rondo_common.service import WRONG_SETTINGS, problems, read_settings
from rondo_history.live_metrics.bootstrap import make_app
from rondo_history.live_metrics.settings import LiveMetricsSettings
from rondo_local.certificates import Certificates
from rondo_local.services import SERVICES as LOCAL_SERVICES

HUSH = "correct horse"
SCRAM = {
    "RONDO_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "RONDO_KAFKA_USERNAME": "router",
    "RONDO_KAFKA_PASSWORD": HUSH,
}


def settings(**variables: str) -> KafkaSettings:
    return settings_of(KafkaSettings, {"RONDO_KAFKA_BOOTSTRAP": "kafka:9093", **variables})


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def test_brokers_in_clear_need_nothing_more() -> None:
    connection = KafkaConnection.of(settings(), client_id="x")
    assert connection.client_options() == {
        "bootstrap_servers": "kafka:9093",
        "client_id": "x",
        "security_protocol": "PLAINTEXT",
        "ssl_context": None,
    }


def test_a_password_is_shown_over_tls_to_whom_the_authority_vouches_for(certificates: Certificates) -> None:
    ca = {"RONDO_KAFKA_CA_FILE": str(certificates.ca_file)}
    options = KafkaConnection.of(settings(**SCRAM, **ca), client_id="x").client_options()
    assert options["security_protocol"] == "SASL_SSL"
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("router", HUSH)
    context = options["ssl_context"]
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert [dict(name for (name,) in each["subject"]) for each in context.get_ca_certs()] != []
    assert len(context.get_ca_certs()) == 1


def test_a_certificate_is_shown_with_its_key(certificates: Certificates) -> None:
    files = certificates.client("router")
    found = settings(
        RONDO_KAFKA_SECURITY_PROTOCOL="SSL",
        RONDO_KAFKA_CA_FILE=str(certificates.ca_file),
        RONDO_KAFKA_CERTIFICATE_FILE=str(files.certificate),
        RONDO_KAFKA_KEY_FILE=str(files.key),
    )
    options = found.kafka_security.client_options()
    assert options["security_protocol"] == "SSL"
    assert "sasl_plain_password" not in options


def test_live_metrics_come_to_kafka_the_same_way(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {**SCRAM, "RONDO_KAFKA_CA_FILE": str(certificates.ca_file), "RONDO_KAFKA_BOOTSTRAP": "kafka:1"}
    for name, value in {**given, "RONDO_HTTP_PORT": "0"}.items():
        monkeypatch.setenv(name, value)
    credentials = make_app(read_settings(LiveMetricsSettings)).conf.broker_credentials
    assert isinstance(credentials, SASLCredentials)
    assert credentials.protocol.value == "SASL_SSL"
    assert credentials.mechanism.value == "SCRAM-SHA-512"
    assert credentials.password == HUSH
    assert HUSH not in repr(credentials)


def test_a_password_is_never_shown() -> None:
    found = settings(**SCRAM)
    for shown in (repr(found), repr(found.kafka_security), repr(KafkaConnection.of(found, client_id="x"))):
        assert HUSH not in shown


FILE = str(Path(__file__))
UNFIT: dict[str, tuple[dict[str, str], str]] = {
    "a protocol that nobody speaks": (
        {"RONDO_KAFKA_SECURITY_PROTOCOL": "TLS"},
        "RONDO_KAFKA_SECURITY_PROTOCOL: Input should be",
    ),
    "a mechanism that nobody knows": (
        {**SCRAM, "RONDO_KAFKA_SASL_MECHANISM": "GSSAPI"},
        "RONDO_KAFKA_SASL_MECHANISM: Input should be",
    ),
    "nobody to let in": (
        {"RONDO_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"},
        "RONDO_KAFKA_USERNAME and RONDO_KAFKA_PASSWORD must be set",
    ),
    "no password": (
        {"RONDO_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "RONDO_KAFKA_USERNAME": "router"},
        "RONDO_KAFKA_PASSWORD must be set",
    ),
    "a password without a use": (
        {"RONDO_KAFKA_PASSWORD": HUSH},
        "RONDO_KAFKA_PASSWORD would not be used",
    ),
    "an authority without TLS": (
        {**SCRAM, "RONDO_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "RONDO_KAFKA_CA_FILE": FILE},
        "RONDO_KAFKA_CA_FILE would not be used",
    ),
    "a key without a certificate": (
        {"RONDO_KAFKA_SECURITY_PROTOCOL": "SSL", "RONDO_KAFKA_KEY_FILE": FILE},
        "RONDO_KAFKA_CERTIFICATE_FILE must be set too",
    ),
    "a certificate without a key": (
        {"RONDO_KAFKA_SECURITY_PROTOCOL": "SSL", "RONDO_KAFKA_CERTIFICATE_FILE": FILE},
        "RONDO_KAFKA_KEY_FILE must be set too",
    ),
    "a file that is not there": (
        {"RONDO_KAFKA_SECURITY_PROTOCOL": "SSL", "RONDO_KAFKA_CA_FILE": "/nowhere/ca.crt"},
        "RONDO_KAFKA_CA_FILE=/nowhere/ca.crt is no file here",
    ),
    "a file that is no certificate": (
        {"RONDO_KAFKA_SECURITY_PROTOCOL": "SSL", "RONDO_KAFKA_CA_FILE": FILE},
        "RONDO_KAFKA_CA_FILE: no PEM files that fit",
    ),
}


@pytest.mark.parametrize("what", UNFIT)
def test_what_does_not_go_together_is_refused_in_one_line(
    what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    variables, told = UNFIT[what]
    for name, value in {"RONDO_KAFKA_BOOTSTRAP": "kafka:9093", **variables}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        read_settings(KafkaSettings)
    assert stopped.value.code == WRONG_SETTINGS
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(told)
    assert HUSH not in line


def test_the_key_of_another_certificate_is_refused(certificates: Certificates) -> None:
    one, other = certificates.client("router"), certificates.client("history")
    with pytest.raises(ValidationError) as refused:
        settings(
            RONDO_KAFKA_SECURITY_PROTOCOL="SSL",
            RONDO_KAFKA_CERTIFICATE_FILE=str(one.certificate),
            RONDO_KAFKA_KEY_FILE=str(other.key),
        )
    (line,) = problems(refused.value)
    assert "RONDO_KAFKA_CERTIFICATE_FILE and RONDO_KAFKA_KEY_FILE" in line
    assert "BEGIN" not in str(refused.value)


def test_every_service_is_a_user_and_nobody_may_more_than_read_and_write() -> None:
    assert {each.name for each in LOCAL_SERVICES} == set(SERVICES)
    assert set(USERS) == {*SERVICES, OPERATORS}
    for user in USERS:
        for grant in grants(user):
            assert grant.resource is not ResourceType.CLUSTER or user == OPERATORS
            assert user != OPERATORS or Operation.WRITE not in grant.operations
            assert user == OPERATORS or set(grant.operations) <= {
                Operation.DESCRIBE,
                Operation.READ,
                Operation.WRITE,
            }
    members = {each.name for each in CONSUMER_GROUPS}
    assert {each.name for user in SERVICES for each in grants(user) if each.resource == "group"} == members
