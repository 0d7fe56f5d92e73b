"""The gateway's settings, from the environment (``RONDO_…``)."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, model_validator

from rondo_common.kafka.settings import KafkaSettings
from rondo_common.redis.settings import RedisSettings
from rondo_common.settings import (
    PageSettings,
    ProcessSettings,
    PushSettings,
    WebhookSettings,
)

DRAIN_S_MAX = 10


class GatewaySettings(
    ProcessSettings, KafkaSettings, RedisSettings, WebhookSettings, PushSettings, PageSettings
):
    """Everything the gateway can be told."""

    root_key: SecretStr = Field(min_length=16, description="The operator's credential")
    token_secret: SecretStr = Field(
        min_length=32, description="Signs the tokens of agents and visitors; equal for all gateways"
    )
    presence_lease_s: float = Field(
        default=75.0,
        ge=1,
        description="Seconds an agent stays present after the last sign of any of their devices; "
        "equal for all gateways",
    )
    history_url: str = Field(description="Base URL of history's internal interface")
    demo_pages: bool = Field(default=False, description="Whether the demo shop is there, at `/demo/shop`")
    drain_s: float = Field(
        default=1.0,
        ge=0,
        le=DRAIN_S_MAX,
        description="Seconds between being told to stop and not listening any more: `/readyz` says 503 and "
        "every answer closes its connection, so that whoever stands before it turns to another",
    )
    internal_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port of `/metrics`, `/healthz` and `/readyz` for those inside; not set: no metrics",
    )
    session_idle_s: int = Field(
        default=86_400,
        ge=60,
        le=31_536_000,
        description="Seconds after which an agent's session that is not used ends; an open inbox uses it",
    )
    session_max_s: int = Field(
        default=1_209_600,
        ge=60,
        le=31_536_000,
        description="Seconds after which an agent's session ends, however much it is used",
    )
    oidc_issuer: str = Field(
        default="",
        pattern=r"^(https://.+|http://(localhost|127\.0\.0\.1|\[::1\])([:/].*)?)?$",
        description="The OpenID Connect issuer that agents may sign in by, as it calls itself: https, or "
        "http on this machine. Empty: none",
    )
    oidc_client_id: str = Field(default="", description="What Rondo is called at the issuer")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="Rondo's secret at the issuer; not set for a public client"
    )

    @model_validator(mode="after")
    def _has_a_client(self) -> Self:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("RONDO_OIDC_ISSUER needs RONDO_OIDC_CLIENT_ID")
        return self
