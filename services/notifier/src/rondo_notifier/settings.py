"""The notifier's settings, from the environment (``RONDO_…``)."""

from __future__ import annotations

from pydantic import Field

from rondo_common.settings import (
    MailSettings,
    PushSettings,
    ReaderSettings,
    RedisSettings,
    WebhookSettings,
)


class NotifierSettings(ReaderSettings, RedisSettings, WebhookSettings, PushSettings, MailSettings):
    """Everything the notifier can be told."""

    webhook_rebuild_s: int = Field(
        default=3600,
        ge=0,
        le=7 * 86_400,
        description="How far back the topics are read again for webhooks when Redis has lost what waited",
    )

    vapid_subject: str = Field(
        default="mailto:rondo@localhost.invalid",
        pattern="^(mailto:|https://).+",
        description="Where push services reach the operator, mailto:… or https://…",
    )
    public_url: str = Field(
        default="",
        pattern="^(https?://.*[^/])?$",
        description="Where browsers find the inbox, without a slash at the end; empty: notifications carry "
        "its path alone",
    )
