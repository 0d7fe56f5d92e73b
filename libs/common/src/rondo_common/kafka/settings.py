"""Settings of Kafka: where it is, and how a client is let in, in Kafka's own words."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rondo_common.kafka.security import KafkaSecurity, SaslMechanism, SecurityProtocol

PROTOCOL = "RONDO_KAFKA_SECURITY_PROTOCOL"
CA_FILE = "RONDO_KAFKA_CA_FILE"
CERTIFICATE_FILE = "RONDO_KAFKA_CERTIFICATE_FILE"
KEY_FILE = "RONDO_KAFKA_KEY_FILE"
USERNAME = "RONDO_KAFKA_USERNAME"
PASSWORD = "RONDO_KAFKA_PASSWORD"  # noqa: S105 - the name of a variable


class KafkaSettings(BaseSettings):
    """Where Kafka is, and as whom it is spoken to."""

    model_config = SettingsConfigDict(env_prefix="RONDO_", frozen=True, hide_input_in_errors=True)

    kafka_bootstrap: str = Field(description="Brokers as host:port, comma-separated")
    kafka_replication_factor: int = Field(
        default=1, ge=1, description="Of the topics that create-topics makes"
    )
    kafka_min_insync_replicas: int | None = Field(
        default=None,
        ge=1,
        description="How many replicas must have a record before it is confirmed, of the topics that "
        "create-topics makes. Unset: 2 of three and more, else what the broker says",
    )
    kafka_security_protocol: SecurityProtocol = Field(
        default="PLAINTEXT",
        description="As the brokers' listener: with `SSL` in it, over TLS; with `SASL`, by username and "
        "password",
    )
    kafka_ca_file: Path | None = Field(
        default=None,
        description="PEM file of the authority that vouches for the brokers; else those the machine trusts",
    )
    kafka_certificate_file: Path | None = Field(
        default=None, description="PEM file of the client's certificate, for listeners that ask for one"
    )
    kafka_key_file: Path | None = Field(
        default=None, description="PEM file of the private key of that certificate, without a passphrase"
    )
    kafka_sasl_mechanism: SaslMechanism = Field(
        default="SCRAM-SHA-512", description="How the password is shown, with SASL"
    )
    kafka_username: str = Field(default="", description="As whom, with SASL")
    kafka_password: SecretStr = Field(default=SecretStr(""), description="Their password, with SASL")

    @field_validator("kafka_ca_file", "kafka_certificate_file", "kafka_key_file", mode="before")
    @classmethod
    def _empty_is_none(cls, path: str | Path | None) -> str | Path | None:
        return path or None

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        security = self.kafka_security
        for problem in (_unfit_password(security), _unfit_files(security)):
            if problem is not None:
                raise ValueError(problem)
        return self

    @property
    def kafka_security(self) -> KafkaSecurity:
        """How a client is let in."""
        return KafkaSecurity(
            protocol=self.kafka_security_protocol,
            ca_file=self.kafka_ca_file,
            certificate_file=self.kafka_certificate_file,
            key_file=self.kafka_key_file,
            mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_username,
            password=self.kafka_password.get_secret_value(),
        )


def _unfit_password(security: KafkaSecurity) -> str | None:
    """What does not fit of username and password, with the remedy."""
    given = {USERNAME: security.username, PASSWORD: security.password}
    if security.with_password:
        missing = [name for name, value in given.items() if not value]
        if missing:
            return f"{' and '.join(missing)} must be set, as {PROTOCOL}={security.protocol} asks for them"
        return None
    useless = [name for name, value in given.items() if value]
    if not useless:
        return None
    instead = "SASL_SSL" if security.over_tls else "SASL_SSL or SASL_PLAINTEXT"
    return (
        f"{' and '.join(useless)} would not be used, as {PROTOCOL} is {security.protocol}: set that to "
        f"{instead}, or leave {'them' if len(useless) > 1 else 'it'} out"
    )


def _unfit_files(security: KafkaSecurity) -> str | None:
    """What does not fit of the files, with the remedy."""
    files = {
        CA_FILE: security.ca_file,
        CERTIFICATE_FILE: security.certificate_file,
        KEY_FILE: security.key_file,
    }
    given = [name for name, path in files.items() if path is not None]
    if not security.over_tls:
        if not given:
            return None
        instead = "SASL_SSL" if security.with_password else "SSL or SASL_SSL"
        return (
            f"{' and '.join(given)} would not be used, as {PROTOCOL} is {security.protocol}: set that to "
            f"{instead}, or leave {'them' if len(given) > 1 else 'it'} out"
        )
    if (security.certificate_file is None) != (security.key_file is None):
        absent = CERTIFICATE_FILE if security.certificate_file is None else KEY_FILE
        return f"{absent} must be set too: a certificate and its key go together"
    for name, path in files.items():
        if path is not None and not path.is_file():
            return f"{name}={path} is no file here: correct the path, or mount the file there"
    return _unreadable(security)


def _unreadable(security: KafkaSecurity) -> str | None:
    trust = KafkaSecurity(protocol="SSL", ca_file=security.ca_file)
    for name, part in ((CA_FILE, trust), (f"{CERTIFICATE_FILE} and {KEY_FILE}", security)):
        try:
            part.ssl_context()
        except OSError as error:
            # OpenSSL names what it minds, and never what stands in the files.
            return f"{name}: no PEM files that fit ({error.strerror or error}): see what stands in them"
    return None
