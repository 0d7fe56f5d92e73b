"""Settings every service shares. They come from the environment only, prefixed ``RONDO_``."""

from __future__ import annotations

import base64
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rondo_common.kafka.settings import KafkaSettings
from rondo_common.smtp import smtp_server

VAPID_KEY_BYTES = 32


class ProcessSettings(BaseSettings):
    """What every process needs: a name, an HTTP port, a log format."""

    model_config = SettingsConfigDict(env_prefix="RONDO_", frozen=True)

    instance: str = Field(default="rondo", description="Names the process in logs and client ids")
    http_host: str = Field(default="127.0.0.1", description="Address to listen on")
    http_port: int = Field(ge=0, le=65535, description="Port of the process's HTTP server")
    log_format: Literal["json", "console"] = Field(
        default="json", description="For machines, or for people at a terminal"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least grave lines that are logged"
    )


class WebhookSettings(BaseSettings):
    """Where webhooks may go."""

    model_config = SettingsConfigDict(env_prefix="RONDO_", frozen=True)

    webhook_allow_private: bool = Field(
        default=False,
        description="Whether webhooks, pushes and chat hooks may go to private and loopback addresses, and "
        "over http; for trying",
    )


class PushSettings(BaseSettings):
    """Who pushes to browsers: one key an installation. Without it, nobody does."""

    model_config = SettingsConfigDict(env_prefix="RONDO_", frozen=True, hide_input_in_errors=True)

    vapid_private_key: SecretStr | None = Field(
        default=None,
        description="Signs pushes: a P-256 private key as 32 bytes in base64url; changing it voids every "
        "push subscription",
    )

    @field_validator("vapid_private_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is None or not key.get_secret_value():
            return None
        text = key.get_secret_value()
        if len(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) != VAPID_KEY_BYTES:
            raise ValueError("must be 32 bytes in base64url")
        return key


class ConsumerSettings(BaseSettings):
    """How a process behaves in its consumer group. Times in milliseconds."""

    model_config = SettingsConfigDict(env_prefix="RONDO_", frozen=True)

    session_timeout_ms: int = Field(
        default=6_000, ge=6_000, le=300_000, description="Silent for so long, it loses its partitions"
    )
    rebalance_timeout_ms: int = Field(
        default=30_000,
        ge=10_000,
        le=300_000,
        description="How long giving partitions up may take; more than the loop's drain_s",
    )


class ReaderSettings(ProcessSettings, KafkaSettings, ConsumerSettings):
    """What every service that reads topics in a group needs."""


class MailSettings(BaseSettings):
    """Where email is handed over. Without a server, none is sent."""

    model_config = SettingsConfigDict(env_prefix="RONDO_", frozen=True, hide_input_in_errors=True)

    smtp_url: SecretStr | None = Field(
        default=None, description="smtp://user:password@host:port (?starttls=always|never) or smtps://…"
    )
    mail_from: str = Field(
        default="Rondo <rondo@localhost>", description="The sender of every email, as in its From line"
    )

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None or not url.get_secret_value():
            return None
        smtp_server(url.get_secret_value())
        return url


class PageSettings(BaseSettings):
    """Where browsers find the pages that the gateway serves."""

    model_config = SettingsConfigDict(env_prefix="RONDO_", frozen=True)

    public_url: str = Field(
        default="",
        pattern="^(https?://.*[^/])?$",
        description="Where browsers find the gateway and its inbox, without a slash at the end; with "
        "https, cookies are secure. Empty: as it is called, and notifications carry paths alone",
    )
