"""The notifier's settings, from the environment (``RONDO_…``)."""

from __future__ import annotations

from pydantic import Field

from rondo_common.redis.settings import RedisSettings
from rondo_common.settings import (
    MailSettings,
    PageSettings,
    PushSettings,
    ReaderSettings,
    WebhookSettings,
)


class NotifierSettings(
    ReaderSettings, RedisSettings, WebhookSettings, PushSettings, MailSettings, PageSettings
):
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
