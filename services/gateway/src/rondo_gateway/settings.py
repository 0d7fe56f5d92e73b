"""The gateway's settings, from the environment (``RONDO_…``)."""

from __future__ import annotations

from pydantic import Field, SecretStr

from rondo_common.settings import (
    KafkaSettings,
    ProcessSettings,
    PushSettings,
    RedisSettings,
    WebhookSettings,
)


class GatewaySettings(ProcessSettings, KafkaSettings, RedisSettings, WebhookSettings, PushSettings):
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
    internal_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port of `/metrics`, `/healthz` and `/readyz` for those inside; not set: no metrics",
    )
